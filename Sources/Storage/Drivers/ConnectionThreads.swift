internal import Glibc

/// Threads that each own one connection and work off one queue of jobs, so that no disk access sits on the cooperative pool.
///
/// Unchecked, because it holds a POSIX mutex and condition; every access to the jobs is under that mutex, and a connection is
/// handed to its thread once and used by nobody else.
final class ConnectionThreads: @unchecked Sendable {
    typealias Job = @Sendable (SQLiteConnection) -> Void

    private let queue = JobQueue()
    private var threads: [pthread_t] = []

    init(_ connections: [SQLiteConnection]) throws(StorageFault) {
        for connection in connections {
            let start = Unmanaged.passRetained(ThreadStart(queue: queue, connection: connection))
            var thread = pthread_t()
            let code = pthread_create(&thread, nil, runConnectionThread, start.toOpaque())
            guard code == 0 else {
                start.release()
                stop()
                throw .io(code: code)
            }
            threads.append(thread)
        }
    }

    deinit {
        // Not joined: the last reference may be dropped on one of these threads.
        queue.close()
        for thread in threads { pthread_detach(thread) }
    }

    /// Queues a job; false after `stop`.
    func enqueue(_ job: @escaping Job) -> Bool { queue.push(job) }

    /// Lets the queued jobs finish, then ends the threads and closes their connections. Called once, from no job.
    func stop() {
        queue.close()
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}

/// What a thread gets when it starts.
private final class ThreadStart {
    let queue: JobQueue
    let connection: SQLiteConnection

    init(queue: JobQueue, connection: SQLiteConnection) {
        self.queue = queue
        self.connection = connection
    }
}

private func runConnectionThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // Signals are the main program's.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    while let job = start.queue.pop() { job(start.connection) }
    return nil
}

/// Jobs in order, behind a mutex and a condition.
private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [ConnectionThreads.Job] = []
    /// Jobs being taken, newest first.
    private var taking: [ConnectionThreads.Job] = []
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func push(_ job: @escaping ConnectionThreads.Job) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isClosed { return false }
        waiting.append(job)
        pthread_cond_signal(condition)
        return true
    }

    /// Waits for a job; nil once the queue is closed and empty.
    func pop() -> ConnectionThreads.Job? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let job = taking.popLast() { return job }
            if !waiting.isEmpty {
                taking = waiting.reversed()
                waiting.removeAll()
            } else if isClosed {
                return nil
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
