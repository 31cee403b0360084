package import Access
package import Domain
package import Logging
package import Storage

/// What the automation works with; put together once, at start.
package struct AutomationParts: Sendable {
    package let database: Database
    package let keys: RowKeeper
    package let gate: Gate
    package let work: any AccountWork
    package let abilities: PlatformAbilities
    package let agenda: Agenda
    package let outbox: (any ExecutionOutbox)?
    package let meter: AutomationMeter
    package let limits: WorkLimits
    /// Shared by all that works on targets, so that the limits hold for it together.
    package let slots: WorkSlots
    package let clock: WallClock
    package let pause: Pause
    package let logger: Logger

    package init(
        database: Database, keys: RowKeeper, gate: Gate, work: any AccountWork, abilities: PlatformAbilities, agenda: Agenda,
        outbox: (any ExecutionOutbox)?, meter: AutomationMeter, limits: WorkLimits, slots: WorkSlots? = nil, clock: WallClock,
        pause: Pause = .system, logger: Logger
    ) {
        self.database = database
        self.keys = keys
        self.gate = gate
        self.work = work
        self.abilities = abilities
        self.agenda = agenda
        self.outbox = outbox
        self.meter = meter
        self.limits = limits
        self.slots = slots ?? WorkSlots(limits)
        self.clock = clock
        self.pause = pause
        self.logger = logger
    }

    func order(for work: PlannedWork, record: RecordID, of execution: Execution) -> WorkOrder {
        WorkOrder(
            execution: execution.id, record: record, organization: execution.organization, task: execution.task,
            asset: work.asset, account: work.account, username: work.username, secretType: work.secretType,
            version: work.version, worker: work.worker, order: execution.order,
            parameters: execution.order.parameters.values(for: work.platformType))
    }

    func objects(of work: PlannedWork, in execution: Execution) -> [AuditObject] {
        var objects = [
            AuditObject(kind: "execution", id: execution.id.description, name: execution.taskName),
            AuditObject(kind: "asset", id: work.asset.description, name: work.assetName),
        ]
        if let account = work.account {
            objects.append(AuditObject(kind: "account", id: account.description, name: "\(work.accountName)(\(work.username))"))
        }
        return objects
    }
}

/// How waiting is done, so that tests need not wait.
package struct Pause: Sendable {
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(sleep: @escaping @Sendable (Duration) async throws -> Void) { self.sleep = sleep }

    package static let system = Pause { try await Task.sleep(for: $0) }
}
