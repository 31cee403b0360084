import Glibc
package import Logging
import Synchronization

/// An HTTP server on one address: loops, each with a thread, that call one handler.
///
/// The address is bound by `init`; connections are served from `start` until `stop` or `drain`.
package final class Listener: Sendable {
    /// The bound port.
    package let port: UInt16
    private let loops: [Loop]
    private let tls: TLSIdentity?
    private let quota: ConnectionQuota
    private let budget: BodyBudget
    private let logger: Logger
    private let threads = Mutex<[LoopThread]>([])
    private let departure: Departure
    /// How connections wait for their answers; never `automatic`.
    package let waiting: ListenerConfiguration.Waiting

    /// Reads the certificate and binds the address. Throws `ListenerError`.
    package init(configuration: ListenerConfiguration, handler: any Handler, logger: Logger) throws {
        signal(SIGPIPE, SIG_IGN)
        let count = max(1, min(64, configuration.loops))
        waiting = configuration.waiting == .automatic ? SelfTest.waiting(logger) : configuration.waiting
        tls = try configuration.tls.map { try TLSIdentity($0) }
        let limits = configuration.limits
        quota = ConnectionQuota(
            limit: limits.connections, limitPerAddress: limits.connectionsPerAddress, isExempt: limits.isExempt)
        budget = BodyBudget(
            limit: limits.bodyBytesInAll, limitPerAddress: limits.bodyBytesPerAddress, isExempt: limits.isExempt)
        self.logger = logger
        let settings = LoopSettings(
            handler: handler, limits: limits, tls: tls, suspends: waiting == .suspended,
            screensHeads: configuration.screensHeads ?? SelfTest.screensHeads(logger), quota: quota, budget: budget,
            logger: logger)
        let sockets = try ListeningSocket.bind(host: configuration.host, port: configuration.port, count: count)
        port = sockets.first?.port ?? 0
        loops = sockets.enumerated().map { Loop(index: $0.offset, settings: settings, listening: $0.element) }
        departure = Departure(count: loops.count)
    }

    deinit {
        stop()
    }

    /// The number of loops; their indices count from zero.
    package var loopCount: Int { loops.count }

    /// Starts the threads; a second call does nothing. Throws `ListenerError`.
    package func start() throws {
        try threads.withLock { threads in
            guard threads.isEmpty else { return }
            for loop in loops { try loop.prepare() }
            for loop in loops { threads.append(try LoopThread(loop, departure)) }
        }
    }

    // MARK: - Answers from other threads

    /// Answers parked exchanges of one loop: one lock and one wake-up for all of them. Tickets that are void are skipped.
    package func complete(loop: Int, _ finished: [(Ticket, Response)]) {
        guard loops.indices.contains(loop) else { return }
        loops[loop].mailbox.deliver(finished.map { Mailbox.Finished(ticket: $0.0, response: $0.1) })
    }

    /// Sends the responses that exchanges of one loop were parked with: on this thread where they are ready for it, else on the loop's.
    package func release(loop: Int, _ tickets: [Ticket]) {
        guard loops.indices.contains(loop) else { return }
        let departed = loops[loop].outbox.letGo(tickets)
        // Told before they are sent, so that the loop knows when the next request comes.
        loops[loop].mailbox.release(tickets, wakes: departed.needsLoop)
        loops[loop].mailbox.report(departed.send())
    }

    // MARK: - Running

    /// Reads certificate and key again, for new connections. After an error the former ones stay in use.
    package func reloadCertificate() throws {
        try tls?.load()
    }

    package var statistics: Statistics {
        var statistics = Statistics()
        for loop in loops { loop.counters.add(to: &statistics) }
        statistics.openConnections = quota.open
        statistics.bodyBytes = budget.inUse
        return statistics
    }

    /// Takes no more connections, lets what is under way finish until the deadline, then stops.
    package func drain(deadline: Duration) async {
        guard threads.withLock({ !$0.isEmpty }) else { return }
        end(at: MonotonicTime.now.advanced(by: deadline))
        await departure.wait()
        stop()
    }

    /// Stops now: parked exchanges are answered 503, connections are closed. Returns when the threads have ended.
    package func stop() {
        end(at: .now)
        let running = threads.withLock { threads in
            let running = threads
            threads = []
            return running
        }
        for thread in running { thread.join() }
    }

    private func end(at moment: MonotonicTime) {
        for loop in loops {
            loop.stopAt.store(min(moment.nanoseconds, .max - 1), ordering: .releasing)
            loop.mailbox.wake()
        }
    }
}
