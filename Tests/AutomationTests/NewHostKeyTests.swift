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

    private static let new = TargetIdentity.System.sshHostKey("SHA256:new")

    /// A change in doubt whose host shows a new key.
    private static func doubt() async throws -> (shop: Workshop, account: Account) {
        let (shop, accounts) = try await ManyDoubtsTests.doubts(1)
        shop.target.with { $0.system = new }
        return (shop, accounts[0])
    }

    /// Pins these keys as the host's, on somebody's word or on nobody's.
    private static func pin(_ systems: [TargetIdentity.System], by person: String?, _ shop: Workshop) throws {
        var trust = try trust(shop)
        trust.systems = systems.map(\.text)
        if let person { (trust.confirmedBy, trust.dateConfirmed) = (person, shop.clock.wall.now()) }
        try put(trust, shop)
    }

    /// Another row of the same host and user.
    private static func sameUser(_ shop: Workshop) throws -> (asset: Asset, account: Account) {
        let asset = Workshop.asset(2, name: "db by its other name")
        let account = Workshop.account(62, on: asset, name: "app0")
        try shop.add(asset)
        try shop.add(Workshop.account(61, on: asset, name: "admin", privileged: true), secret: "admin-secret")
        try shop.add(account, secret: "old")
        return (asset, account)
    }

    /// Nothing is open of the account any more, and what is served is live.
    private static func expectSettled(_ account: Account, _ shop: Workshop) async throws {
        #expect(try await !ManyDoubtsTests.isOpen(account, shop))
        #expect(try shop.served(account.id) == shop.target.snapshot.live["app0"])
    }

    @Test("a change that is open when the host gets a new key waits until a person stands in for it, and then settles by itself")
    func newHostKey() async throws {
        let (shop, account) = try await Self.doubt()
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.hostKeyChanged])
        shop.clock.advance(seconds: 7200)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.status) == [.uncertain])

        // That it was pinned is not enough, where nobody said so since.
        try Self.pin([Self.new], by: nil, shop)
        shop.clock.advance(seconds: 7200)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.wrongTarget])

        try Self.pin([Self.new], by: "alice", shop)
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status == .success, "\(reports)")
        try await Self.expectSettled(account, shop)
    }

    @Test("that the pins were cleared vouches for nobody: the key that shows itself then waits for a person too")
    func clearedPins() async throws {
        let (shop, account) = try await Self.doubt()
        try Self.pin([], by: "bob", shop)
        for _ in 0..<3 {
            shop.clock.advance(seconds: 7200)
            #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.wrongTarget])
        }
        let trust = try Self.trust(shop)
        #expect(trust.systems == [Self.new.text] && !trust.isConfirmedByPerson)

        try Self.pin([Self.new], by: "alice", shop)
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status == .success, "\(reports)")
        try await Self.expectSettled(account, shop)
    }

    @Test(
        "while a change waits under the old key of its host, no other account of that user may be changed; and then it has the new one"
    )
    func sameUserUnderNewKey() async throws {
        let (shop, account) = try await Self.doubt()
        try Self.pin([Self.new], by: "alice", shop)

        let (_, other) = try Self.sameUser(shop)
        let (live, installs) = (shop.target.snapshot.live["app0"], shop.target.snapshot.installs)
        func turn() async -> TurnReport {
            await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        }
        let early = await turn()
        #expect(early.outcome.status == .skipped && early.outcome.reason == .changeOpen, "\(early.outcome)")

        // It goes on under the new key, and is in doubt for another reason.
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.timedOut])
        let row = try #require(try await shop.database.read { try SecretChanges.of(account.id, in: .default, on: $0) })
        let change = try shop.keyring.keys().verified(row, with: SealingWorkspace())
        #expect(change.identity == TargetIdentity(system: Self.new, user: "app0").canonical.bytes)
        let late = await turn()
        #expect(late.outcome.status == .skipped && late.outcome.reason == .sameTarget, "\(late.outcome)")
        #expect(shop.target.snapshot.live["app0"] == live && shop.target.snapshot.installs == installs)

        // Two logins without an answer have used up the day; what the host stores is enough to know.
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome == RecordOutcome(.unverifiable, .noLoginLeft), "\(reports)")
        try await Self.expectSettled(account, shop)
    }

    @Test("a change whose user has another account's change open under the new key waits, and sends nothing")
    func otherChangeUnderNewKey() async throws {
        let (shop, account) = try await Self.doubt()
        // The other row knows the host by its new key already, and its change began before anybody said that this is the same host.
        let (_, other) = try Self.sameUser(shop)
        shop.target.with { state in
            state.tricks = [.appliedThenCut]
            state.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
        }
        let report = await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .uncertain, "\(report.outcome)")
        try Self.pin([Self.new], by: "alice", shop)
        let before = shop.target.snapshot
        let settled = try await shop.turning.settle(account.id, in: .default, by: Workshop.principal)
        #expect(settled?.outcome.status == .uncertain && settled?.outcome.reason == .sameTarget, "\(String(describing: settled))")
        #expect(shop.target.snapshot.installs == before.installs && shop.target.snapshot.live == before.live)
        for account in [account, other] { #expect(try await ManyDoubtsTests.isOpen(account, shop)) }
    }

    enum Way: CaseIterable, Sendable { case deleted, elsewhere }

    @Test(
        "a doubt in the place of which another account has come is told of at once and in its record, and settles when that one is gone",
        arguments: Way.allCases)
    func blocked(way: Way) async throws {
        let (shop, account) = try await Self.doubt()
        // The other row knows the host by its new key, and was changed there before anybody said that this is the same host.
        let (asset, other) = try Self.sameUser(shop)
        let report = await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success, "\(report.outcome)")
        try Self.pin([Self.new], by: "alice", shop)

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
        try await Self.expectSettled(account, shop)
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
