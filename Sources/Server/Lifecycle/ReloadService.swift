internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Reads what can be read anew whenever the process gets SIGHUP.
struct ReloadService: Service {
    private let logger: Logger
    private let reload: @Sendable () async throws -> Void
    private let signals: UnixSignalsSequence

    /// From now on no signal is lost, although it is heard only when the service runs: services begin in no order, and whoever is told
    /// that the server listens may send one.
    init(logger: Logger, reload: @escaping @Sendable () async throws -> Void) async {
        self.logger = logger
        self.reload = reload
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                try await reload()
                logger.notice("certificate and log level were read again")
            } catch {
                // What was in use stays in use.
                logger.error("reading again failed", metadata: ["fault": "\(error)"])
            }
        }
    }
}
