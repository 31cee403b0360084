import Access
import Audit
import Automation
import Connectors
import Dispatch
import Domain
import Logging
import Notifications
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// What stands between an open change and its end besides the target: limits, other changes, what is told of it.
@Suite("Settling among others")
struct ManyDoubtsTests {
    /// A shop in which some accounts of the one asset are in doubt, each applied and unproved.
    static func doubts(_ count: UInt64) async throws -> (shop: Workshop, accounts: [Account]) {
        let shop = try Workshop()
        let accounts = (0..<count).map { Workshop.account(10 + $0, on: shop.asset, name: "app\($0)") }
        for account in accounts { try await leaveInDoubt(account, shop) }
        shop.clock.advance(seconds: 3600)
        return (shop, accounts)
    }

    /// Adds an account and has its change applied, and left without a proof.
    private static func leaveInDoubt(_ account: Account, _ shop: Workshop) async throws {
        try shop.add(account, secret: "old")
        shop.target.with { state in
            state.live[account.username] = Array("old".utf8)
            state.tricks = [.appliedThenCut]
            state.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
        }
        let report = await shop.turning.turn(account.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .uncertain)
    }

    static func isOpen(_ account: Account, _ shop: Workshop) async throws -> Bool {
        try await shop.database.read { try SecretChanges.found(of: account.id, in: .default, on: $0) } != nil
    }

    // MARK: - Limits

    @Test("no more changes of one host are settled at the same time than may be worked on there")
    func perHost() async throws {
        let (shop, _) = try await Self.doubts(6)
        shop.target.with {
            $0.slowness = 20_000
            $0.mostAtOnce = 0
        }
        let slots = WorkSlots(WorkLimits(perHost: 1))
        let reports = try await Settlement(shop.turning, slots: slots, perHost: 1).pass()
        #expect(reports.count == 6 && reports.allSatisfy { $0.outcome.status == .success }, "\(reports.map(\.outcome))")
        #expect(shop.target.snapshot.mostAtOnce == 1)
    }

    @Test("a host that an execution works on is not settled at the same time")
    func sharedWithExecutions() async throws {
        let (shop, _) = try await Self.doubts(1)
        let slots = WorkSlots(WorkLimits(perHost: 1))
        let isBusy = Mutex(true)
        let wasBusy = Mutex(false)
        let before = shop.target.snapshot.workerLogins
        async let work: Void = slots.run(at: WorkSlots.Place(host: shop.asset.address)) {
            try? await Task.sleep(for: .milliseconds(300))
            wasBusy.withLock { $0 = shop.target.snapshot.workerLogins == before }
            isBusy.withLock { $0 = false }
        }
        while await slots.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let reports = try await Settlement(shop.turning, slots: slots).pass()
        await work
        #expect(reports.map(\.outcome.status) == [.success])
        #expect(!isBusy.withLock { $0 } && wasBusy.withLock { $0 })
    }

    @Test("a change that an execution ends while the settlement waits for the host is not announced again")
    func endedMeanwhile() async throws {
        let (shop, accounts) = try await Self.doubts(1)
        let slots = WorkSlots(WorkLimits(perHost: 1))
        async let work: Void = slots.run(at: WorkSlots.Place(host: shop.asset.address)) {
            // Time for the settlement to line up.
            try? await Task.sleep(for: .milliseconds(300))
            _ = try? await shop.turning.settle(accounts[0].id, in: .default, by: Workshop.principal)
        }
        while await slots.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await Settlement(shop.turning, slots: slots).pass().isEmpty)
        await work
        #expect(try await !Self.isOpen(accounts[0], shop))
        let entries = try await shop.audit.list(AuditQuery()).records.map(\.entry)
        #expect(entries.allSatisfy { $0.actor != .system("settlement") })
    }

    // MARK: - Hosts that do not answer

    /// An account of a host of its own that is in doubt.
    @discardableResult
    private static func doubt(_ number: UInt64, count: UInt64 = 1, _ shop: Workshop) async throws -> [Account] {
        var asset = Workshop.asset(50 + number, name: "host\(number)")
        asset.address = "10.0.1.\(number)"
        try shop.add(asset)
        try shop.add(Workshop.account(1000 + number, on: asset, name: "admin", privileged: true), secret: "admin-secret")
        var accounts: [Account] = []
        for place in 0..<count {
            let account = Workshop.account(2000 + number * 100 + place, on: asset, name: "app\(number)-\(place)")
            try await leaveInDoubt(account, shop)
            accounts.append(account)
        }
        return accounts
    }

    /// Keeps whoever comes to some hosts until it is opened.
    private final class Barrier: Sendable {
        private let addresses: Set<String>
        private let opened = DispatchSemaphore(value: 0)
        private let count = Mutex(0)
        var waiting: Int { count.withLock { $0 } }

        init(_ addresses: Set<String>) { self.addresses = addresses }

        func pass(_ target: Target) {
            guard addresses.contains(target.address) else { return }
            count.withLock { $0 += 1 }
            opened.wait()
            opened.signal()
        }

        func open() { opened.signal() }
    }

    private static func isSettled(_ account: Account, _ shop: Workshop) async throws -> Bool {
        for _ in 0..<6000 {
            if try await !isOpen(account, shop) { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    @Test("a change that comes to be in doubt while a host keeps the settlement waiting is settled meanwhile")
    func newWhileOldWaits() async throws {
        let shop = try Workshop()
        let old = try await Self.doubt(1, count: 12, shop)
        shop.clock.advance(seconds: 3600)
        let barrier = Barrier(["10.0.1.1"])
        shop.target.with { $0.atHost = { barrier.pass($0) } }
        let settlement = Settlement(shop.turning, slots: WorkSlots(WorkLimits(perHost: 4)), perHost: 4)
        let run = Task { await settlement.run(every: .milliseconds(20)) }
        while barrier.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        // Of all that one host has, it holds no more than its share.
        let new = try await Self.doubt(2, count: 3, shop)
        shop.clock.advance(seconds: 3600)
        for account in new { #expect(try await Self.isSettled(account, shop)) }
        #expect(try await Self.isOpen(old[0], shop) && barrier.waiting <= 4)
        barrier.open()
        for account in old { #expect(try await Self.isSettled(account, shop)) }
        run.cancel()
        await run.value
    }

    @Test("what waits for hosts that executions work on keeps no place from what need not wait")
    func busyHosts() async throws {
        let shop = try Workshop()
        for number in 1...2 as ClosedRange<UInt64> { try await Self.doubt(number, shop) }
        let free = try await Self.doubt(3, shop)[0]
        shop.clock.advance(seconds: 3600)
        let slots = WorkSlots(WorkLimits(overall: 8, perHost: 1))
        let (stream, release) = AsyncStream<Void>.makeStream()
        let work = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await slots.run(at: .init(host: "10.0.1.1")) { for await _ in stream {} } }
                group.addTask { await slots.run(at: .init(host: "10.0.1.2")) { for await _ in stream {} } }
            }
        }
        while await slots.running < 2 { try await Task.sleep(for: .milliseconds(1)) }
        let settlement = Settlement(shop.turning, slots: slots, width: 2)
        let run = Task { try await settlement.pass() }
        #expect(try await Self.isSettled(free, shop))
        release.finish()
        await work.value
        #expect(try await run.value.map(\.outcome.status) == [.success, .success, .success])
    }

    @Test("many hosts on which changes were tried in vain leave room for a change that was not tried yet")
    func roomForNew() async throws {
        let shop = try Workshop()
        let vain: Set<String> = ["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"]
        for number in 1...5 as ClosedRange<UInt64> { try await Self.doubt(number, shop) }
        shop.target.with { $0.workerFault = ConnectorFault(.unreachable, effect: .none) }
        let settlement = Settlement(shop.turning, width: 4)
        for _ in 0..<2 {
            shop.clock.advance(seconds: 3600)
            #expect(try await settlement.pass().count == 5)
        }
        shop.target.with { $0.workerFault = nil }
        shop.clock.advance(seconds: 3600)
        let barrier = Barrier(vain)
        shop.target.with { $0.atHost = { barrier.pass($0) } }
        let run = Task { await settlement.run(every: .milliseconds(20)) }
        while barrier.waiting < 3 { try await Task.sleep(for: .milliseconds(1)) }
        let new = try await Self.doubt(9, shop)[0]
        shop.clock.advance(seconds: 3600)
        #expect(try await Self.isSettled(new, shop))
        #expect(barrier.waiting == 3)
        barrier.open()
        run.cancel()
        await run.value
    }

    // MARK: - Damage

    @Test(
        "one damaged change is told of once and left alone; the others are settled",
        arguments: [
            "UPDATE secret_changes SET fields = x'ff00' WHERE account_id = ?",
            "UPDATE secret_changes SET stage = 'nonsense' WHERE account_id = ?",
            "UPDATE secret_changes SET date_opened = 1 WHERE account_id = ?",

            "UPDATE secret_changes SET id = x'01' WHERE account_id = ?",
        ] as [StaticString])
    func damaged(statement: StaticString) async throws {
        let (shop, accounts) = try await Self.doubts(3)
        let bad = accounts[1]
        try await shop.database.write { db in try db.execute(statement, [.id(bad.id)]) }
        let settlement = Settlement(shop.turning)
        let reports = try await settlement.pass()
        #expect(reports.count == 2 && reports.allSatisfy { $0.outcome.status == .success }, "\(reports)")
        for account in accounts { #expect(try await Self.isOpen(account, shop) == (account.id == bad.id)) }
        #expect(try await settlement.pass().isEmpty)
        let entries = try await shop.audit.list(AuditQuery()).records.filter {
            $0.entry.reason.contains("an open change is damaged") && $0.entry.outcome == .failed
        }
        #expect(entries.count == 1)

        let channel = EventChannel()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = RowKeeper(keyring: shop.keyring)
        let outbox = Outbox(
            database: shop.database, keeper: keeper, channels: [channel], clock: shop.clock.wall, logger: logger)
        let meter = AutomationMeter()
        for _ in 0..<2 {
            let alert = DoubtAlert(
                database: shop.database, keys: keeper, outbox: outbox, meter: meter, after: .seconds(3600),
                clock: shop.clock.wall, logger: logger)
            for _ in 0..<2 { #expect(try await alert.look() == []) }
        }
        #expect(meter.doubtsNow == 1)
        _ = try await outbox.deliverDue()
        #expect(channel.events.withLock { $0 } == ["change.damaged"])
    }

    @Test(
        "an open change that was given to another account, asset, user or time is found by nothing that rests on it",
        arguments: [
            "UPDATE secret_changes SET account_id = ?2 WHERE account_id = ?1",
            "UPDATE secret_changes SET asset_id = ?2 WHERE account_id = ?1",
            "UPDATE secret_changes SET identity = ?2 WHERE account_id = ?1",
            "UPDATE secret_changes SET org_id = ?2 WHERE account_id = ?1",
            "UPDATE secret_changes SET not_before = length(?2) WHERE account_id = ?1",
        ] as [StaticString])
    func moved(statement: StaticString) async throws {
        let (shop, accounts) = try await Self.doubts(1)
        let app = accounts[0]
        try await shop.database.write { db in try db.execute(statement, [.id(app.id), .id(shop.worker.id)]) }
        let (installs, logins) = (shop.target.snapshot.installs, shop.target.snapshot.workerLogins)
        #expect(try await Settlement(shop.turning).pass().isEmpty)
        // Asked for by name it is not gone on with either.
        let settled = try? await shop.turning.settle(app.id, in: .default, by: Workshop.principal)
        #expect(settled.flatMap { $0 } == nil)
        #expect(shop.target.snapshot.installs == installs && shop.target.snapshot.workerLogins == logins)
        // Its account is left alone as long as the row is there, by whichever of its columns.
        let other = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(other.outcome.status != .success, "\(statement): \(other)")
        #expect(shop.target.snapshot.installs == installs)
    }

    // MARK: - What is told of it

    @Test("when a doubt settles by itself after its execution, whoever got the result is told, once")
    func toldThatItSettled() async throws {
        let channel = EventChannel()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let outboxes = Mutex<Outbox?>(nil)
        let shop = try Workshop(
            { parts in
                let outbox = Outbox(
                    database: parts.database, keeper: parts.keyring, channels: [channel], clock: parts.clock, logger: logger)
                outboxes.withLock { $0 = outbox }
                parts = parts.writingRecords(telling: SettledNotices(outbox))
            }, state: { $0.tricks = [.appliedThenCut] })
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        let outbox = try #require(outboxes.withLock { $0 })
        var asked = TaskOrder(kind: .changeSecret, accounts: ["app"])
        asked.assets = [shop.asset.id]
        let task = AutomationTask(
            id: .random(), organization: .default, name: "t", order: asked, timing: TaskTiming(), recipients: ["ops@example.com"],
            dateCreated: Workshop.start, dateUpdated: Workshop.start)
        let execution = Execution(
            id: .random(), organization: .default, task: task.id, taskName: "t", trigger: .manual,
            author: Execution.Author(user: nil, name: "test"), order: asked, dateCreated: Workshop.start, status: .failed)
        let record = Record(
            id: .random(), organization: .default, execution: execution.id, kind: .changeSecret, asset: shop.asset.id,
            assetName: "db", account: shop.app.id, username: "app", secretType: .password, dateCreated: Workshop.start)
        try await shop.database.write { [keyring = shop.keyring] db in
            let (keys, workspace) = (try keyring.keys(), try SealingWorkspace())
            try AutomationTasks.insert(keys.authenticated(task, with: workspace), on: db)
            try Executions.insert(keys.authenticated(execution, with: workspace), on: db)
            try Records.insert(keys.authenticated(record, with: workspace), on: db)
        }
        #expect(await shop.turn { $0.id = record.id.retyped() }.outcome.status == .uncertain)
        _ = try await outbox.deliverDue()
        #expect(channel.events.withLock { $0 } == [])
        try await shop.settle()
        for _ in 0..<2 { _ = try await outbox.deliverDue() }
        #expect(channel.events.withLock { $0 } == ["change.settled", "change.settled"])
        let told = channel.deliveries.withLock { $0 }
        #expect(Set(told.map(\.recipient)) == ["", "ops@example.com"])
        for delivery in told {
            #expect(delivery.subject == "Keyturn: settled - app on db: success" && delivery.payload.contains("\(record.id)"))
            for value in try shop.kept().values {
                let text = String(decoding: value, as: UTF8.self)
                #expect(!delivery.text.contains(text) && !delivery.payload.contains(text) && !delivery.subject.contains(text))
            }
        }
    }

    @Test("when a doubt settles, its record and its execution say so")
    func told() async throws {
        let yard = try TestYard()
        let asset = try yard.addHost("h1", accounts: ["a", "b"])
        var order = TaskOrder(kind: .changeSecret, accounts: ["a", "b"])
        order.assets = [asset]
        let task = try yard.addTask("t", order)
        yard.work.set { WorkReport($0.username == "a" ? .uncertain : .success, reason: $0.username == "a" ? .doubt : nil) }
        let execution = try await yard.addExecution(of: task)
        let ended = try await yard.whileExecuting { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        #expect(ended.status == .failed)
        let record = try #require(try yard.records(of: execution.id).first { $0.username == "a" })
        let (keys, now) = (try yard.keys.keys(), yard.now)
        func tell(_ report: WorkReport) async throws {
            try await yard.database.write { db in
                try RecordClosing.tell(record.id, in: .default, of: report, at: now, keys: keys, on: db)
            }
        }
        try await tell(WorkReport(.uncertain, reason: .cut))
        #expect(try yard.execution(execution.id).status == .failed)
        try await tell(WorkReport(.success, oldVersion: 1, newVersion: 2))
        #expect(try yard.execution(execution.id).status == .success)
        #expect(try yard.records(of: execution.id).map(\.status) == [.success, .success])
        #expect(try yard.execution(execution.id).progress == ended.progress)
    }
}

/// Takes messages for programs and keeps what they are about.
private final class EventChannel: Channel {
    let name = "webhook"
    let events = Mutex<[String]>([])
    let deliveries = Mutex<[Delivery]>([])

    func accepts(_ recipient: String) -> Bool { true }

    func deliver(_ delivery: Delivery) async throws(DeliveryFault) {
        events.withLock { $0.append(delivery.event) }
        deliveries.withLock { $0.append(delivery) }
    }
}
