internal import Glibc

/// A few threads for blocking transfers, each with a libcurl handle of its own, started when there is work for them.
// `@unchecked Sendable`: all state is read and written under `lock` only.
final class TransferThreads: @unchecked Sendable {
    typealias Job = @Sendable (EasyHandle) -> Void

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var jobs: [Job] = []
    private var threadCount = 0
    private var idleCount = 0
    private var isClosed = false

    init(limit: Int) {
        self.limit = max(limit, 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(lock)
        wakeUp.deallocate()
        lock.deallocate()
    }

    /// Queues a job; false if there is no thread to run it and none can be started.
    func submit(_ job: @escaping Job) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if idleCount <= jobs.count, threadCount < limit, start() { threadCount += 1 }
        guard threadCount > 0, !isClosed else { return false }
        jobs.append(job)
        pthread_cond_signal(wakeUp)
        return true
    }

    /// Lets the threads end after what is queued.
    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_broadcast(wakeUp)
        pthread_mutex_unlock(lock)
    }

    private func start() -> Bool {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        guard pthread_create(&thread, nil, runTransferThread, context.toOpaque()) == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    fileprivate func run() {
        // Signals are for the program's own threads; a write to a closed connection must not end the process.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        let handle = EasyHandle()
        while let job = next() { job(handle) }
    }

    private func next() -> Job? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while jobs.isEmpty, !isClosed {
            idleCount += 1
            pthread_cond_wait(wakeUp, lock)
            idleCount -= 1
        }
        return jobs.isEmpty ? nil : jobs.removeFirst()
    }
}

private func runTransferThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<TransferThreads>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
