internal import HTTPServer
internal import Logging
internal import ServiceLifecycle

/// Serves connections until the server is to stop, then lets what is under way finish.
struct ListenerService: Service {
    private let name: String
    private let listener: Listener
    private let patience: Duration
    private let logger: Logger

    /// - Parameter patience: how long requests may go on after the stop began.
    init(_ name: String, _ listener: Listener, patience: Duration = .seconds(20), logger: Logger) {
        self.name = name
        self.listener = listener
        self.patience = patience
        self.logger = logger
    }

    func run() async throws {
        try listener.start()
        logger.notice("listening", metadata: ["listener": "\(name)", "port": "\(listener.port)"])
        try? await gracefulShutdown()
        logger.info("no more connections are taken", metadata: ["listener": "\(name)"])
        await listener.drain(deadline: patience)
    }
}

/// Takes the operator's commands until the server is to stop.
struct ControlService: Service {
    private let server: ControlServer

    init(_ server: ControlServer) { self.server = server }

    func run() async throws {
        server.start()
        try? await gracefulShutdown()
        server.stop()
    }
}

/// Does something again and again; a failure is logged and the next time comes all the same.
struct PeriodicService: Service {
    private let name: String
    private let interval: Duration
    private let runsAtEnd: Bool
    private let logger: Logger
    private let work: @Sendable () async throws -> Void

    /// - Parameter runsAtEnd: whether the work is done once more when the server stops.
    init(
        _ name: String, every interval: Duration, runsAtEnd: Bool = false, logger: Logger,
        work: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.runsAtEnd = runsAtEnd
        self.logger = logger
        self.work = work
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: interval)) != nil { await attempt() }
        }
        if runsAtEnd { await attempt() }
    }

    private func attempt() async {
        do {
            try await work()
        } catch {
            logger.warning("periodic work failed", metadata: ["work": "\(name)", "fault": "\(error)"])
        }
    }
}

/// Work that goes on until the server is to stop, and then ends by itself.
struct WorkService: Service {
    private let work: @Sendable () async throws -> Void

    init(work: @escaping @Sendable () async throws -> Void) {
        self.work = work
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError {
                // That is how it ends.
            }
        }
    }
}
