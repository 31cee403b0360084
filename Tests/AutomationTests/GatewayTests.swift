import Access
import Automation
import Connectors
import Domain
import Sealing
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Work through gateways", .serialized)
struct GatewayTests {
    private static let zone = Zone(
        id: ZoneID(high: 0xC, low: 1), organization: .default, name: "dmz", dateCreated: Workshop.start,
        dateUpdated: Workshop.start)

    /// A gateway of the zone that is confirmed and known by its key.
    private static func addGateway(
        _ name: String, to shop: Workshop, port: Int = 22, hostKey: String = "SHA256:abc", password: String = "Jump-secret-1!"
    ) throws -> Asset {
        let gateway = Asset(
            id: .random(), organization: .default, name: name, address: "127.0.0.1", platform: .gateway,
            protocols: [AssetProtocol(name: "ssh", port: port)], zone: zone.id, dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        try shop.add(gateway)
        try shop.put(
            AssetTrust(
                asset: gateway.id, organization: .default, systems: ["ssh-host-key:" + hostKey], endpoint: gateway.endpoint,
                confirmedBy: "admin", dateConfirmed: Workshop.start))
        let account = Account(
            id: .random(), organization: .default, asset: gateway.id, name: "jump", username: "jump",
            dateCreated: Workshop.start, dateUpdated: Workshop.start)
        try shop.add(account, secret: password)
        return gateway
    }

    /// An asset in the zone with an account that does the work and one that is worked on.
    private static func addTarget(
        _ asset: Asset, worker: (name: String, secret: String), app: String, to shop: Workshop
    ) throws -> Account {
        try shop.add(asset)
        try shop.add(account(worker.name, on: asset, privileged: true), secret: worker.secret)
        let account = account("app", on: asset)
        try shop.add(account, secret: app)
        return account
    }

    private static func account(_ name: String, on asset: Asset, privileged: Bool = false) -> Account {
        Account(
            id: .random(), organization: .default, asset: asset.id, name: name, username: name, privileged: privileged,
            dateCreated: Workshop.start, dateUpdated: Workshop.start)
    }

    // MARK: - On real targets

    private static func realShop() throws -> Workshop {
        try Workshop({
            $0.connector = { type in
                switch type {
                case "linux": LinuxConnector()
                case "postgresql": PostgreSQL()
                default: nil
                }
            }
            $0.stepLimit = .seconds(60)
        })
    }

    /// A host that alone knows where `inner.keyturn.test` and `db.test` are.
    private static func startGateway() async throws -> TestHost {
        try await TestHost.start(
            users: [.init("jump", password: "Jump-secret-1!")],
            setUp: "echo '127.0.0.1 inner.keyturn.test db.test' >> /etc/hosts")
    }

    @Test(
        "a password of a Linux host behind a gateway is changed and proved through it, and by no other way",
        .enabled(if: TestHost.obstacle == nil, "needs a host of its own"))
    func linux() async throws {
        let (outer, inner) = (
            try await Self.startGateway(), try await TestHost.start(users: [.init("app", password: "Old-secret-1!")])
        )
        let shop = try Self.realShop()
        try shop.add(Self.zone)
        let gateway = try Self.addGateway("jump-1", to: shop, port: outer.port, hostKey: outer.hostKey)
        func asset(_ name: String, _ zone: ZoneID?) -> Asset {
            Asset(
                id: .random(), organization: .default, name: name, address: "inner.keyturn.test",
                platform: .init(rawValue: 1), protocols: [AssetProtocol(name: "ssh", port: inner.port)], zone: zone,
                dateCreated: Workshop.start, dateUpdated: Workshop.start)
        }
        let far = asset("far", Self.zone.id)
        let app = try Self.addTarget(far, worker: ("root", inner.root.password), app: "Old-secret-1!", to: shop)
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome == RecordOutcome(.success, .proven), "\(report.steps.map(\.words))")
        #expect(try shop.trust(of: far.id)?.hostKeys == [inner.hostKey])
        #expect(await shop.turning.verify(app.id, in: .default, by: Workshop.principal).outcome.reason == .proven)

        // The same host as an asset without a zone: there is no way to it.
        let near = try Self.addTarget(
            asset("near", nil), worker: ("root", inner.root.password), app: "Old-secret-1!", to: shop)
        let direct = await shop.turning.verify(near.id, in: .default, by: Workshop.principal)
        #expect(direct.outcome.reason == .unreachable, "\(direct.outcome)")

        // A gateway that shows another key than the pinned one is not talked to.
        // Days later, since a proof takes logins that are counted.
        shop.clock.advance(seconds: 3 * 86_400)
        var trust = try #require(try shop.trust(of: gateway.id))
        trust.systems = ["ssh-host-key:" + inner.hostKey]
        try shop.put(trust)
        let foreign = await shop.turning.verify(app.id, in: .default, by: Workshop.principal)
        #expect(foreign.outcome.status == .failed && foreign.outcome.reason != .proven, "\(foreign.outcome)")
        await outer.stop()
        await inner.stop()
    }

    @Test(
        "a password of a PostgreSQL role behind a gateway is changed and proved through it, the server's certificate verified",
        .enabled(if: TestHost.obstacle == nil, "needs a host of its own"))
    func postgreSQL() async throws {
        let outer = try await Self.startGateway()
        let server = try await PostgreSQLServer()
        try await server.sql("CREATE ROLE app LOGIN PASSWORD 'Old-secret-1!'")
        let shop = try Self.realShop()
        try shop.add(Self.zone)
        _ = try Self.addGateway("jump-1", to: shop, port: outer.port, hostKey: outer.hostKey)
        let asset = Asset(
            id: .random(), organization: .default, name: "far", address: "db.test", platform: .init(rawValue: 19),
            protocols: [AssetProtocol(name: "postgresql", port: Int(server.port))], zone: Self.zone.id,
            specific: ["pg_ssl_mode": "verify-full", "ca_cert": server.certificates.authority],
            dateCreated: Workshop.start, dateUpdated: Workshop.start)
        let app = try Self.addTarget(
            asset, worker: (PostgreSQLServer.superuser, PostgreSQLServer.superuserPassword), app: "Old-secret-1!", to: shop)
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome == RecordOutcome(.success, .proven), "\(report.steps.map(\.words))")
        #expect(await shop.turning.verify(app.id, in: .default, by: Workshop.principal).outcome.reason == .proven)
        await outer.stop()
        let without = await shop.turning.verify(app.id, in: .default, by: Workshop.principal)
        #expect(without.outcome.reason == .unreachable, "\(without.outcome)")
    }

    // MARK: - What stands against it

    /// The workshop's model of a target, in the zone.
    private static func modelShop() throws -> (shop: Workshop, app: Account) {
        let shop = try Workshop({ parts in
            let known = parts.connector
            parts.connector = { _ in known("postgresql") }
        })
        try shop.add(zone)
        var asset = Workshop.asset(7, name: "far")
        asset.zone = zone.id
        return (shop, try addTarget(asset, worker: ("admin", "admin-secret"), app: "old", to: shop))
    }

    @Test("the way is the first gateway's that can be used; without one the work is skipped and nothing is tried")
    func choice() async throws {
        let (shop, app) = try Self.modelShop()
        let none = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(none.outcome == RecordOutcome(.skipped, .noGateway, words: "Zone dmz: it has no gateway."))
        #expect(shop.target.snapshot.ways.isEmpty)
        _ = try Self.addGateway("jump-2", to: shop)
        let first = try Self.addGateway("jump-1", to: shop)
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success)
        #expect(Set(shop.target.snapshot.ways) == [first.id])
    }

    @Test("a gateway is itself reached without one")
    func itself() async throws {
        let (shop, _) = try Self.modelShop()
        let gateway = try Self.addGateway("jump-1", to: shop)
        try shop.add(Self.account("admin", on: gateway, privileged: true), secret: "admin-secret")
        let app = Self.account("app", on: gateway)
        try shop.add(app, secret: "old")
        let report = await shop.turning.verify(app.id, in: .default, by: Workshop.principal)
        #expect(report.outcome.reason == .proven && shop.target.snapshot.ways == [nil])
    }

    @Test(
        "a zone, a gateway or its pins that were changed behind the server's back stop the work",
        arguments: [
            "UPDATE zones SET name = 'other'", "UPDATE assets SET address = '10.6.6.6' WHERE name = 'jump-1'",
            "UPDATE assets SET is_active = 0 WHERE name = 'jump-1'", "UPDATE asset_trusts SET systems = x''",
            "UPDATE accounts SET username = 'other' WHERE name = 'jump'", "UPDATE assets SET zone_id = NULL WHERE name = 'far'",
        ] as [StaticString])
    func forged(change: StaticString) async throws {
        let (shop, app) = try Self.modelShop()
        _ = try Self.addGateway("jump-1", to: shop)
        _ = try Self.addGateway("jump-2", to: shop)
        _ = try shop.database.writeSync { try $0.execute(change, []) }
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .failed && report.outcome.words == "integrity", "\(report.outcome)")
        #expect(shop.target.snapshot.ways.isEmpty)
    }

    @Test("an asset that was moved to another zone is not worked on before somebody has confirmed it")
    func moved() async throws {
        let (shop, app) = try Self.modelShop()
        _ = try Self.addGateway("jump-1", to: shop)
        let was = Workshop.asset(7, name: "far")
        var trust = AssetTrust(
            asset: was.id, organization: .default, endpoint: was.endpoint, confirmedBy: "admin", dateConfirmed: Workshop.start)
        try shop.put(trust)
        let paused = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(paused.outcome.reason == .paused && shop.target.snapshot.ways.isEmpty)
        var now = was
        now.zone = Self.zone.id
        trust.endpoint = now.endpoint
        try shop.put(trust)
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success)
    }

    // MARK: - Executions

    @Test("no more is under way behind one gateway than the limit allows; what a gateway's zone blocks is on record")
    func limits() async throws {
        let yard = try TestYard()
        let (keys, start) = (try yard.keys.keys(), TestYard.start)
        let blocked = Zone(
            id: ZoneID(high: 0xC, low: 2), organization: .default, name: "blocked", dateCreated: start, dateUpdated: start)
        let zone = Self.zone
        let gateway = Asset(
            id: .random(), organization: .default, name: "jump", address: "jump", platform: .gateway, zone: zone.id,
            dateCreated: start, dateUpdated: start)
        let jump = Account(
            id: .random(), organization: .default, asset: gateway.id, name: "jump", username: "jump",
            stages: SecretStages(current: 1, last: 1), dateCreated: start, dateUpdated: start)
        let trust = AssetTrust(
            asset: gateway.id, organization: .default, systems: ["ssh-host-key:SHA256:abc"], endpoint: gateway.endpoint,
            confirmedBy: "admin", dateConfirmed: start)
        let hosts = try (0..<5).map { try yard.addHost("h\($0)", accounts: ["a", "b"]) }
        try yard.database.writeSync { db in
            for row in [zone, blocked] { try Zones.insert(keys.authenticated(row), on: db) }
            try Assets.insert(keys.authenticated(gateway), on: db)
            try Accounts.insert(keys.authenticated(jump), on: db)
            try AssetTrusts.put(keys.authenticated(trust), on: db)
            for host in hosts {
                var asset = try keys.verified(Assets.get(host, in: .default, on: db))
                asset.zone = host == hosts[4] ? blocked.id : zone.id
                _ = try Assets.update(keys.authenticated(asset), on: db)
            }
        }
        var order = TaskOrder(kind: .changeSecret, accounts: ["a", "b"])
        order.assets = hosts.sorted()
        let task = try yard.addTask("t", order)
        yard.work.set { _ in
            try? await Task.sleep(for: .milliseconds(5))
            return WorkReport(.success)
        }
        let execution = try await yard.addExecution(of: task)
        _ = try await yard.whileExecuting(WorkLimits(overall: 8, perGateway: 2, perHost: 1)) { desk in
            desk.submit(execution)
            return try await yard.end(of: execution.id)
        }
        let seen = yard.work.seen.withLock { $0 }
        #expect(seen.performed.count == 8 && seen.mostAtOnce <= 2)
        let records = try yard.records(of: execution.id).filter { $0.asset == hosts[4] }
        #expect(records.map(\.status) == [.skipped, .skipped] && records.map(\.reason) == [.noGateway, .noGateway])
    }
}

extension Workshop {
    fileprivate func add(_ zone: Zone) throws {
        try database.writeSync { [keyring] db in
            try Zones.insert(keyring.keys().authenticated(zone, with: SealingWorkspace()), on: db)
        }
    }

    fileprivate func put(_ trust: AssetTrust) throws {
        try database.writeSync { [keyring] db in
            try AssetTrusts.put(keyring.keys().authenticated(trust, with: SealingWorkspace()), on: db)
        }
    }

    fileprivate func trust(of asset: AssetID) throws -> AssetTrust? {
        try database.readSync { [keyring] db in
            try AssetTrusts.get(asset, in: .default, on: db).map { try keyring.keys().verified($0, with: SealingWorkspace()) }
        }
    }
}
