import Access
import Audit
import Automation
import Domain
import Foundation
import Sealing
import Storage
import Synchronization
import Testing

@Suite("Scheduler")
struct SchedulerTests {
    private static let order = TaskOrder(kind: .changeSecret, accounts: [TaskOrder.allAccounts])
    private static let hour: Int64 = 3600

    private static func hourly(missed: TaskSchedule.Missed = .catchUp, jitter: Int64 = 0) -> TaskTiming {
        TaskTiming(isPeriodic: true, interval: 1, start: TestYard.start, missed: missed, jitter: jitter, since: TestYard.start)
    }

    @Test("a task starts when its time has come, once, under the scheduler's own name, and is planned again")
    func due() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order, timing: Self.hourly())
        try yard.addTask("by hand", Self.order)
        let desk = TaskDesk(yard.parts())
        #expect(try yard.state(of: task)?.begins == TestYard.start.adding(seconds: Self.hour))
        yard.setClock(Self.hour - 1)
        #expect(try await desk.startDue() == 0)
        yard.setClock(Self.hour)
        #expect(try await desk.startDue() == 1)
        #expect(try await desk.startDue() == 0)
        let execution = try #require(try yard.executions().first)
        #expect(execution.trigger == .timing && execution.task == task.id && execution.author.name == "scheduler")
        let state = try #require(try yard.state(of: task))
        #expect(state.begins == TestYard.start.adding(seconds: 2 * Self.hour))
        #expect(state.lastExecution == execution.id && state.lastRun == yard.now)
        let actions = try yard.auditDatabase.readSync { db in
            try AuditEntries.page(after: 0, limit: 100, db).map(\.columns.action)
        }
        #expect(actions.filter { $0 == "automation.run" }.count == 2)
    }

    @Test("however many runs were missed, one is made up for, or none where the task says so")
    func missed() async throws {
        let yard = try TestYard()
        let catching = try yard.addTask("c", Self.order, timing: Self.hourly(missed: .catchUp))
        let skipping = try yard.addTask("s", Self.order, timing: Self.hourly(missed: .skip))
        let desk = TaskDesk(yard.parts())
        yard.setClock(10 * Self.hour + 1800)
        #expect(try await desk.startDue() == 1)
        #expect(try yard.executions().map(\.task) == [catching.id])
        for task in [catching, skipping] {
            #expect(try yard.state(of: task)?.begins == TestYard.start.adding(seconds: 11 * Self.hour))
        }
        // Within the patience, a late run is a run.
        yard.setClock(11 * Self.hour + 60)
        try yard.finishAll()
        #expect(try await desk.startDue() == 2)
    }

    @Test("a task that is still running waits, and is started as soon as it has ended")
    func overlap() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order, timing: Self.hourly())
        let desk = TaskDesk(yard.parts())
        _ = try await yard.addExecution(of: task)
        yard.setClock(Self.hour)
        #expect(try await desk.startDue() == 0)
        #expect(try yard.state(of: task)?.begins == TestYard.start.adding(seconds: Self.hour))
        try yard.finishAll()
        yard.setClock(Self.hour + 900)
        #expect(try await desk.startDue() == 1)
    }

    @Test("a task that was switched off, or whose row was changed behind the server's back, is not started")
    func refused() async throws {
        let yard = try TestYard()
        var off = try yard.addTask("off", Self.order, timing: Self.hourly())
        let forged = try yard.addTask("forged", Self.order, timing: Self.hourly())
        off.isActive = false
        let (keys, row) = (try yard.keys.keys(), off)
        try yard.database.writeSync { db in
            _ = try AutomationTasks.update(keys.authenticated(row), on: db)
            _ = try db.execute("UPDATE tasks SET what = replace(what, '@ALL', 'root') WHERE name = 'forged'", [])
        }
        yard.setClock(Self.hour)
        #expect(try await TaskDesk(yard.parts()).startDue() == 0)
        #expect(try yard.executions().isEmpty)
        #expect(try yard.state(of: off)?.begins == nil)
        #expect(try yard.state(of: forged)?.begins != nil)
    }

    @Test("a lost or bent plan is put right, and what is overdue is counted whatever was planned")
    func review() async throws {
        let yard = try TestYard()
        let lost = try yard.addTask("lost", Self.order, timing: Self.hourly())
        let bent = try yard.addTask("bent", Self.order, timing: Self.hourly())
        let desk = TaskDesk(yard.parts())
        try yard.database.writeSync { db in
            _ = try db.execute("DELETE FROM task_states WHERE task_id = ?", [.id(lost.id)])
            _ = try db.execute("UPDATE task_states SET date_begins = 9000000000000, date_planned = 9000000000000", [])
        }
        yard.setClock(2 * Self.hour + 301)
        try await desk.review()
        #expect(desk.meter.overdueNow == 2)
        for task in [lost, bent] {
            #expect(try yard.state(of: task)?.begins == TestYard.start.adding(seconds: 3 * Self.hour))
        }
        yard.setClock(3 * Self.hour)
        #expect(try await desk.startDue() == 2)
        try await desk.review()
        #expect(desk.meter.overdueNow == 0)
    }

    @Test("accounts are counted as uncertain until a later execution knows more")
    func uncertain() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        var order = Self.order
        order.assets = [host]
        let task = try yard.addTask("t", order)
        for (status, expected) in [(Record.Status.uncertain, Int64(1)), (.uncertain, 1), (.success, 0)] {
            yard.setClock(yard.now.seconds - TestYard.start.seconds + 10)
            yard.work.set { _ in WorkReport(status) }
            let execution = try await yard.addExecution(of: task)
            try await yard.whileExecuting { desk in
                desk.submit(execution)
                _ = try await yard.end(of: execution.id)
                try await desk.review()
            }
            #expect(yard.meter.uncertainNow == expected)
        }
    }

    @Test("a clock that was years ahead and was put back leaves no task unplanned")
    func clockPutBack() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order, timing: Self.hourly())
        let years: Int64 = 10 * 365 * 86_400
        yard.setClock(years)
        let desk = TaskDesk(yard.parts(pause: Pause { _ in try await Task.sleep(for: .milliseconds(5)) }))
        let running = Task { try await desk.runSchedule() }
        for _ in 0..<3000 where try yard.executions().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try yard.executions().count == 1)
        try yard.finishAll()
        yard.setClock(60)
        let first = TestYard.start.adding(seconds: Self.hour)
        for _ in 0..<3000 where try yard.state(of: task)?.begins != first { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try yard.state(of: task)?.begins == first)
        yard.setClock(Self.hour)
        for _ in 0..<3000 where try yard.executions().count < 2 { try await Task.sleep(for: .milliseconds(10)) }
        running.cancel()
        _ = try? await running.value
        #expect(try yard.executions().count == 2)
    }

    @Test("what is due is started while the scheduler runs, and nothing while the vault is sealed")
    func running() async throws {
        let yard = try TestYard()
        try yard.addTask("t", Self.order, timing: Self.hourly())
        yard.setClock(Self.hour)
        yard.keyring.seal()
        let desk = TaskDesk(yard.parts(pause: Pause { _ in try await Task.sleep(for: .milliseconds(5)) }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await desk.runSchedule() }
            try await Task.sleep(for: .milliseconds(50))
            #expect(try yard.database.readSync { db in try Executions.open(limit: 10, on: db).isEmpty })
            try yard.keyring.unseal(with: yard.keyFile)
            for _ in 0..<6000 where try yard.executions().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
        #expect(try yard.executions().count == 1)
    }

    @Test(
        "a task whose row cannot be read is counted and left out; all others are started, also those of the pages after it",
        arguments: [
            "UPDATE tasks SET what = 'nonsense' WHERE name = 'task 3'", "UPDATE tasks SET missed = '?' WHERE name = 'task 3'",
            "UPDATE tasks SET recipients = x'07' WHERE name = 'task 3'", "UPDATE tasks SET is_active = 7 WHERE name = 'task 3'",
            "UPDATE task_states SET org_id = x'01' WHERE task_id IN (SELECT id FROM tasks WHERE name = 'task 3')",
            "UPDATE task_states SET last_execution_id = x'01' WHERE task_id IN (SELECT id FROM tasks WHERE name = 'task 3')",
            "UPDATE tasks SET what = replace(what, '@ALL', 'root') WHERE name = 'task 3'",
        ] as [StaticString])
    func damaged(statement: StaticString) async throws {
        let yard = try TestYard()
        try yard.addTasks(600, Self.order, timing: Self.hourly())
        try yard.database.writeSync { db in _ = try db.execute(statement, []) }
        yard.setClock(Self.hour)
        let desk = TaskDesk(yard.parts())
        #expect(try await desk.startDue() == 599, "\(statement)")
        #expect(try await desk.startDue() == 0)
        try await desk.review()
        // What is switched off by its damage is no periodic task any more.
        #expect(desk.meter.damagedNow == ("\(statement)".contains("is_active") ? 0 : 1), "\(statement)")
        try yard.finishAll()
        yard.setClock(2 * Self.hour)
        #expect(try await desk.startDue() == 599)
    }

    @Test("an execution that is stored is carried out, though the audit could not take how the start ended")
    func unwritten() async throws {
        let yard = try TestYard()
        try yard.addTask("t", Self.order, timing: Self.hourly())
        yard.setClock(Self.hour)
        try yard.auditDatabase.writeSync { db in
            _ = try db.execute(
                """
                CREATE TRIGGER broken BEFORE INSERT ON audit_entries WHEN NEW.outcome = 'granted' AND NEW.action = 'automation.run'
                BEGIN SELECT RAISE(ABORT, 'broken'); END
                """)
        }
        let submitted = Mutex<[ExecutionID]>([])
        let scheduler = Scheduler(yard.parts()) { id, _ in submitted.withLock { $0.append(id) } }
        #expect(try await scheduler.startDue() == 0)
        #expect(try submitted.withLock { $0 } == yard.executions().map(\.id))
        #expect(submitted.withLock { $0.count } == 1)
    }

    @Test("one task of which nothing can be stored keeps none of the others waiting, and is tried again a little later")
    func apart() async throws {
        let yard = try TestYard()
        try yard.addTasks(100, Self.order, timing: Self.hourly())
        try yard.database.writeSync { db in
            _ = try db.execute(
                """
                CREATE TRIGGER broken BEFORE INSERT ON executions WHEN NEW.task_name = 'task 7'
                BEGIN SELECT RAISE(ABORT, 'broken'); END
                """)
        }
        yard.setClock(Self.hour)
        let submitted = Mutex<Set<ExecutionID>>([])
        let scheduler = Scheduler(yard.parts()) { id, _ in submitted.withLock { _ = $0.insert(id) } }
        #expect(try await scheduler.startDue() == 99)
        #expect(try submitted.withLock { $0 } == Set(yard.executions().map(\.id)))
        // Each try stands in the audit, so it is not made with every look.
        let written = try await yard.audit.list(AuditQuery()).records.count
        #expect(try await scheduler.startDue() == 0)
        #expect(try await yard.audit.list(AuditQuery()).records.count == written)
        try yard.database.writeSync { db in _ = try db.execute("DROP TRIGGER broken") }
        yard.setClock(Self.hour + 61)
        #expect(try await scheduler.startDue() == 1)
        #expect(try yard.executions().count == 100)
    }

    @Test("an execution that waits and that nobody was told of is taken up by the next review, and done once")
    func takenUp() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        var order = Self.order
        order.assets = [host]
        let (first, second) = (try yard.addTask("t", order), try yard.addTask("u", order))
        try await yard.whileExecuting { desk in
            let one = try await yard.addExecution(of: first)
            desk.submit(one)
            _ = try await yard.end(of: one.id)
            let other = try await yard.addExecution(of: second)
            for _ in 0..<3 { try await desk.review() }
            #expect(try await yard.end(of: other.id).status == .success)
            try await desk.review()
        }
        #expect(yard.work.seen.withLock { $0.performed.count } == 2)
    }

    /// With KEYTURN_BENCH the number is ten thousand, and the time it took is told (the aim is a second).
    @Test("ten thousand due tasks are all started in one look")
    func many() async throws {
        let count = ProcessInfo.processInfo.environment["KEYTURN_BENCH"] == nil ? 500 : 10_000
        let yard = try TestYard()
        try yard.addTasks(count, Self.order, timing: Self.hourly())
        yard.setClock(Self.hour)
        let desk = TaskDesk(yard.parts())
        let start = ContinuousClock.now
        #expect(try await desk.startDue() == count)
        let time = ContinuousClock.now - start
        if count == 10_000 { print("\(count) due tasks were started in \(time)") }
        #expect(try yard.executions().count == count)
    }
}
