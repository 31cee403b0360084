import Access
import Audit
import Automation
import Connectors
import Domain
import Logging
import Notifications
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// What stands between an open change and its end besides the target: limits, other changes, other host keys.
@Suite("Settling among others")
struct ManyDoubtsTests {
    /// A shop in which some accounts of the one asset are in doubt, each applied and unproved.
    private static func doubts(_ count: UInt64) async throws -> (shop: Workshop, accounts: [Account]) {
        let shop = try Workshop()
        let accounts = (0..<count).map { Workshop.account(10 + $0, on: shop.asset, name: "app\($0)") }
        for account in accounts {
            try shop.add(account, secret: "old")
            shop.target.with { state in
                state.live[account.username] = Array("old".utf8)
                state.tricks = [.appliedThenCut]
                state.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
            }
            let report = await shop.turning.turn(account.id, in: .default, Workshop.order(), by: Workshop.principal)
            #expect(report.outcome.status == .uncertain)
        }
        shop.clock.advance(seconds: 3600)
        return (shop, accounts)
    }

    private static func isOpen(_ account: Account, _ shop: Workshop) async throws -> Bool {
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

    // MARK: - Another host key

    private static func put(_ trust: AssetTrust, _ shop: Workshop) throws {
        try shop.database.writeSync { [keyring = shop.keyring] db in
            try AssetTrusts.put(keyring.keys().authenticated(trust, with: SealingWorkspace()), on: db)
        }
    }

    private static func trust(_ shop: Workshop) throws -> AssetTrust {
        try shop.database.readSync { [keyring = shop.keyring, asset = shop.asset] db in
            let row = try AssetTrusts.get(asset.id, in: .default, on: db)
            return try row.map { try keyring.keys().verified($0, with: SealingWorkspace()) }
                ?? AssetTrust(
                    asset: asset.id, organization: .default, endpoint: asset.endpoint, confirmedBy: AssetTrust.firstContact,
                    dateConfirmed: Workshop.start)
        }
    }

    @Test("a change that is open when the host gets a new key waits until a person stands in for it, and then settles by itself")
    func newHostKey() async throws {
        let (shop, accounts) = try await Self.doubts(1)
        let new = TargetIdentity.System.sshHostKey("SHA256:new")
        shop.target.with { $0.system = new }
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.hostKeyChanged])
        shop.clock.advance(seconds: 7200)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.status) == [.uncertain])

        // That it was pinned is not enough, where nobody said so since.
        var trust = try Self.trust(shop)
        trust.systems = [new.text]
        try Self.put(trust, shop)
        shop.clock.advance(seconds: 7200)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.wrongTarget])

        trust.confirmedBy = "alice"
        trust.dateConfirmed = shop.clock.wall.now()
        try Self.put(trust, shop)
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status == .success, "\(reports)")
        #expect(try await !Self.isOpen(accounts[0], shop))
        #expect(try shop.served(accounts[0].id) == shop.target.snapshot.live["app0"])
    }

    @Test("that the pins were cleared vouches for nobody: the key that shows itself then waits for a person too")
    func clearedPins() async throws {
        let (shop, accounts) = try await Self.doubts(1)
        let new = TargetIdentity.System.sshHostKey("SHA256:new")
        shop.target.with { $0.system = new }
        var trust = try Self.trust(shop)
        trust.systems = []
        trust.confirmedBy = "bob"
        trust.dateConfirmed = shop.clock.wall.now()
        try Self.put(trust, shop)
        for _ in 0..<3 {
            shop.clock.advance(seconds: 7200)
            #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.wrongTarget])
        }
        trust = try Self.trust(shop)
        #expect(trust.systems == [new.text] && !trust.isConfirmedByPerson)

        trust.confirmedBy = "alice"
        trust.dateConfirmed = shop.clock.wall.now()
        try Self.put(trust, shop)
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status == .success, "\(reports)")
        #expect(try await !Self.isOpen(accounts[0], shop))
    }

    @Test("another user on the new host is not the one that was meant, whoever stands in for the host")
    func anotherUser() async throws {
        let identity = TargetIdentity(system: .sshHostKey("SHA256:a"), user: "app")
        let other = TargetIdentity(system: .sshHostKey("SHA256:b"), user: "app")
        let stored = identity.canonical.bytes
        #expect(other.isUser(of: stored) && !other.isOnSystem(of: stored) && identity.isOnSystem(of: stored))
        for user in ["ap", "pp", "xapp", "", "app\0", "SHA256:a"] {
            #expect(!TargetIdentity(system: identity.system, user: user).isUser(of: stored), "\(user)")
        }
        for bytes in [[], [1], [0, 0, 0, 0], [0, 0, 0, 9, 1], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]] {
            #expect(!identity.isUser(of: bytes) && !identity.isOnSystem(of: bytes))
        }
    }

    // MARK: - What is told of it

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

    func accepts(_ recipient: String) -> Bool { recipient.isEmpty }

    func deliver(_ delivery: Delivery) async throws(DeliveryFault) { events.withLock { $0.append(delivery.event) } }
}
