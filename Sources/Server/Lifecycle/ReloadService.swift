internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Reads what can be read anew whenever the process gets SIGHUP.
struct ReloadService: Service {
    private let logger: Logger
    private let reload: @Sendable () async throws -> Void

    init(logger: Logger, reload: @escaping @Sendable () async throws -> Void) {
        self.logger = logger
        self.reload = reload
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
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
