import Domain
import Testing

@testable import Storage

@Suite("Tables of tasks, executions and records")
struct TaskTablesTests {
    let vault: Vault

    init() throws { vault = try Vault() }

    private static func task(_ tenant: Tenant, _ name: String = "nightly") -> Authenticated<AutomationTask> {
        let order = TaskOrder(
            kind: .changeSecret, accounts: ["a", "@ALL"], assets: [tenant.asset.value.id], nodes: [tenant.child.value.id],
            strategy: .specific, passwordRules: "{}", parameters: TaskParameters(["linux": ["shell": "/bin/sh"]]), worker: "w")
        let timing = TaskTiming(
            isPeriodic: true, crontab: "0 3 * * *", interval: 5, zone: "Europe/Berlin", start: day, missed: .skip, jitter: 60,
            since: day)
        return authenticated(
            AutomationTask(
                id: .random(), organization: tenant.id, name: name, order: order, secret: Sealed(bytes: [1, 2]), timing: timing,
                recipients: ["a@b"], isActive: true, comment: "c", createdBy: "x", updatedBy: "y", dateCreated: day,
                dateUpdated: day))
    }

    private static func execution(
        _ tenant: Tenant, of task: AutomationTaskID?, status: Execution.Status = .running
    ) -> Authenticated<Execution> {
        authenticated(
            Execution(
                id: .random(), organization: tenant.id, task: task, taskName: "nightly", trigger: .timing,
                author: Execution.Author(user: .random(), name: "admin"), order: TaskOrder(kind: .changeSecret), dateCreated: day,
                status: status, dateStart: day, dateFinished: day, progress: Execution.Progress(total: 3, done: 1), reason: "r"))
    }

    private static func record(_ tenant: Tenant, of execution: ExecutionID, status: Record.Status = .refused) -> Authenticated<
        Record
    > {
        authenticated(
            Record(
                id: .random(), organization: tenant.id, execution: execution, kind: .changeSecret, asset: tenant.asset.value.id,
                assetName: "web", account: tenant.account.value.id, username: "u", secretType: .sshKey, status: status,
                reason: .policyMinimumAge, detail: "d", until: day, oldVersion: 1, newVersion: 2,
                steps: [Record.Step(.check, date: day), Record.Step(.verify, reason: .cut, words: "a: b", date: day)],
                dateCreated: day,
                dateStart: day, dateFinished: day, isIgnored: true))
    }

    @Test("rows come back as they were stored, also after a change")
    func roundTrips() throws {
        let ours = vault.ours
        try vault.write { db throws in
            var task = Self.task(ours)
            try AutomationTasks.insert(task, on: db)
            #expect(try AutomationTasks.get(task.value.id, in: ours.id, on: db) == task)
            task.value.timing = TaskTiming()
            (task.value.secret, task.value.isActive) = (nil, false)
            #expect(try AutomationTasks.update(task, on: db))
            #expect(try AutomationTasks.get(task.value.id, in: ours.id, on: db) == task)
            let state = TaskState(
                task: task.value.id, organization: ours.id, planned: day, begins: day.adding(seconds: 5), lastRun: day,
                lastExecution: .random())
            try TaskStates.put(state, on: db)
            #expect(try TaskStates.get(task.value.id, in: ours.id, on: db) == state)
            #expect(try TaskStates.nextBegin(on: db) == state.begins)
            var execution = Self.execution(ours, of: task.value.id)
            try Executions.insert(execution, on: db)
            #expect(try Executions.get(execution.value.id, in: ours.id, on: db) == execution)
            execution.value.status = .success
            #expect(try Executions.update(execution, on: db))
            #expect(try Executions.get(execution.value.id, in: ours.id, on: db) == execution)
            var record = Self.record(ours, of: execution.value.id)
            try Records.insert(record, on: db)
            #expect(try Records.get(record.value.id, in: ours.id, on: db) == record)
            (record.value.status, record.value.reason, record.value.steps) = (.success, nil, [])
            #expect(try Records.update(record, on: db))
            #expect(try Records.get(record.value.id, in: ours.id, on: db) == record)
        }
    }

    @Test("steps that were stored before they had codes are read, and what is no step is damage")
    func oldSteps() throws {
        let ours = vault.ours
        try vault.write { db throws in
            let execution = Self.execution(ours, of: nil)
            try Executions.insert(execution, on: db)
            let record = Self.record(ours, of: execution.value.id)
            try Records.insert(record, on: db)
            let time = String(day.milliseconds)
            func stored(_ texts: [String]) throws -> [Record.Step]? {
                try db.execute("UPDATE records SET steps = ? WHERE id = ?", [.list(texts), .id(record.value.id)])
                return try Records.get(record.value.id, in: ours.id, on: db)?.value.steps
            }
            #expect(try stored([]) == [])
            let old = try stored(["check", time, "verify: rejected: no", time])
            #expect(old == [Record.Step(.check, date: day), Record.Step(.verify, words: "rejected: no", date: day)])
            for texts in [
                ["login", time], ["check", "x"], ["check"], ["steps-2", "check", "", ""], ["steps-2", "check", "", "", "x"],
                ["steps-2", "login", "", "", time], ["steps-2", "check", "because", "", time],
                ["steps-3", "check", "", "", time],
            ] {
                #expect(throws: StorageFault.self, "\(texts)") { try stored(texts) }
            }
        }
    }

    @Test("another organization's ids find, change and delete nothing")
    func scope() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        let (task, execution) = (Self.task(theirs), Self.execution(theirs, of: nil))
        let record = Self.record(theirs, of: execution.value.id, status: .pending)
        try vault.write { db throws in
            try AutomationTasks.insert(task, on: db)
            try Executions.insert(execution, on: db)
            try Records.insert(record, on: db)
            let state = TaskState(task: task.value.id, organization: theirs.id, planned: day)
            try TaskStates.put(state, on: db)
            #expect(try AutomationTasks.get(task.value.id, in: ours.id, on: db) == nil)
            #expect(try !AutomationTasks.delete(task.value.id, in: ours.id, on: db))
            #expect(try AutomationTasks.page(after: nil, in: ours.id, limit: 9, on: db).isEmpty)
            #expect(try AutomationTasks.list(ListRequest(search: "night"), in: ours.id, on: db).total == 0)
            #expect(try TaskStates.get(task.value.id, in: ours.id, on: db) == nil)
            try TaskStates.put(TaskState(task: task.value.id, organization: ours.id), on: db)
            #expect(try TaskStates.get(task.value.id, in: theirs.id, on: db) == state)
            #expect(try Executions.get(execution.value.id, in: ours.id, on: db) == nil)
            #expect(try Executions.list(ListRequest(), in: ours.id, on: db).total == 0)
            #expect(try Executions.page(after: nil, in: ours.id, limit: 9, on: db).isEmpty)
            #expect(try Records.get(record.value.id, in: ours.id, on: db) == nil)
            #expect(try Records.list(ListRequest(), in: ours.id, on: db).total == 0)
            #expect(try Records.page(after: nil, in: ours.id, limit: 9, on: db).isEmpty)
            #expect(try Records.pending(of: execution.value.id, in: ours.id, limit: 9, on: db).isEmpty)
            #expect(try Records.counts(of: execution.value.id, in: ours.id, on: db).isEmpty)
            #expect(try Records.totals(of: TaskKind.allCases, since: day, in: ours.id, on: db) == RecordTotals())
            let forged = authenticated(
                AutomationTask(
                    id: task.value.id, organization: ours.id, name: "x", order: TaskOrder(kind: .changeSecret), dateCreated: day,
                    dateUpdated: day))
            #expect(try !AutomationTasks.update(forged, on: db))
            #expect(try AutomationTasks.get(task.value.id, in: theirs.id, on: db) == task)
        }
    }

    @Test("a task names assets and nodes of its own organization only, and a record its execution")
    func references() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        var stray = Self.task(ours)
        stray.value.order.assets = [theirs.asset.value.id]
        var astray = Self.task(ours, "b")
        astray.value.order.nodes = [theirs.child.value.id]
        let (task, other) = (stray, astray)
        let record = Self.record(ours, of: .random())
        for refused in [task, other] {
            #expect(throws: StorageFault.self) { try vault.write { try AutomationTasks.insert(refused, on: $0) } }
        }
        #expect(throws: StorageFault.self) { try vault.write { try Records.insert(record, on: $0) } }
    }

    @Test("names are unique within a kind, open executions are found, and deleting a task keeps what it did")
    func rules() throws {
        let ours = vault.ours
        let task = Self.task(ours)
        try vault.write { db throws in
            try AutomationTasks.insert(task, on: db)
            let run = Self.execution(ours, of: task.value.id)
            try Executions.insert(run, on: db)
            try Records.insert(Self.record(ours, of: run.value.id), on: db)
            #expect(try Executions.hasOpen(of: task.value.id, in: ours.id, on: db))
            #expect(try Executions.open(limit: 9, on: db).map { try $0.get() } == [run])
            #expect(try AutomationTasks.delete(task.value.id, in: ours.id, on: db))
            #expect(try Executions.get(run.value.id, in: ours.id, on: db) != nil)
            #expect(try Records.list(ListRequest(), in: ours.id, on: db).total == 1)
        }
        try vault.write { try AutomationTasks.insert(task, on: $0) }
        #expect(throws: StorageFault.self) { try vault.write { try AutomationTasks.insert(Self.task(ours), on: $0) } }
    }

    @Test("an organization is deleted with its tasks, executions and records")
    func deletion() async throws {
        let theirs = vault.theirs
        try vault.write { db throws in
            let task = Self.task(theirs)
            try AutomationTasks.insert(task, on: db)
            try TaskStates.put(TaskState(task: task.value.id, organization: theirs.id), on: db)
            let run = Self.execution(theirs, of: task.value.id)
            try Executions.insert(run, on: db)
            try Records.insert(Self.record(theirs, of: run.value.id), on: db)
        }
        #expect(try await vault.database.deleteOrganization(theirs.id, marking: .random(), at: day))
        let left = try vault.read { db throws in try RowTotals(on: db) }
        #expect(left.tasks == 0 && left.executions == 0 && left.records == 0)
    }
}
