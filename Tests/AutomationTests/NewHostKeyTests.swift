import Access
import Automation
import Connectors
import Domain
import Sealing
import TestSupport
import Testing

@testable import Storage

@Suite("Changes whose host has a new key")
struct NewHostKeyTests {
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
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
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
        #expect(try await !ManyDoubtsTests.isOpen(accounts[0], shop))
        #expect(try shop.served(accounts[0].id) == shop.target.snapshot.live["app0"])
    }

    @Test("that the pins were cleared vouches for nobody: the key that shows itself then waits for a person too")
    func clearedPins() async throws {
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
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
        #expect(try await !ManyDoubtsTests.isOpen(accounts[0], shop))
    }

    @Test(
        "while a change waits under the old key of its host, no other account of that user may be changed; and then it has the new one"
    )
    func sameUserUnderNewKey() async throws {
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
        let new = TargetIdentity.System.sshHostKey("SHA256:new")
        shop.target.with { $0.system = new }
        var trust = try Self.trust(shop)
        trust.systems = [new.text]
        trust.confirmedBy = "alice"
        trust.dateConfirmed = shop.clock.wall.now()
        try Self.put(trust, shop)

        // The same host and user by another row.
        let asset = Workshop.asset(2, name: "db by its other name")
        let other = Workshop.account(62, on: asset, name: "app0")
        try shop.add(asset)
        try shop.add(Workshop.account(61, on: asset, name: "admin", privileged: true), secret: "admin-secret")
        try shop.add(other, secret: "old")
        let (live, installs) = (shop.target.snapshot.live["app0"], shop.target.snapshot.installs)
        func turn() async -> TurnReport {
            await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        }
        let early = await turn()
        #expect(early.outcome.status == .skipped && early.outcome.reason == .changeOpen, "\(early.outcome)")

        // It goes on under the new key, and is in doubt for another reason.
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.timedOut])
        let row = try #require(try await shop.database.read { try SecretChanges.of(accounts[0].id, in: .default, on: $0) })
        let change = try shop.keyring.keys().verified(row, with: SealingWorkspace())
        #expect(change.identity == TargetIdentity(system: new, user: "app0").canonical.bytes)
        let late = await turn()
        #expect(late.outcome.status == .skipped && late.outcome.reason == .sameTarget, "\(late.outcome)")
        #expect(shop.target.snapshot.live["app0"] == live && shop.target.snapshot.installs == installs)

        // Two logins without an answer have used up the day; what the host stores is enough to know.
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome == RecordOutcome(.unverifiable, .noLoginLeft), "\(reports)")
        #expect(try await !ManyDoubtsTests.isOpen(accounts[0], shop))
        #expect(try shop.served(accounts[0].id) == shop.target.snapshot.live["app0"])
    }

    @Test("a change whose user has another account's change open under the new key waits, and sends nothing")
    func otherChangeUnderNewKey() async throws {
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
        let new = TargetIdentity.System.sshHostKey("SHA256:new")
        shop.target.with { $0.system = new }
        // The other row knows the host by its new key already, and its change began before anybody said that this is the same host.
        let asset = Workshop.asset(2, name: "db by its other name")
        let other = Workshop.account(62, on: asset, name: "app0")
        try shop.add(asset)
        try shop.add(Workshop.account(61, on: asset, name: "admin", privileged: true), secret: "admin-secret")
        try shop.add(other, secret: "old")
        shop.target.with { state in
            state.tricks = [.appliedThenCut]
            state.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
        }
        let report = await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .uncertain, "\(report.outcome)")
        var trust = try Self.trust(shop)
        trust.systems = [new.text]
        trust.confirmedBy = "alice"
        trust.dateConfirmed = shop.clock.wall.now()
        try Self.put(trust, shop)
        let before = shop.target.snapshot
        let settled = try await shop.turning.settle(accounts[0].id, in: .default, by: Workshop.principal)
        #expect(settled?.outcome.status == .uncertain && settled?.outcome.reason == .sameTarget, "\(String(describing: settled))")
        #expect(shop.target.snapshot.installs == before.installs && shop.target.snapshot.live == before.live)
        for account in [accounts[0], other] { #expect(try await ManyDoubtsTests.isOpen(account, shop)) }
    }

    enum Way: CaseIterable, Sendable { case deleted, elsewhere }

    @Test(
        "a doubt in the place of which another account has come is told of at once and in its record, and settles when that one is gone",
        arguments: Way.allCases)
    func blocked(way: Way) async throws {
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
        let new = TargetIdentity.System.sshHostKey("SHA256:new")
        shop.target.with { $0.system = new }
        // The other row knows the host by its new key, and was changed there before anybody said that this is the same host.
        let asset = Workshop.asset(2, name: "db by its other name")
        let other = Workshop.account(62, on: asset, name: "app0")
        try shop.add(asset)
        try shop.add(Workshop.account(61, on: asset, name: "admin", privileged: true), secret: "admin-secret")
        try shop.add(other, secret: "old")
        let report = await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success, "\(report.outcome)")
        var trust = try Self.trust(shop)
        (trust.systems, trust.confirmedBy, trust.dateConfirmed) = ([new.text], "alice", shop.clock.wall.now())
        try Self.put(trust, shop)

        let watch = DoubtWatch(shop, patience: .seconds(365 * 86_400))
        #expect(try await watch.look().isEmpty)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.sameTarget])
        let told = try #require(shop.records.all.last)
        #expect(told.outcome.reason == .sameTarget && told.outcome.words.contains("\(other.id)"), "\(told.outcome)")
        #expect(try await watch.look().count == 1)
        #expect(try await watch.look().count == 1)
        let texts = try await watch.delivered()
        #expect(texts.count == 1 && texts[0].contains("\(other.id)") && texts[0].contains("forces it"), "\(texts)")

        switch way {
        case .deleted: try shop.database.writeSync { db in _ = try Accounts.delete(other.id, in: .default, on: db) }
        case .elsewhere:
            try Self.put(
                AssetTrust(
                    asset: asset.id, organization: .default,
                    systems: [TargetIdentity.System.sshHostKey("SHA256:elsewhere").text], endpoint: asset.endpoint,
                    confirmedBy: "alice", dateConfirmed: shop.clock.wall.now()), shop)
        }
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status != .uncertain, "\(reports)")
        #expect(try await !ManyDoubtsTests.isOpen(accounts[0], shop))
        #expect(try shop.served(accounts[0].id) == shop.target.snapshot.live["app0"])
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
}
