internal import API
internal import Access
internal import Audit
internal import Automation
internal import CoreMetrics
internal import Domain
internal import HTTPServer
internal import Logging
internal import Notifications
internal import Sealing
internal import ServiceLifecycle
internal import Storage
internal import UnixSignals

/// A server from its configuration to its orderly end.
package struct ServerRun: Sendable {
    private let configuration: Configuration
    /// The file that log level and certificate paths came from; nil for none.
    private let file: String?
    private let log: LineLog
    private let metrics = MetricRegistry()
    private let logger: Logger

    /// Takes over logging and metrics of the whole process: once in its life.
    package init(configuration: Configuration, file: String?) {
        self.configuration = configuration
        self.file = file
        let log = LineLog(format: configuration.log.format, level: configuration.log.level)
        self.log = log
        LoggingSystem.bootstrap { log.handler(label: $0) }
        MetricsSystem.bootstrap(metrics)
        logger = Logger(label: "keyturn")
    }

    /// Serves until SIGTERM or SIGINT. Throws what kept it from starting.
    ///
    /// Without a key file, or with a wrong one, the server starts sealed and waits for `keyturnd unseal`.
    package func run() async throws {
        ProcessReadings.register(in: metrics)
        let meter = AuditMeter(registry: metrics)
        let assembly = try await Blocking.run { [configuration, metrics, logger] in
            var options = configuration.assembly
            options.metrics = metrics
            options.channels = try configuration.notifications.channels()
            options.audit.observer = { meter.observe($0) }
            return try Assembly(options, logger: logger)
        }
        do {
            try await serve(assembly)
        } catch {
            try? await Blocking.run { assembly.close() }
            throw error
        }
        try await Blocking.run { assembly.close() }
        logger.notice("stopped")
    }

    private func serve(_ assembly: Assembly) async throws {
        let audit = assembly.audit
        assembly.health.register(in: metrics)
        metrics.read("keyturn_audit_waiting_entries") { Double(audit.waiting) }
        let meter = assembly.backend.tasks.meter
        metrics.read("keyturn_accounts_uncertain") { Double(meter.uncertainNow) }
        metrics.read("keyturn_tasks_overdue") { Double(meter.overdueNow) }
        metrics.read("keyturn_task_rows_damaged") { Double(meter.damagedNow) }
        metrics.read("keyturn_changes_uncertain") { Double(meter.doubtsNow) }
        metrics.read("keyturn_oldest_doubt_seconds") { Double(meter.oldestDoubtSeconds) }
        assembly.listener.register(in: metrics)
        var services: [any Service] = work(assembly)
        if let plain = configuration.plainListener {
            let listener = try Listener(
                configuration: plain, handler: HealthHandler(answers: assembly.operational), logger: logger)
            services.append(ListenerService("plain", listener, patience: .seconds(1), logger: logger))
        }
        let rereads = rereads(assembly)
        let commands = RunningServer(
            assembly: assembly, configuration: configuration, started: .now, rereads: rereads)
        let control = try ControlServer(
            path: assembly.directory.controlSocket, desk: ControlDesk(commands: commands, audit: audit), logger: logger)
        services += [ControlService(control), await ReloadService(logger: logger, reload: rereads)]
        try await record(.start, audit)
        await unseal(assembly)
        // The last to start is the first to stop.
        services.append(ListenerService("main", assembly.listener, logger: logger))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        try await record(.stop, audit)
    }

    private func unseal(_ assembly: Assembly) async {
        do {
            try await assembly.unseal(with: KeyFileUnsealer(directory: configuration.keys), by: .system("server"))
        } catch {
            logger.error("the vault stays sealed: see 'keyturnd unseal'", metadata: ["fault": "\(error)"])
        }
    }

    /// What is done again and again.
    private func work(_ assembly: Assembly) -> [any Service] {
        let (database, keyring, reserve) = (assembly.database, assembly.keyring, assembly.directory.reserve)
        let (tasks, settlement) = (assembly.automation.desk, assembly.automation.settlement)
        let (outbox, alert, retention) = (
            assembly.automation.outbox, assembly.automation.alert, assembly.automation.retention
        )
        return [
            PeriodicService("messages", every: .seconds(5), runsAtEnd: true, logger: logger) {
                while try await outbox.deliverDue() > 0 {}
            },
            PeriodicService("old messages", every: .seconds(3600), logger: logger) { try await outbox.prune() },
            PeriodicService("doubts", every: .seconds(30), logger: logger) { try await alert.look() },
            PeriodicService("old logins", every: .seconds(3600), logger: logger) { try await settlement.forgetOldLogins() },
            PeriodicService("old executions", every: .seconds(3600), logger: logger) { try await retention.prune() },
            // The last to start is the first to stop: no task is started while the executions end.
            WorkService { await settlement.run() },
            WorkService { try await tasks.runExecutions() }, WorkService { try await tasks.runSchedule() },
            PeriodicService("credential usage", every: .seconds(10), runsAtEnd: true, logger: logger) {
                try await assembly.usage.flush(to: database)
            },
            PeriodicService("row check", every: .seconds(30), logger: logger) { try await assembly.checkRows() },
            PeriodicService("worn keys", every: .seconds(3600), logger: logger) {
                guard !keyring.isSealed else { return }
                try await keyring.replaceWornKeys(now: .now)
            },
            PeriodicService("disk reserve", every: .seconds(30), logger: logger) {
                _ = try await Blocking.run { reserve.restore() }
            },
        ]
    }

    private func rereads(_ assembly: Assembly) -> @Sendable () async throws -> Void {
        let (file, log, level) = (file, log, configuration.log.level)
        return {
            try await Blocking.run {
                try assembly.listener.reloadCertificate()
                log.setLevel(try file.map { try Configuration(file: $0).log.level } ?? level)
            }
        }
    }

    private func record(_ action: AuditAction, _ audit: AuditLog) async throws {
        try await audit.append(
            AuditEntry(
                time: .now, actor: .system("server"), address: "", organization: nil, action: action, outcome: .granted,
                request: .random()))
    }
}
