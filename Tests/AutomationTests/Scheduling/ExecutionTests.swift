import Access
import Audit
import Automation
import Domain
import Sealing
import Storage
import Synchronization
import Testing

@Suite("Executions")
struct ExecutionTests {
    private static let all = TaskOrder(kind: .changeSecret, accounts: [TaskOrder.allAccounts])

    private static func order(_ assets: [AssetID]) -> TaskOrder {
        var order = all
        order.assets = assets.sorted()
        return order
    }

    @Test("every account gets its record, the refused ones their reason, and the result goes to the outbox once")
    func records() async throws {
        let yard = try TestYard()
        let hosts = [try yard.addHost("web-1", accounts: ["deploy", "root"]), try yard.addHost("web-2", accounts: ["deploy"])]
        let bare = try yard.addHost("web-3", accounts: ["deploy"], isAdministered: false)
        let task = try yard.addTask("all", Self.order(hosts + [bare]), recipients: ["ops@example.org"])
        let execution = try await yard.addExecution(of: task)
        let ended = try await yard.whileExecuting { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .success)
        #expect(ended.progress == Execution.Progress(total: 6, done: 6))
        let records = try yard.records(of: execution.id)
        #expect(records.filter { $0.status == .success }.map(\.username) == ["deploy", "deploy"])
        #expect(Set(records.compactMap(\.reason)) == [.privileged, .reservedName, .noWorker])
        let done = try #require(records.first { $0.status == .success })
        #expect(done.oldVersion == 1 && done.newVersion == 2 && done.dateStart != nil && done.dateFinished != nil)
        let sent = yard.outbox.sent.withLock { $0 }
        #expect(sent.map(\.recipients) == [["ops@example.org"]])
        #expect(sent.first?.result.counts == [.success: 2, .skipped: 4])
        // In the name of who asked for it.
        #expect(yard.work.seen.withLock { $0.actors }.allSatisfy { $0.name == "admin" })
    }

    @Test("one account that goes wrong makes the execution fail, and the others go on", arguments: Record.Status.allCases)
    func outcomes(status: Record.Status) async throws {
        guard status != .pending else { return }
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("web-1", accounts: ["a", "b", "c"])]))
        yard.work.set {
            $0.username == "b" ? WorkReport(status, reason: .timedOut, detail: "slow\u{7}\u{1B}[31m") : WorkReport(.success)
        }
        let execution = try await yard.addExecution(of: task)
        let ended = try await yard.whileExecuting { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == (status == .success || status == .skipped ? .success : .failed))
        let records = try yard.records(of: execution.id)
        #expect(records.first { $0.username == "b" }?.status == status)
        #expect(records.first { $0.username == "b" }?.detail.utf8.allSatisfy { $0 >= 0x20 } == true)
        #expect(records.filter { $0.username != "b" && $0.username != "admin" }.allSatisfy { $0.status == .success })
    }

    @Test("the key-encryption key may be replaced while an execution's records are being written")
    func rekeyed() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("web-1", accounts: ["a", "b"])]))
        let execution = try await yard.addExecution(of: task)
        // Asked for the second time between the plan and the records.
        let asked = Atomic(0)
        let clock = WallClock { [keyring = yard.keyring, keyFile = yard.keyFile] in
            if asked.add(1, ordering: .relaxed).newValue == 2 {
                do {
                    _ = try Rekey(keyring, openedBy: keyFile, grace: .zero).run(marking: .random())
                } catch { Issue.record(error) }
            }
            return TestYard.start
        }
        let desk = TaskDesk(yard.parts(clock: clock))
        let running = Task { try await desk.runExecutions() }
        desk.submit(execution)
        let ended = try await yard.end(of: execution.id)
        running.cancel()
        _ = try? await running.value
        #expect(asked.load(ordering: .relaxed) > 2)
        #expect(ended.status == .success && ended.progress == Execution.Progress(total: 3, done: 3), "\(ended.reason)")
        #expect(try yard.records(of: execution.id).count == 3)
    }

    @Test("no more is under way than the limits allow: in all, and at one host")
    func limits() async throws {
        let yard = try TestYard()
        let hosts = try (0..<6).map { try yard.addHost("h\($0)", accounts: ["a", "b", "c", "d"]) }
        let task = try yard.addTask("t", Self.order(hosts))
        yard.work.set { _ in
            // However slow all else is: as long as no two were at work at once, one waits for another.
            for _ in 0..<6000 where yard.work.seen.withLock({ $0.mostAtOnce }) < 2 {
                try? await Task.sleep(for: .milliseconds(10))
            }
            try? await Task.sleep(for: .milliseconds(5))
            return WorkReport(.success)
        }
        let execution = try await yard.addExecution(of: task)
        let limits = WorkLimits(executions: 2, overall: 4, perGateway: 4, perHost: 1)
        _ = try await yard.whileExecuting(limits) { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        let seen = yard.work.seen.withLock { $0 }
        #expect(seen.performed.count == 24)
        #expect(seen.mostAtOneHost == 1)
        #expect((2...4).contains(seen.mostAtOnce))
    }

    @Test("a canceled execution finishes what is under way and begins no more")
    func cancel() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("h", accounts: ["a", "b", "c", "d"])]))
        let execution = try await yard.addExecution(of: task)
        let ended = try await yard.whileExecuting { desk in
            yard.work.set { order in
                // Whoever cancels does it in the middle of the first account.
                _ = desk.cancel(execution.id)
                return WorkReport(.success)
            }
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .canceled)
        let records = try yard.records(of: execution.id)
        #expect(records.filter { $0.status == .success }.count == 1)
        #expect(records.filter { $0.reason == .canceled }.count == 3)
        #expect(records.allSatisfy { $0.status != .pending })
    }

    @Test("a task does not run twice at the same time, and what the plan finds nothing for succeeds with a word")
    func overlap() async throws {
        let yard = try TestYard()
        let task = try yard.addTask(
            "t", TaskOrder(kind: .changeSecret, accounts: ["nobody"], assets: [try yard.addHost("h", accounts: [])]))
        let execution = try await yard.addExecution(of: task)
        await #expect(throws: Refusal.self) { try await yard.addExecution(of: task) }
        let ended = try await yard.whileExecuting { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .success && ended.reason.contains("Nothing to do"))
        _ = try await yard.addExecution(of: task)
    }

    @Test("what a crash left running is closed at the next start: begun accounts are settled, the others untouched")
    func crash() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a", "b"])
        let task = try yard.addTask("t", Self.order([host]), recipients: ["ops@example.org"])
        var running = try await yard.addExecution(of: task)
        let waiting = try await yard.addExecution(of: try yard.addTask("u", Self.order([host])))
        running.status = .running
        running.dateStart = TestYard.start
        let begun = Self.record("a", of: running, on: host, start: TestYard.start)
        let untouched = Self.record("b", of: running, on: host, start: nil)
        let (keys, row) = (try yard.keys.keys(), running)
        try yard.database.writeSync { db in
            _ = try Executions.update(keys.authenticated(row), on: db)
            for record in [begun, untouched] { try Records.insert(keys.authenticated(record), on: db) }
        }
        let (closed, done) = try await yard.whileExecuting { _ in
            (try await yard.end(of: row.id), try await yard.end(of: waiting.id))
        }
        #expect(closed.status == .error && closed.reason == Record.Reason.interrupted.words)
        let records = try yard.records(of: running.id)
        #expect(records.first { $0.username == "a" }?.status == .uncertain)
        #expect(records.first { $0.username == "b" }.map { $0.status == .skipped && $0.reason == .interrupted } == true)
        #expect(yard.work.seen.withLock { $0.settled.map(\.username) } == ["a"])
        #expect(yard.work.seen.withLock { $0.actors }.contains(.system("settlement")))
        // What had only been asked for is done.
        #expect(done.status == .success)
        #expect(yard.outbox.sent.withLock { $0.count } == 2)
    }

    @Test("pieces of one work that check and make rows with the same keys at once find every sound row sound")
    func keysAtOnce() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        let execution = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        let keys = try yard.keys.keys()
        let refused = await withTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                let record = Self.record("a\(number)", of: execution, on: host, start: nil)
                group.addTask {
                    (0..<3000).filter { _ in (try? keys.verified(keys.authenticated(record))) == nil }.count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(refused == 0)
    }

    @Test("a record that could not be closed when its execution ended is settled at the next start")
    func unsettled() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        var over = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        (over.status, over.reason, over.dateFinished) = (.error, "Some records are still open.", TestYard.start)
        let (keys, row, begun) = (try yard.keys.keys(), over, Self.record("a", of: over, on: host, start: TestYard.start))
        try yard.database.writeSync { db in
            _ = try Executions.update(keys.authenticated(row), on: db)
            try Records.insert(keys.authenticated(begun), on: db)
        }
        let next = try await yard.addExecution(of: try yard.addTask("u", Self.order([host])))
        _ = try await yard.whileExecuting { _ in try await yard.end(of: next.id) }
        #expect(try yard.records(of: over.id).map(\.status) == [.uncertain])
        #expect(try yard.execution(over.id).reason == over.reason)
    }

    @Test("an execution under which the vault was sealed is settled when it is opened again, and its task can run again")
    func sealedMeanwhile() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("h", accounts: ["a", "b"])]))
        let execution = try await yard.addExecution(of: task)
        yard.work.set { _ in
            yard.keyring.seal()
            return WorkReport(.success)
        }
        // It is opened again only when the execution waits for that.
        let isOpened = Mutex(false)
        let pause = Pause { _ in
            try yard.keyring.unseal(with: yard.keyFile)
            isOpened.withLock { $0 = true }
        }
        let ended = try await yard.whileExecuting(pause: pause) { desk in
            desk.submit(execution)
            for _ in 0..<3000 where !isOpened.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .error)
        #expect(try yard.records(of: execution.id).allSatisfy { $0.status != .pending })
        #expect(yard.work.seen.withLock { $0.settled.count } == 1)
        _ = try await yard.addExecution(of: task)
    }

    @Test("an execution that was not begun when the vault was sealed is carried out when it is open again")
    func begunLater() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("h", accounts: ["a"])]))
        let execution = try await yard.addExecution(of: task)
        // The first to ask for the time is the execution that begins.
        let asked = Atomic(0)
        let pauses = Atomic(0)
        let clock = WallClock { [keyring = yard.keyring] in
            if asked.add(1, ordering: .relaxed).newValue == 1 { keyring.seal() }
            return TestYard.start
        }
        let pause = Pause { [keyring = yard.keyring, keyFile = yard.keyFile] _ in
            if pauses.add(1, ordering: .relaxed).newValue == 2 { try keyring.unseal(with: keyFile) }
        }
        let desk = TaskDesk(yard.parts(pause: pause, clock: clock))
        let running = Task { try await desk.runExecutions() }
        desk.submit(execution)
        for _ in 0..<3000 where pauses.load(ordering: .relaxed) < 2 || yard.keyring.isSealed {
            try await Task.sleep(for: .milliseconds(10))
        }
        let ended = try await yard.end(of: execution.id)
        running.cancel()
        _ = try? await running.value
        #expect(ended.status == .success, "\(ended.reason)")
        #expect(yard.work.seen.withLock { $0.performed.count } == 1)
    }

    @Test("an execution does not end while a record is open: one that could not be closed is settled first")
    func openRecord() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("h", accounts: ["a", "b"])]))
        let execution = try await yard.addExecution(of: task)
        // One at a time: what cannot be written of the first can be again when the second is done.
        try yard.database.writeSync { db in
            try db.execute(
                """
                CREATE TRIGGER refuse BEFORE UPDATE ON records WHEN NEW.status = 'success'
                BEGIN SELECT RAISE(ABORT, 'no'); END
                """, [])
        }
        let isSecond = Mutex(false)
        yard.work.set { _ in
            let drop = isSecond.withLock { second in
                defer { second = true }
                return second
            }
            if drop { _ = try? yard.database.writeSync { db in try db.execute("DROP TRIGGER refuse", []) } }
            return WorkReport(.success)
        }
        let ended = try await yard.whileExecuting { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .error && ended.reason.contains("written down"))
        let records = try yard.records(of: execution.id)
        #expect(Set(records.filter { $0.username != "admin" }.map(\.status)) == [.success, .uncertain])
        #expect(yard.work.seen.withLock { $0.settled.count } == 1)
    }

    @Test("records that cannot be settled yet keep their execution open, and the next try settles them, however many there are")
    func unsettleable() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        var running = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        running.status = .running
        let (keys, row) = (try yard.keys.keys(), running)
        try yard.database.writeSync { db in
            _ = try Executions.update(keys.authenticated(row), on: db)
            for number in 0..<500 {
                try Records.insert(
                    keys.authenticated(Self.record("a\(number)", of: row, on: host, start: TestYard.start)), on: db)
            }
        }
        // Nothing can be announced, so nothing is done.
        try yard.auditDatabase.writeSync { db in
            try db.execute("CREATE TRIGGER refuse BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END", [])
        }
        let waited = Mutex(0)
        let pause = Pause { _ in
            #expect(yard.work.seen.withLock { $0.settled.isEmpty })
            #expect(try yard.execution(row.id).status == .running)
            #expect(try yard.records(of: row.id).allSatisfy { $0.status == .pending })
            waited.withLock { $0 += 1 }
            try yard.auditDatabase.writeSync { db in _ = try db.execute("DROP TRIGGER IF EXISTS refuse", []) }
        }
        let ended = try await yard.whileExecuting(pause: pause) { _ in try await yard.end(of: row.id) }
        #expect(ended.status == .error && waited.withLock { $0 } == 1)
        #expect(try yard.records(of: row.id).allSatisfy { $0.status == .uncertain })
        #expect(yard.work.seen.withLock { $0.settled.count } == 500)
    }

    @Test("at a start, an execution or a record that cannot be read takes none of the others with it, and is counted")
    func unreadable() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        let lost = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        var running = try await yard.addExecution(of: try yard.addTask("u", Self.order([host])))
        let waiting = try await yard.addExecution(of: try yard.addTask("v", Self.order([host])))
        var over = try await yard.addExecution(of: try yard.addTask("w", Self.order([host])))
        (running.status, over.status) = (.running, .error)
        let rows = [
            Self.record("a", of: running, on: host, start: TestYard.start),
            Self.record("b", of: running, on: host, start: TestYard.start),
            Self.record("c", of: over, on: host, start: TestYard.start),
            Self.record("d", of: over, on: host, start: TestYard.start),
        ]
        let (keys, ended, stopped) = (try yard.keys.keys(), [running, over], running.id)
        try yard.database.writeSync { db in
            for row in ended { _ = try Executions.update(keys.authenticated(row), on: db) }
            for row in rows { try Records.insert(keys.authenticated(row), on: db) }
            _ = try db.execute("UPDATE executions SET what = 'nonsense' WHERE id = ?", [.id(lost.id)])
            _ = try db.execute("UPDATE records SET steps = x'07' WHERE username IN ('b', 'd')", [])
            // Whom to tell of an execution stands in its task.
            _ = try db.execute("UPDATE tasks SET what = 'nonsense' WHERE name = 'u'", [])
        }
        try await yard.whileExecuting { desk in
            #expect(try await yard.end(of: stopped).status == .error)
            #expect(try await yard.end(of: waiting.id).status == .success)
            for _ in 0..<6000 where yard.work.seen.withLock({ $0.settled.count }) < 2 {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await desk.review()
        }
        #expect(yard.work.seen.withLock { Set($0.settled.map(\.username)) } == ["a", "c"])
        #expect(yard.meter.damagedNow == 1)
    }

    private static func record(_ name: String, of execution: Execution, on asset: AssetID, start: Timestamp?) -> Record {
        Record(
            id: .random(), organization: .default, execution: execution.id, kind: .changeSecret, asset: asset, assetName: "h",
            account: .random(), username: name, secretType: .password, dateCreated: TestYard.start, dateStart: start)
    }

    @Test("an execution whose row was changed behind the server's back is not carried out")
    func forged() async throws {
        let yard = try TestYard()
        let task = try yard.addTask("t", Self.order([try yard.addHost("h", accounts: ["a"])]))
        let execution = try await yard.addExecution(of: task)
        try yard.database.writeSync { db in
            _ = try db.execute("UPDATE executions SET what = replace(what, '@ALL', 'root')", [])
        }
        try await yard.whileExecuting { desk in
            desk.submit(execution)
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(yard.work.seen.withLock { $0.performed.isEmpty })
    }

    @Test("a report is written once: whoever comes second changes nothing")
    func closing() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        let execution = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        let record = Self.record("a", of: execution, on: host, start: TestYard.start)
        let keys = try yard.keys.keys()
        try yard.database.writeSync { db in
            try Records.insert(keys.authenticated(record), on: db)
            let report = WorkReport(.success, newVersion: 2)
            #expect(try RecordClosing.close(record.id, in: .default, with: report, at: TestYard.start, keys: keys, on: db))
            let second = WorkReport(.failed, reason: .cut)
            #expect(try !RecordClosing.close(record.id, in: .default, with: second, at: TestYard.start, keys: keys, on: db))
        }
        #expect(try yard.records().map(\.status) == [.success])
        #expect(try yard.execution(execution.id).progress.done == 1)
    }

    @Test("what a change comes to later is told in its record too, and counts once")
    func telling() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a"])
        let execution = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        let record = Self.record("a", of: execution, on: host, start: TestYard.start)
        let keys = try yard.keys.keys()
        let step = Record.Step(.install, date: TestYard.start)
        try yard.database.writeSync { db in
            try Records.insert(keys.authenticated(record), on: db)
            for report in [
                WorkReport(.uncertain, reason: .doubt, steps: [step]),
                WorkReport(
                    .success, newVersion: 2, steps: [step, Record.Step(.verify, words: "in\u{1B}", date: TestYard.start)]),
            ] {
                try RecordClosing.tell(record.id, in: .default, of: report, at: TestYard.start, keys: keys, on: db)
            }
        }
        let stored = try #require(try yard.records().first)
        #expect(stored.status == .success && stored.reason == nil && stored.steps.map(\.step) == [.install, .verify])
        #expect(stored.steps.map(\.words) == ["", "in"])
        #expect(try yard.execution(execution.id).progress.done == 1)
    }

    @Test("a record that could not be written when its execution ended is settled at the next start")
    func leftOpen() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a", "b"])
        var over = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        over.status = .error
        let (begun, untouched) = (
            Self.record("a", of: over, on: host, start: TestYard.start), Self.record("b", of: over, on: host, start: nil)
        )
        let (keys, row) = (try yard.keys.keys(), over)
        try yard.database.writeSync { db in
            _ = try Executions.update(keys.authenticated(row), on: db)
            for record in [begun, untouched] { try Records.insert(keys.authenticated(record), on: db) }
        }
        try await yard.whileExecuting { _ in
            for _ in 0..<6000 where try yard.records().contains(where: { $0.status == .pending }) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(try yard.records().first { $0.id == begun.id }?.status == .uncertain)
        #expect(try yard.records().first { $0.id == untouched.id }?.status == .skipped)
        #expect(yard.work.seen.withLock { $0.settled.map(\.username) } == ["a"])
    }

    @Test("each account stands in the audit by what is done to it, with its true outcome")
    func audited() async throws {
        let yard = try TestYard()
        let host = try yard.addHost("h", accounts: ["a", "b"])
        yard.work.set { $0.username == "a" ? WorkReport(.success, newVersion: 2) : WorkReport(.failed, reason: .cut) }
        let execution = try await yard.addExecution(of: try yard.addTask("t", Self.order([host])))
        try await yard.whileExecuting { desk in
            desk.submit(execution)
            _ = try await yard.end(of: execution.id)
        }
        let entries = try await yard.audit.list(AuditQuery()).records.map(\.entry)
        let turned = entries.filter { $0.action == AuditAction(.rotateAccount) && $0.phase == .outcome }
        #expect(Set(turned.map(\.outcome)) == [.granted, .failed] && turned.count == 2)
        #expect(turned.first { $0.outcome == .failed }?.reason == "failed: cut")
    }
}
