import CHTTPShim
import Glibc
import Synchronization

/// The thread that a loop runs on.
struct LoopThread: Sendable {
    private let thread: pthread_t

    private final class Start {
        let loop: Loop
        let departure: Departure

        init(_ loop: Loop, _ departure: Departure) {
            self.loop = loop
            self.departure = departure
        }
    }

    init(_ loop: Loop, _ departure: Departure) throws(ListenerError) {
        let start = Unmanaged.passRetained(Start(loop, departure))
        var thread = pthread_t()
        // Signals are for the main thread: block them before the thread exists.
        var all = sigset_t()
        var former = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &former)
        let code = pthread_create(&thread, nil, Self.body, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &former, nil)
        guard code == 0 else {
            start.release()
            throw .system(operation: "pthread_create", code: code)
        }
        self.thread = thread
    }

    func join() {
        pthread_join(thread, nil)
    }

    private static let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
        khttp_name_thread("http-\(start.loop.index)")
        start.loop.run()
        start.departure.left()
        return nil
    }
}

/// Lets tasks wait until every loop has ended.
final class Departure: Sendable {
    private let state: Mutex<(remaining: Int, waiters: [CheckedContinuation<Void, Never>])>

    init(count: Int) {
        state = Mutex((count, []))
    }

    func left() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.remaining -= 1
            guard state.remaining == 0 else { return [] }
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                if state.remaining > 0 { state.waiters.append(waiter) }
                return state.remaining <= 0
            }
            if isOver { waiter.resume() }
        }
    }
}
