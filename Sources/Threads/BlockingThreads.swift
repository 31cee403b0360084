internal import Glibc

/// A bounded number of threads for work that blocks, each with a tool of its own, started when there is work for them.
///
/// The cooperative pool of Swift has one thread a core: a call that waits for a network or a disk holds the whole program there.
// `@unchecked Sendable`: all state is read and written under `lock` only; a tool is made, used and dropped by one thread.
package final class BlockingThreads<Tool>: @unchecked Sendable {
    package typealias Job = @Sendable (Tool) -> Void

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private let stackSize: Int
    private let makeTool: @Sendable () -> Tool
    private var jobs: [Job] = []
    private var threadCount = 0
    private var idleCount = 0
    private var isClosed = false

    /// - Parameters:
    ///   - limit: how many threads there are at most; further jobs wait in the order in which they came.
    ///   - stackSize: bytes of each thread's stack; nil for the system's own (8 MiB of address space).
    ///   - makeTool: makes what a thread keeps from one job to the next.
    package init(limit: Int, stackSize: Int? = nil, makeTool: @escaping @Sendable () -> Tool) {
        self.limit = max(limit, 1)
        self.stackSize = max(stackSize ?? 0, 0)
        self.makeTool = makeTool
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(lock)
        wakeUp.deallocate()
        lock.deallocate()
    }

    /// Queues a job; false if the threads are closed, or there is none and none can be started.
    package func submit(_ job: @escaping Job) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard !isClosed else { return false }
        if idleCount <= jobs.count, threadCount < limit, start() { threadCount += 1 }
        guard threadCount > 0 else { return false }
        jobs.append(job)
        pthread_cond_signal(wakeUp)
        return true
    }

    /// Lets the threads end after what is queued.
    package func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_broadcast(wakeUp)
        pthread_mutex_unlock(lock)
    }

    private func start() -> Bool {
        let body = ThreadBody { [self] in run() }
        let context = Unmanaged.passRetained(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if stackSize > 0 { pthread_attr_setstacksize(&attributes, stackSize) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        guard pthread_create(&thread, &attributes, runThreadBody, context.toOpaque()) == 0 else {
            context.release()
            return false
        }
        return true
    }

    private func run() {
        // Signals are for the program's own threads; a write to a closed connection must not end the process.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        let tool = makeTool()
        while let job = next() { job(tool) }
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

/// Why work was not done: the threads were closed, or the system gives none.
package struct NoThread: Error {
    package init() {}
}

extension BlockingThreads {
    /// Runs work on one of the threads and waits for it without holding a thread of the cooperative pool.
    ///
    /// - Parameter interruption: fired when the task is cancelled, so that the work ends early; the work still decides how.
    package func run<Value: Sendable>(
        interruption: Interruption? = nil, _ work: @escaping @Sendable (Tool) throws -> Value
    ) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                let isQueued = submit { tool in continuation.resume(with: Result { try work(tool) }) }
                if !isQueued { continuation.resume(throwing: NoThread()) }
            }
        } onCancel: {
            interruption?.fire()
        }
    }
}

extension BlockingThreads where Tool == Void {
    package convenience init(limit: Int, stackSize: Int? = nil) {
        self.init(limit: limit, stackSize: stackSize, makeTool: {})
    }

    package func run<Value: Sendable>(
        interruption: Interruption? = nil, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await run(interruption: interruption) { (_: Void) in try work() }
    }
}

/// What a new thread is given through its only argument.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThreadBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}

/// Starts one detached thread for one long piece of blocking work; false where the system gives none.
package func startThread(stackSize: Int = 512 * 1024, _ work: @escaping @Sendable () -> Void) -> Bool {
    let context = Unmanaged.passRetained(
        ThreadBody {
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            work()
        })
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    guard pthread_create(&thread, &attributes, runThreadBody, context.toOpaque()) == 0 else {
        context.release()
        return false
    }
    return true
}
