import Access
import Automation
import Connectors
import Domain
import Glibc
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// The account by which everything in a zone is reached must not be locked by us.
@Suite("Logins at gateways")
struct GatewayLoginTests {
    private struct Yard {
        let shop: Workshop
        let gateway: Account
        let apps: [Account]
    }

    /// Hosts behind one gateway, each with an account that does the work and one that is worked on.
    private static func yard(
        hosts: Int = 1, gatewayPassword: String = "jump-secret", port: Int = 22, hostKey: String = "SHA256:abc",
        _ change: (inout TurnParts) -> Void = { _ in }
    ) throws -> Yard {
        let shop = try Workshop({ parts in
            let known = parts.connector
            parts.connector = { _ in known("postgresql") }
            change(&parts)
        })
        shop.target.with { $0.gatewaySecret = Array("jump-secret".utf8) }
        let zone = Zone(
            id: ZoneID(high: 0xC, low: 9), organization: .default, name: "dmz", dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        let host = Asset(
            id: .random(), organization: .default, name: "jump", address: "127.0.0.1", platform: .gateway,
            protocols: [AssetProtocol(name: "ssh", port: port)], zone: zone.id, dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        let trust = AssetTrust(
            asset: host.id, organization: .default, systems: ["ssh-host-key:" + hostKey], endpoint: host.endpoint,
            confirmedBy: "admin", dateConfirmed: Workshop.start)
        try shop.database.writeSync { [keyring = shop.keyring] db in
            let (keys, workspace) = (try keyring.keys(), try SealingWorkspace())
            try Zones.insert(keys.authenticated(zone, with: workspace), on: db)
            try Assets.insert(keys.authenticated(host, with: workspace), on: db)
            try AssetTrusts.put(keys.authenticated(trust, with: workspace), on: db)
        }
        let gateway = Workshop.account(100, on: host, name: "jump")
        try shop.add(gateway, secret: gatewayPassword)
        let apps = try (0..<hosts).map { number -> Account in
            var asset = Workshop.asset(UInt64(50 + number), name: "far\(number)")
            asset.zone = zone.id
            asset.protocols = [AssetProtocol(name: "postgresql", port: 5432), AssetProtocol(name: "ssh", port: 22)]
            try shop.add(asset)
            try shop.add(
                Workshop.account(UInt64(200 + number), on: asset, name: "admin", privileged: true), secret: "admin-secret")
            let app = Workshop.account(UInt64(300 + number), on: asset, name: "app")
            try shop.add(app, secret: "old")
            return app
        }
        return Yard(shop: shop, gateway: gateway, apps: apps)
    }

    private static func attempts(_ yard: Yard) async throws -> Int {
        try await yard.shop.database.read { [id = yard.gateway.id] db in
            try LoginAttempts.dates(account: id, identity: id.bytes, since: Timestamp(milliseconds: 0), on: db).count
        }
    }

    @Test("a wrong password of a gateway is tried no more often than the limit allows, whoever asks for whatever")
    func wrongPassword() async throws {
        let yard = try Self.yard(hosts: 3, gatewayPassword: "wrong")
        let turning = yard.shop.turning
        for _ in 0..<3 {
            for app in yard.apps {
                let turn = await turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
                #expect([.unreachable, .noLoginLeft].contains(turn.outcome.reason), "\(turn.outcome)")
                let verify = await turning.verify(app.id, in: .default, by: Workshop.principal)
                #expect([.unreachable, .noLoginLeft].contains(verify.outcome.reason), "\(verify.outcome)")
            }
        }
        #expect(yard.shop.target.snapshot.gatewayRejections == 2)
        #expect(yard.shop.target.snapshot.workerLogins == 0)
        let last = await turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal)
        #expect(last.outcome.status == .failed && last.outcome.reason == .noLoginLeft)
        yard.shop.clock.advance(seconds: 86_402)
        _ = await turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal)
        #expect(yard.shop.target.snapshot.gatewayRejections == 3)
    }

    @Test("turns that begin together do not use up the gateway's logins, nor lock it")
    func together() async throws {
        for (password, rejections) in [("jump-secret", 0), ("wrong", 2)] {
            let yard = try Self.yard(hosts: 8, gatewayPassword: password)
            let reports = await withTaskGroup(of: TurnReport.self) { group in
                for app in yard.apps {
                    group.addTask {
                        await yard.shop.turning.verify(app.id, in: .default, by: Workshop.principal)
                    }
                }
                return await group.reduce(into: [TurnReport]()) { $0.append($1) }
            }
            #expect(yard.shop.target.snapshot.gatewayRejections == rejections)
            if rejections == 0 { #expect(reports.allSatisfy { $0.outcome.reason == .proven }, "\(reports.map(\.outcome))") }
        }
    }

    @Test("a login that the gateway accepts counts for nothing")
    func accepted() async throws {
        let yard = try Self.yard()
        for _ in 0..<6 {
            let report = await yard.shop.turning.turn(yard.apps[0].id, in: .default, Workshop.order(), by: Workshop.principal)
            #expect(report.outcome.status == .success, "\(report)")
        }
        #expect(try await Self.attempts(yard) == 0)
        #expect(yard.shop.target.snapshot.gatewayLogins >= 12)
    }

    @Test("a gateway whose password was changed behind our back is noticed at the first rejection, and that counts")
    func changedMeanwhile() async throws {
        let yard = try Self.yard()
        let turning = yard.shop.turning
        #expect(await turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal).outcome.reason == .proven)
        yard.shop.target.with { $0.gatewaySecret = Array("another".utf8) }
        for _ in 0..<6 { _ = await turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal) }
        #expect(yard.shop.target.snapshot.gatewayRejections == 2)
        #expect(try await Self.attempts(yard) == 2)
    }

    @Test("each attempt is durable before it is made, so that a crash loop locks nothing")
    func crashLoop() async throws {
        let yard = try Self.yard(gatewayPassword: "wrong")
        var rejections = 0
        // Each round is a process that died during its first login.
        var path = yard.shop.directory.file("round-0.db")
        try yard.shop.database.backupSync(to: path)
        for round in 1...5 {
            let target = SimulatedTarget(
                { () -> SimulatedTarget.State in
                    var state = yard.shop.target.snapshot
                    state.gatewaySecret = Array("jump-secret".utf8)
                    return state
                }())
            let start = try Workshop(
                copyOf: path, in: yard.shop.directory, target: target, at: Workshop.start, like: yard.shop,
                connectorFor: { _ in target })
            let next = yard.shop.directory.file("round-\(round).db")
            target.with { state in
                state.atGateway = { do { try start.database.backupSync(to: next) } catch {} }
            }
            _ = await start.turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal)
            rejections += target.snapshot.gatewayRejections
            guard target.snapshot.gatewayLogins > 0 else { break }
            path = next
        }
        #expect(rejections == 2)
    }

    @Test(
        "a gateway's password that was changed behind our back is rejected no more often than the limit, however many are at work"
    )
    func changedWhileMany() async throws {
        let yard = try Self.yard(hosts: 12)
        let turning = yard.shop.turning
        #expect(await turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal).outcome.reason == .proven)
        yard.shop.target.with { $0.gatewaySecret = Array("another".utf8) }
        await Self.verifyAll(yard)
        #expect(yard.shop.target.snapshot.gatewayRejections == 2)
        #expect(try await Self.attempts(yard) == 2)
    }

    @Test("each login at a gateway is durable while it is under way, also where the one before was accepted a moment ago")
    func alwaysWritten() async throws {
        let yard = try Self.yard(hosts: 8)
        let counted = Mutex<[Int]>([])
        let atOnce = Mutex((now: 0, most: 0))
        let (path, id) = (yard.shop.database.path, yard.gateway.id)
        let other = try Database.open(at: path)
        yard.shop.target.with { state in
            state.atGateway = {
                atOnce.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                let count = try? other.readSync { db in
                    try LoginAttempts.dates(account: id, identity: id.bytes, since: Timestamp(milliseconds: 0), on: db).count
                }
                usleep(5000)
                counted.withLock { $0.append(count ?? 0) }
                atOnce.withLock { $0.now -= 1 }
            }
        }
        for _ in 0..<3 { await Self.verifyAll(yard) }
        #expect(counted.withLock { $0.count == 24 && $0.allSatisfy { $0 == 1 } }, "\(counted.withLock { $0 })")
        #expect(atOnce.withLock { $0.most } == 1)
        // And nothing of it is left.
        #expect(try await Self.attempts(yard) == 0)
        other.close()
    }

    @Test("that many log in at a gateway does not keep its own account from being checked, nor its check them")
    func checkedMeanwhile() async throws {
        let yard = try Self.yard(hosts: 8)
        let (turning, gateway) = (yard.shop.turning, yard.gateway)
        yard.shop.target.with { state in
            state.live["jump"] = Array("jump-secret".utf8)
            state.atGateway = { usleep(2000) }
        }
        // One of the day's two is used up already.
        try await yard.shop.database.write { [now = yard.shop.clock.wall.now()] db in
            let id = LoginAttempts.ID.random()
            try LoginAttempts.begin(
                id, account: gateway.id, identity: gateway.id.bytes, version: LoginAttempts.wrongSecret, in: .default, at: now,
                on: db)
            try LoginAttempts.end(id, .rejected, on: db)
        }
        async let checks = Self.verifyAll(yard, times: 5)
        for _ in 0..<10 {
            let report = await turning.verify(gateway.id, in: .default, by: Workshop.principal)
            #expect(report.outcome.reason == .proven, "\(report.outcome)")
        }
        #expect(await checks.allSatisfy { $0.outcome.reason == .proven })
        #expect(try await Self.attempts(yard) == 1)
    }

    @discardableResult
    private static func verifyAll(_ yard: Yard, times: Int = 1) async -> [TurnReport] {
        await withTaskGroup(of: [TurnReport].self) { group in
            for app in yard.apps {
                group.addTask {
                    var reports: [TurnReport] = []
                    for _ in 0..<times {
                        reports.append(await yard.shop.turning.verify(app.id, in: .default, by: Workshop.principal))
                    }
                    return reports
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    @Test(
        "a real gateway whose password is changed while many work through it sees no more wrong logins than the limit",
        .enabled(if: TestHost.obstacle == nil, "needs a host of its own"))
    func realChanged() async throws {
        let host = try await TestHost.start(users: [.init("jump", password: "jump-secret")], hostKeys: [.ed25519])
        let yard = try Self.yard(hosts: 8, port: host.port, hostKey: host.hostKey) { parts in
            parts.connector = { _ in LinuxConnector() }
            parts.stepLimit = .seconds(60)
        }
        // The targets behind it are not there; the gateway's own login is what counts.
        await Self.verifyAll(yard)
        #expect(try await Self.attempts(yard) == 0)
        try await host.expect("echo jump:another | chpasswd")
        await Self.verifyAll(yard, times: 3)
        #expect(try await host.count(of: "Failed password for jump", awaiting: 2) == 2, "\(host.log)")
        #expect(try await host.count(of: "Accepted password for jump", awaiting: 8) >= 8, "\(host.log)")
        await host.stop()
    }

    @Test(
        "a real gateway sees no more wrong logins than the limit",
        .enabled(if: TestHost.obstacle == nil, "needs a host of its own"))
    func real() async throws {
        let host = try await TestHost.start(users: [.init("jump", password: "jump-secret")], hostKeys: [.ed25519])
        let yard = try Self.yard(gatewayPassword: "wrong", port: host.port, hostKey: host.hostKey) { parts in
            parts.connector = { _ in LinuxConnector() }
            parts.stepLimit = .seconds(60)
        }
        var outcomes: [RecordOutcome] = []
        for _ in 0..<5 {
            outcomes.append(await yard.shop.turning.verify(yard.apps[0].id, in: .default, by: Workshop.principal).outcome)
        }
        #expect(
            outcomes.map(\.reason) == [.unreachable, .unreachable, .noLoginLeft, .noLoginLeft, .noLoginLeft], "\(outcomes)")
        #expect(try await host.count(of: "Failed password for jump", awaiting: 2) == 2, "\(host.log)")
        await host.stop()
    }
}
