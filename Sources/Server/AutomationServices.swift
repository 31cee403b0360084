internal import API
internal import Access
package import Automation
internal import Connectors
internal import Domain
internal import Logging
package import Notifications
internal import Sealing
internal import Storage
internal import Vault

/// What changes accounts on their targets, settles what is in doubt, and tells of both: put together once, at start.
package struct AutomationServices: Sendable {
    package let desk: TaskDesk
    package let settlement: Settlement
    package let outbox: Outbox
    package let alert: DoubtAlert
    package let retention: ExecutionRetention

    init(
        _ options: AssemblyOptions, _ database: Database, _ keyring: Keyring, _ gate: Gate, _ settings: LiveSettings,
        _ taskSecrets: TaskSecrets, _ logger: Logger
    ) {
        let (keys, clock, meter) = (RowKeeper(keyring: keyring), options.clock, AutomationMeter())
        let slots = WorkSlots(options.limits)
        outbox = Outbox(database: database, keeper: keys, channels: options.channels, clock: clock, logger: logger)
        let turning = Self.turning(options, database, keyring, gate, settings, outbox, logger)
        settlement = Settlement(
            turning, slots: slots, perHost: options.limits.perHost, width: Self.settlementWidth(options), meter: meter)
        alert = DoubtAlert(
            database: database, keys: keys, outbox: outbox, meter: meter, after: options.turns.uncertainAlert, clock: clock,
            logger: logger)
        retention = ExecutionRetention(
            database: database, keys: keys, period: options.turns.executionRetention, clock: clock)
        desk = TaskDesk(
            AutomationParts(
                database: database, keys: keys, gate: gate, work: TurningWork(turning, taskSecrets: taskSecrets),
                abilities: PlatformAbilities(options.connectors), agenda: Agenda(zones: ZoneDirectory()),
                outbox: ExecutionNotices(outbox, keys: keys, clock: clock), meter: meter, limits: options.limits, slots: slots,
                clock: clock,
                logger: logger))
    }

    /// Whoever has more accounts worked on at the same time has more doubts settled, too.
    private static func settlementWidth(_ options: AssemblyOptions) -> Int {
        max(Settlement.usualWidth, options.limits.overall / 4)
    }

    private static func turning(
        _ options: AssemblyOptions, _ database: Database, _ keyring: Keyring, _ gate: Gate, _ settings: LiveSettings,
        _ outbox: Outbox, _ logger: Logger
    ) -> SecretTurning {
        let connectors = options.connectors
        var parts = TurnParts(
            database: database, keyring: RowKeeper(keyring: keyring), secrets: AccountSecrets(keyring: keyring), gate: gate,
            // A thread for each account that may be worked on, and some for sessions that are being closed.
            threads: ConnectorThreads(limit: options.limits.overall + settlementWidth(options)),
            connector: { type in connectors.first { $0.platformTypes.contains(type) } }, clock: options.clock, logger: logger)
        parts.historyLimit = { settings.historyLimit }
        parts.logins = LoginLimit(count: options.turns.rejectedLogins)
        parts.stepLimit = options.turns.stepLimit
        parts.conversationLimit = options.turns.conversationLimit
        return SecretTurning(parts.writingRecords(telling: SettledNotices(outbox)))
    }
}

extension AssemblyOptions {
    /// How secrets are turned.
    package struct Turns: Sendable {
        /// How long one remote step may take.
        package var stepLimit: Duration = .seconds(30)
        /// How long one connection to a target may last, however many steps it has.
        package var conversationLimit: Duration = .seconds(300)
        /// Logins of a day, to one account, that were not accepted.
        package var rejectedLogins = 2
        /// How long a change may be in doubt before somebody is told.
        package var uncertainAlert: Duration = .seconds(3600)
        /// How long executions and their records are kept.
        package var executionRetention: Duration = .seconds(400 * 86_400)
    }
}
