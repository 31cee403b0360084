import Access
import Automation
import Domain
import Sealing
import Storage
import Testing

@Suite("Forgetting old executions")
struct ExecutionRetentionTests {
    private static let day: Int64 = 86_400

    private static func retention(_ yard: TestYard, days: Int64 = 30) -> ExecutionRetention {
        ExecutionRetention(database: yard.database, keys: yard.keys, period: .seconds(days * day), clock: yard.clock)
    }

    /// Stores an execution that ended now, with these records.
    private static func addExecution(
        _ yard: TestYard, status: Execution.Status = .success, records: [Record.Status] = [.success],
        of task: AutomationTaskID? = nil
    ) throws -> (id: ExecutionID, records: [RecordID]) {
        let (keys, now) = (try yard.keys.keys(), yard.now)
        let execution = Execution(
            id: .random(), organization: .default, task: task, taskName: "t", trigger: .manual,
            author: .init(user: nil, name: "admin"), order: TaskOrder(kind: .changeSecret, accounts: ["a"]), dateCreated: now,
            status: status, dateStart: now, dateFinished: status.isOpen ? nil : now)
        let rows = records.map { status in
            Record(
                id: .random(), organization: .default, execution: execution.id, kind: .changeSecret, asset: .random(),
                assetName: "h", account: nil, username: "a", secretType: .password, status: status, reason: nil,
                dateCreated: now, dateFinished: now)
        }
        try yard.database.writeSync { db in
            try Executions.insert(keys.authenticated(execution), on: db)
            for row in rows { try Records.insert(keys.authenticated(row), on: db) }
        }
        return (execution.id, rows.map(\.id))
    }

    @Test("what ended longer ago than the period goes with its records, in as many steps as it takes; what is younger stays")
    func prune() async throws {
        let yard = try TestYard()
        let old = try Self.addExecution(yard, records: Array(repeating: .success, count: 950))
        for _ in 0..<250 { _ = try Self.addExecution(yard) }
        yard.setClock(20 * Self.day)
        let young = try Self.addExecution(yard)
        yard.setClock(30 * Self.day + 1)
        #expect(try await Self.retention(yard, days: 40).prune() == 0)
        #expect(try await Self.retention(yard).prune() == 251)
        #expect(try yard.executions().map(\.id) == [young.id])
        #expect(try yard.records().map(\.id) == young.records && yard.records(of: old.id).isEmpty)
        #expect(try await Self.retention(yard).prune() == 0)
        // The ledger of rows knows of it: nothing looks as if somebody had taken it away.
        try yard.keyring.checkRows(.all)
    }

    @Test("what is open, and the last run of a task, stay however old they are")
    func kept() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", TaskOrder(kind: .changeSecret, accounts: ["a"]))
        let (waiting, running) = (
            try Self.addExecution(yard, status: .pending, records: []), try Self.addExecution(yard, status: .running)
        )
        let unwritten = try Self.addExecution(yard, status: .error, records: [.success, .pending])
        let last = try Self.addExecution(yard, of: task.id)
        let earlier = try Self.addExecution(yard, of: task.id)
        try yard.database.writeSync { db in
            var state = try TaskStates.get(task.id, in: .default, on: db) ?? TaskState(task: task.id, organization: .default)
            state.lastExecution = last.id
            try TaskStates.put(state, on: db)
        }
        yard.setClock(1000 * Self.day)
        #expect(try await Self.retention(yard).prune() == 1)
        #expect(try Set(yard.executions().map(\.id)) == [waiting.id, running.id, unwritten.id, last.id])
        #expect(try yard.records(of: earlier.id).isEmpty && yard.records(of: unwritten.id).count == 2)
    }

    @Test("a record whose change is open stays with its execution, until the change is settled")
    func openChange() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        let execution = try Self.addExecution(yard, status: .failed, records: [.uncertain, .success])
        let keys = try yard.keys.keys()
        let change: ChangeID = execution.records[0].retyped()
        try yard.database.writeSync { db in
            let account = try keys.verified(Accounts.all(of: host, in: .default, on: db)).first { $0.username == "a" }
            guard let account else { return }
            var memory = SecretTurn.Memory()
            memory.candidate = 2
            let open = OpenChange(
                id: change, organization: .default, account: account.id, asset: host, identity: [1], kind: .change,
                plan: .init(isGenerated: true, checksConnection: true),
                request: .init(
                    username: "a", secretType: .password, keyStrategy: "set", parameters: [:], worker: account.id), old: 1,
                startedBy: "test", dateOpened: TestYard.start, stage: .uncertain, memory: memory, dateUpdated: TestYard.start)
            try SecretChanges.insert(keys.authenticated(open), on: db)
        }
        yard.setClock(1000 * Self.day)
        #expect(try await Self.retention(yard).prune() == 0)
        #expect(try yard.records(of: execution.id).count == 2)
        try yard.database.writeSync { db in _ = try SecretChanges.delete(change, in: .default, on: db) }
        #expect(try await Self.retention(yard).prune() == 1)
    }

    @Test("whoever can write the database cannot have what it tells forgotten before its time")
    func forged() async throws {
        let yard = try TestYard()
        let execution = try Self.addExecution(yard)
        yard.setClock(60)
        try yard.database.writeSync { db in
            _ = try db.execute("UPDATE executions SET date_finished = 1", [])
        }
        #expect(try await Self.retention(yard).prune() == 0)
        try yard.database.writeSync { db in _ = try db.execute("UPDATE executions SET date_created = 1", []) }
        #expect(try await Self.retention(yard).prune() == 0)
        #expect(try yard.records(of: execution.id).count == 1)
    }

    @Test("however many cannot be forgotten, since their rows are damaged, what is behind them is")
    func behind() async throws {
        let yard = try TestYard()
        for _ in 0..<450 { _ = try Self.addExecution(yard, records: []) }
        try yard.database.writeSync { db in
            _ = try db.execute("UPDATE executions SET date_created = date_created - 1", [])
            // One that cannot even be read.
            _ = try db.execute("UPDATE executions SET what = 'nonsense' WHERE id IN (SELECT id FROM executions LIMIT 1)", [])
        }
        yard.setClock(60)
        for _ in 0..<3 { _ = try Self.addExecution(yard) }
        yard.setClock(1000 * Self.day)
        #expect(try await Self.retention(yard).prune() == 3)
        #expect(try await Self.retention(yard).prune() == 0)
        let left = try yard.database.readSync { db in try db.integer("SELECT COUNT(*) FROM executions") }
        #expect(left == 450)
    }

    @Test("a sealed vault forgets nothing")
    func sealed() async throws {
        let yard = try TestYard()
        _ = try Self.addExecution(yard)
        yard.setClock(1000 * Self.day)
        yard.keyring.seal()
        #expect(try await Self.retention(yard).prune() == 0)
        try yard.keyring.unseal(with: yard.keyFile)
        #expect(try await Self.retention(yard).prune() == 1)
    }
}
