internal import Glibc

/// State behind a POSIX mutex, with a condition that a thread can wait for up to a time.
///
/// Unchecked, because it owns C memory; the state is touched under the mutex only.
final class Monitor<State: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // The wall clock may be set while somebody waits.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Reads the state, or changes it without waking anybody.
    func withLock<Output, Failure: Error>(_ body: (inout State) throws(Failure) -> Output) throws(Failure) -> Output {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes whoever waits.
    func change<Output, Failure: Error>(_ body: (inout State) throws(Failure) -> Output) throws(Failure) -> Output {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let output = try body(&state)
        pthread_cond_broadcast(condition)
        return output
    }

    /// Waits until `body` gives a value, asked under the lock at every wake; nil when the time is over first.
    func wait<Output>(upTo time: Duration?, until body: (inout State) -> Output?) -> Output? {
        var deadline = timespec()
        if let time { deadline = Self.deadline(in: time) }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let output = body(&state) { return output }
            if time == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &deadline) != 0 {
                return body(&state)
            }
        }
    }

    private static func deadline(in time: Duration) -> timespec {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let (seconds, attoseconds) = max(time, .zero).components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        // A day at most, so that no sum can overflow.
        deadline.tv_sec += Int(min(seconds, 86_400)) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        return deadline
    }
}
