import Access
import Audit
import Automation
import Domain
import Logging
import Sealing
import Storage
import Synchronization
import TestSupport

/// A vault with an audit, assets and accounts, and work that tests script: everything that tasks rest on, without a server.
final class TestYard: Sendable {
    static let start = Timestamp(seconds: 1_800_000_000)

    let directory: TemporaryDirectory
    let database: Database
    let auditDatabase: Database
    let audit: AuditLog
    let keyring: Keyring
    let gate: Gate
    let work = ScriptedWork()
    let outbox = CollectingOutbox()
    let keyFile: KeyFileUnsealer
    let meter = AutomationMeter()
    private let moment = Mutex(TestYard.start)

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main)
        auditDatabase = try Database.open(at: directory.file("audit.db"))
        try auditDatabase.migrate(Migration.audit)
        audit = try AuditLog.open(
            auditDatabase, options: AuditOptions(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        keyring = Keyring(database: database)
        gate = Gate(audit: audit)
        keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        let (database, keyFile) = (database, keyFile)
        try database.writeSync { db in
            try Platforms.seed(on: db)
            let organizations = [OrganizationID.system, .default].map {
                Organization(id: $0, name: "\($0)", dateCreated: Self.start)
            }
            try Keyring.initialize(
                database, slots: [NewSlot(keyFile, label: "", parameters: [])], organizations: organizations, now: Self.start,
                in: db
            ) { _ in }
        }
        try keyring.unseal(with: keyFile)
    }

    deinit {
        audit.close()
        auditDatabase.close()
        database.close()
    }

    var keys: RowKeeper { RowKeeper(keyring: keyring) }
    var clock: WallClock { WallClock { [self] in moment.withLock { $0 } } }
    var now: Timestamp { clock.now() }

    func setClock(_ seconds: Int64) { moment.withLock { $0 = Self.start.adding(seconds: seconds) } }

    func parts(_ limits: WorkLimits = WorkLimits(), pause: Pause = .system, clock: WallClock? = nil) -> AutomationParts {
        AutomationParts(
            database: database, keys: keys, gate: gate, work: work,
            abilities: PlatformAbilities(secretTypes: ["linux": [.password, .sshKey]]), agenda: Agenda(zones: ZoneDirectory()),
            outbox: outbox, meter: meter, limits: limits, clock: clock ?? self.clock, pause: pause,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    // MARK: - Rows

    /// Stores a host with an administrator and these further accounts.
    @discardableResult
    func addHost(_ name: String, accounts: [String], isAdministered: Bool = true) throws -> AssetID {
        let asset = Asset(
            id: .random(), organization: .default, name: name, address: name, platform: Platform.ID(rawValue: 1),
            dateCreated: Self.start, dateUpdated: Self.start)
        var rows = accounts.map { account($0, on: asset.id) }
        if isAdministered {
            rows.append(account("admin", on: asset.id))
            rows[rows.count - 1].privileged = true
        }
        let (keys, stored) = (try keys.keys(), rows)
        try database.writeSync { db in
            try Assets.insert(keys.authenticated(asset), on: db)
            for row in stored { try Accounts.insert(keys.authenticated(row), on: db) }
        }
        return asset.id
    }

    private func account(_ username: String, on asset: AssetID) -> Account {
        Account(
            id: .random(), organization: .default, asset: asset, name: username, username: username,
            stages: SecretStages(current: 1, last: 1), dateCreated: Self.start, dateUpdated: Self.start)
    }

    /// Stores a task, planned from now on.
    @discardableResult
    func addTask(
        _ name: String, _ order: TaskOrder, timing: TaskTiming = TaskTiming(), recipients: [String] = []
    ) throws -> AutomationTask {
        let task = AutomationTask(
            id: .random(), organization: .default, name: name, order: order, timing: timing, recipients: recipients,
            dateCreated: now, dateUpdated: now)
        let (keys, agenda, now) = (try keys.keys(), Agenda(zones: ZoneDirectory()), now)
        try database.writeSync { db in
            try AutomationTasks.insert(keys.authenticated(task), on: db)
            try agenda.replan(task, at: now, on: db)
        }
        return task
    }

    /// Stores many tasks at once.
    func addTasks(_ count: Int, _ order: TaskOrder, timing: TaskTiming) throws {
        let (keys, agenda, now) = (try keys.keys(), Agenda(zones: ZoneDirectory()), now)
        try database.writeSync { db in
            for number in 0..<count {
                let task = AutomationTask(
                    id: .random(), organization: .default, name: "task \(number)", order: order, timing: timing, dateCreated: now,
                    dateUpdated: now)
                try AutomationTasks.insert(keys.authenticated(task), on: db)
                try agenda.replan(task, at: now, on: db)
            }
        }
    }

    /// Ends whatever execution is open.
    func finishAll() throws {
        let keys = try keys.keys()
        try database.writeSync { db in
            for row in try Executions.open(limit: 1000, on: db) {
                var execution = try keys.verified(row.get())
                execution.status = .success
                _ = try Executions.update(keys.authenticated(execution), on: db)
            }
        }
    }

    /// Stores an execution of a task, as the API does.
    func addExecution(of task: AutomationTask) async throws -> Execution {
        let (keys, now) = (try keys.keys(), now)
        let principal = Principal(actor: .user(UserID(high: 1, low: 1), name: "admin"), permissions: [.runAutomation])
        return try await gate.change(.runAutomation, as: principal, in: .default, from: .internal(now: now)) {
            [database] permit in
            let warrant = permit.warrant()
            return .init(
                try await database.write { db in
                    try ExecutionStart.task(task, trigger: .manual, by: warrant, at: now, keys: keys, on: db)
                })
        }
    }

    func execution(_ id: ExecutionID) throws -> Execution {
        let keys = try keys.keys()
        return try database.readSync { try keys.verified(Executions.get(id, in: .default, on: $0)) }
    }

    func executions() throws -> [Execution] {
        let keys = try keys.keys()
        return try database.readSync { db in
            try keys.verified(Executions.list(ListRequest(limit: 100_000), in: .default, on: db).rows)
        }
    }

    func records(of id: ExecutionID? = nil) throws -> [Record] {
        let keys = try keys.keys()
        let filters = id.map { [ListFilter(RecordField.execution, anyOf: [$0])] } ?? []
        return try database.readSync { db in
            try keys.verified(
                Records.list(ListRequest(filters: filters, order: [ListOrder(.assetName)], limit: 100_000), in: .default, on: db)
                    .rows)
        }
    }

    func state(of task: AutomationTask) throws -> TaskState? {
        try database.readSync { try TaskStates.get(task.id, in: .default, on: $0) }
    }

    /// Runs the closure while executions are carried out.
    func whileExecuting<Value: Sendable>(
        _ limits: WorkLimits = WorkLimits(), pause: Pause = .system, _ body: @Sendable (TaskDesk) async throws -> Value
    ) async throws -> Value {
        let desk = TaskDesk(parts(limits, pause: pause))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await desk.runExecutions() }
            let value = try await body(desk)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
            return value
        }
    }

    /// Waits until the execution is over.
    func end(of id: ExecutionID) async throws -> Execution {
        for _ in 0..<12000 {
            let execution = try execution(id)
            if !execution.status.isOpen { return execution }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ProgramFault.timedOut("the execution", output: "")
    }
}

/// Work that does what a test says, and notes what was asked of it.
final class ScriptedWork: AccountWork {
    struct Seen: Sendable {
        var performed: [WorkOrder] = []
        var settled: [WorkOrder] = []
        var actors: [Actor] = []
        /// Pieces under way by host, and the most that there were.
        var running: [AssetID: Int] = [:]
        var mostAtOnce = 0
        var mostAtOneHost = 0
    }

    let seen = Mutex(Seen())
    private let script = Mutex<@Sendable (WorkOrder) async -> WorkReport>({ _ in
        WorkReport(.success, oldVersion: 1, newVersion: 2)
    })

    func set(_ report: @escaping @Sendable (WorkOrder) async -> WorkReport) { script.withLock { $0 = report } }

    func perform(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport {
        seen.withLock { seen in
            seen.performed.append(order)
            seen.actors.append(warrant.principal.actor)
            seen.running[order.asset, default: 0] += 1
            seen.mostAtOnce = max(seen.mostAtOnce, seen.running.values.reduce(0, +))
            seen.mostAtOneHost = max(seen.mostAtOneHost, seen.running[order.asset] ?? 0)
        }
        let report = await script.withLock { $0 }(order)
        seen.withLock { $0.running[order.asset, default: 1] -= 1 }
        return report
    }

    func settle(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport {
        seen.withLock { seen in
            seen.settled.append(order)
            seen.actors.append(warrant.principal.actor)
        }
        return WorkReport(.uncertain, reason: .doubt)
    }
}

/// Keeps what would be sent.
final class CollectingOutbox: ExecutionOutbox {
    let sent = Mutex<[(result: ExecutionResult, recipients: [String])]>([])

    func put(_ result: ExecutionResult, to recipients: [String], on db: any SQLConnection) throws {
        sent.withLock { $0.append((result, recipients)) }
    }
}
