internal import Glibc

/// Runs a closure on a thread of its own, which ends with it.
enum CommitterThread {
    static func start(_ body: @escaping @Sendable () -> Void) throws(AuditFault) {
        let start = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runCommitterThread, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw .unwritable("no thread: error \(code)")
        }
        pthread_detach(thread)
    }
}

private final class ThreadBody {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func runCommitterThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // Signals are the main program's.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
