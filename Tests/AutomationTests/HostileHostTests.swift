import Connectors
import Cryptography
import Domain
import Sealing
import TestSupport
import Testing
import Vault

@testable import Automation
@testable import Storage

/// Whole turns on real hosts that lie: whatever they do, it has a state of its own, and none of it is success.
@Suite("Turns on hostile hosts", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct HostileHostTests {
    private static let old = "Old-secret-1!"

    private struct Scene {
        let shop: Workshop
        let host: TestHost
        let app: Account
    }

    /// A host with `root` to do the work and `app` to be turned, which holds this secret.
    private static func scene(
        _ host: TestHost, secretType: SecretType = .password, secret: String = old, step: Duration = .seconds(60),
        port: Int? = nil
    ) throws -> Scene {
        let shop = try Workshop({
            $0.connector = { $0 == "linux" ? LinuxConnector() : nil }
            $0.stepLimit = step
        })
        let asset = Asset(
            id: .random(), organization: .default, name: "host", address: "127.0.0.1", platform: .init(rawValue: 1),
            protocols: [AssetProtocol(name: "ssh", port: port ?? host.port)], dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        try shop.add(asset)
        try shop.add(Workshop.account(40, on: asset, name: "root", privileged: true), secret: host.root.password)
        var app = Workshop.account(41, on: asset, name: "app")
        app.secretType = secretType
        try shop.add(app, secret: secret)
        return Scene(shop: shop, host: host, app: app)
    }

    private static func turn(_ scene: Scene) async -> TurnReport {
        await scene.shop.turning.turn(scene.app.id, in: .default, Workshop.order(), by: Workshop.principal)
    }

    private static func served(_ scene: Scene) throws -> String {
        String(decoding: try scene.shop.served(scene.app.id) ?? [], as: UTF8.self)
    }

    /// Puts a program of ours in the place of one of the host's.
    private static func replace(_ path: String, _ script: String, on host: TestHost) async throws {
        try await host.expect(
            "mkdir -p /run/real /run/fake; cp -p \(path) /run/real/; cat > /run/fake/program; chmod 755 /run/fake/program; "
                + "mount --bind /run/fake/program \(path)", input: Array(script.utf8))
    }

    // MARK: - Lets in anybody

    @Test("an sshd whose PAM permits all is unverifiable, the new secret is kept as current, and the old one too")
    func permitsAll() async throws {
        let host = try await TestHost.start(
            users: [.init("app", password: Self.old)], hostKeys: [.ed25519],
            setUp: "sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/sshd")
        let scene = try Self.scene(host)
        let report = await Self.turn(scene)
        #expect(report.outcome.status == .unverifiable && report.outcome.reason == .noProof, "\(report)")
        #expect(try scene.shop.kept(scene.app.id)[1] == Array(Self.old.utf8))
        let check = await scene.shop.turning.verify(scene.app.id, in: .default, by: Workshop.principal)
        #expect([.unverifiable, .skipped].contains(check.outcome.status), "\(check)")
        await host.stop()
    }

    @Test("an sshd that accepts any key is unverifiable, by a turn and by a check")
    func anyKey() async throws {
        let (key, stranger) = (try TestKeyPair.make(.ed25519), try TestKeyPair.make(.ed25519))
        let host = try await TestHost.start(
            users: [.init("app", keys: [key.publicKey])], hostKeys: [.ed25519],
            settings: ["AuthorizedKeysCommand /etc/ssh/any-key %t %k", "AuthorizedKeysCommandUser nobody"],
            setUp: "printf '#!/bin/sh\\necho \"$1 $2\"\\n' > /etc/ssh/any-key; chmod 755 /etc/ssh/any-key")
        let scene = try Self.scene(
            host, secretType: .sshKey, secret: String(decoding: stranger.privateKey, as: UTF8.self))
        // The host has never seen this key, and takes it.
        let check = await scene.shop.turning.verify(scene.app.id, in: .default, by: Workshop.principal)
        #expect(check.outcome.status == .unverifiable && check.outcome.reason == .noProof, "\(check)")
        var order = Workshop.order()
        order.strategy = .random { try SSHKeyPair.generate(.ed25519).openSSH() }
        let report = await scene.shop.turning.turn(scene.app.id, in: .default, order, by: Workshop.principal)
        #expect(report.outcome.status == .unverifiable && report.outcome.reason == .noProof, "\(report)")
        #expect(try scene.shop.kept(scene.app.id)[1] == stranger.privateKey)
        // Nothing that was there is taken away on the strength of no proof.
        #expect(try await host.expect("cat /home/app/.ssh/authorized_keys").contains(key.publicKey.split(separator: " ")[1]))
        await host.stop()
    }

    // MARK: - Lies

    @Test("a host that says that it changed the password and did not never ends in success, and what is served logs in")
    func lies() async throws {
        let host = try await TestHost.start(users: [.init("app", password: Self.old)], hostKeys: [.ed25519])
        try await Self.replace("/usr/sbin/chpasswd", "#!/bin/sh\ncat > /dev/null\n", on: host)
        let scene = try Self.scene(host)
        let report = await Self.turn(scene)
        #expect(report.outcome.status != .success, "\(report)")
        for _ in 0..<12 {
            guard let next = try await scene.shop.database.read({ try SecretChanges.nextDue(on: $0) }) else { break }
            scene.shop.clock.set(max(next, scene.shop.clock.wall.now().adding(seconds: 1)))
            try await Settlement(scene.shop.turning).pass()
        }
        #expect(try await scene.shop.database.read { try SecretChanges.nextDue(on: $0) } == nil)
        #expect(try Self.served(scene) == Self.old)
        let failures = try await host.settledLog().split(whereSeparator: \.isNewline).filter {
            $0.contains("Failed password for app")
        }
        let days = Int((scene.shop.clock.wall.now().seconds - Workshop.start.seconds) / 86_400) + 1
        #expect(failures.count <= 2 * days, "\(failures) in \(days) days")
        await host.stop()
    }

    @Test("a host that says the new password in its answer has it in no record")
    func echoes() async throws {
        let host = try await TestHost.start(users: [.init("app", password: Self.old)], hostKeys: [.ed25519])
        try await Self.replace("/usr/sbin/chpasswd", "#!/bin/sh\necho 'BAD PASSWORD:'; cat; exit 1\n", on: host)
        let scene = try Self.scene(host)
        let report = await Self.turn(scene)
        #expect([.refused, .uncertain, .failed].contains(report.outcome.status), "\(report)")
        let said = ([report] + scene.shop.records.all).flatMap { [$0.outcome.words] + $0.steps.map(\.words) }.joined(
            separator: "\n")
        for (_, value) in try scene.shop.kept(scene.app.id) {
            #expect(!said.contains(String(decoding: value, as: UTF8.self)))
        }
        #expect(said.contains("BAD PASSWORD"), "\(said)")
        await host.stop()
    }

    @Test("an account that useradd left half made is made whole, by the same push or by the next one", arguments: [false, true])
    func halfMade(isFull: Bool) async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519])
        try await Self.replace(
            "/usr/sbin/useradd",
            """
            #!/bin/bash
            /run/real/useradd "$@"
            sed -i '/^app:/d' /etc/group /etc/gshadow; rm -rf /home/app; echo called >> /run/called; exit 10

            """, on: host)
        let scene = try Self.scene(host)
        let push = { () async -> TurnReport in
            await scene.shop.turning.push(
                scene.app.id, in: .default, Workshop.order { $0.parameters = ["sudo": "/usr/bin/id"] }, by: Workshop.principal)
        }
        if isFull {
            try await host.expect(
                "printf '#!/bin/sh\\nexit 1\\n' > /run/full; chmod 755 /run/full; mount --bind /run/full /usr/sbin/chpasswd")
            let report = await push()
            #expect(report.outcome.status == .uncertain, "\(report)")
            try await host.expect("umount /usr/sbin/chpasswd")
        }
        let report = await push()
        #expect(report.outcome.reason != .unchanged, "\(report)")
        try await scene.shop.settle()
        let check = await scene.shop.turning.verify(scene.app.id, in: .default, by: Workshop.principal)
        #expect(check.outcome.status == .success, "\(check) after \(report)")
        #expect(try Self.served(scene) == Self.old)
        #expect(
            try await host.expect("cat /run/called; id -gn app; stat -c %U /home/app; su app -c 'sudo -n id -u'")
                == "called\napp\napp\n0\n")
        await host.stop()
    }

    // MARK: - Hangs, floods, another key

    @Test("a server that hangs is timed out, and nothing was sent", arguments: [true, false])
    func hangs(afterBanner: Bool) async throws {
        let host = try await TestHost.start(users: [.init("app", password: Self.old)], hostKeys: [.ed25519])
        let server = try ScriptedServer { client in
            if afterBanner { try client.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)) }
            client.readAll()
        }
        let scene = try Self.scene(host, step: .seconds(3), port: Int(server.port))
        let report = await Self.turn(scene)
        #expect(report.outcome.status == .failed && report.outcome.reason == .timedOut, "\(report)")
        #expect(try Self.served(scene) == Self.old)
        await host.stop()
    }

    @Test("a server that sends a gigabyte is left, before the login and as the answer to a command")
    func gigabyte() async throws {
        let host = try await TestHost.start(users: [.init("app", password: Self.old)], hostKeys: [.ed25519])
        let server = try ScriptedServer { client in
            try client.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
            let block = [UInt8](repeating: 65, count: 1 << 20)
            for _ in 0..<1024 { try client.send(block) }
        }
        let before = try Self.scene(host, step: .seconds(5), port: Int(server.port))
        let first = await Self.turn(before)
        #expect(first.outcome.status == .failed, "\(first)")
        #expect([.brokenProtocol, .timedOut, .cut].contains(first.outcome.reason), "\(first)")

        // What a shell that is started by sshd reads first.
        try await host.expect(
            "printf '%s\\n' 'head -c 1073741824 /dev/zero' | cat - /root/.bashrc > /tmp/rc; cat /tmp/rc > /root/.bashrc")
        let scene = try Self.scene(host)
        let second = await Self.turn(scene)
        #expect(second.outcome.status == .failed && second.outcome.reason == .brokenProtocol, "\(second)")
        #expect(try Self.served(scene) == Self.old)
        await host.stop()
    }

    @Test("a host that shows another key than at the first contact gets nothing, and has a state of its own")
    func anotherKey() async throws {
        let host = try await TestHost.start(users: [.init("app", password: Self.old)], hostKeys: [.ed25519])
        let scene = try Self.scene(host)
        #expect(await Self.turn(scene).outcome.status == .success)
        let (served, attempts) = (
            try Self.served(scene),
            try await host.settledLog().split(whereSeparator: \.isNewline).filter { $0.contains("for app") }.count
        )
        _ = try await host.changeHostKey()
        let report = await Self.turn(scene)
        #expect(report.outcome.status == .failed && report.outcome.reason == .hostKeyChanged, "\(report)")
        let check = await scene.shop.turning.verify(scene.app.id, in: .default, by: Workshop.principal)
        #expect(check.outcome.status == .failed && check.outcome.reason == .hostKeyChanged, "\(check)")
        #expect(try Self.served(scene) == served)
        #expect(
            try await host.settledLog().split(whereSeparator: \.isNewline).filter { $0.contains("for app") }.count == attempts)
        await host.stop()
    }
}

/// Whole turns on databases that change their mind, or ask for what they must not have.
@Suite("Turns on hostile databases")
struct HostileDatabaseTests {
    private static let old = "Old-secret-1!"

    private static func scene(
        port: Int, mode: String, authority: String? = nil
    ) throws -> (shop: Workshop, app: Account) {
        let shop = try Workshop({
            $0.connector = { $0 == "postgresql" ? PostgreSQL() : nil }
            $0.stepLimit = .seconds(60)
        })
        var specific = ["pg_ssl_mode": mode]
        if let authority { specific["ca_cert"] = authority }
        let asset = Asset(
            id: .random(), organization: .default, name: "database", address: "localhost", platform: .init(rawValue: 19),
            protocols: [AssetProtocol(name: "postgresql", port: port)], specific: specific, dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        try shop.add(asset)
        try shop.add(
            Workshop.account(50, on: asset, name: PostgreSQLServer.superuser, privileged: true),
            secret: PostgreSQLServer.superuserPassword)
        let app = Workshop.account(51, on: asset, name: "app")
        try shop.add(app, secret: old)
        return (shop, app)
    }

    @Test("one that asks for the password in clear is given none, and the turn says that there is no safe channel")
    func clear() async throws {
        let server = try ScriptedServer { client in
            client.read()
            // AuthenticationCleartextPassword.
            try client.send([UInt8(ascii: "R"), 0, 0, 0, 8, 0, 0, 0, 3])
            client.readAll()
        }
        let (shop, app) = try Self.scene(port: Int(server.port), mode: "disable")
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .failed && report.outcome.reason == .noSafeChannel, "\(report)")
        let heard = String(decoding: server.received, as: UTF8.self)
        #expect(!heard.contains(PostgreSQLServer.superuserPassword) && !heard.contains(Self.old))
    }

    @Test(
        "one that takes the change and then lets the account in no more is unverifiable, and the secret that it stores is served")
    func acceptsThenRefuses() async throws {
        // The worker changes the role; the server's own rules never let the role in.
        let server = try await PostgreSQLServer(access: ["host all app 127.0.0.1/32 reject"])
        try await server.sql("CREATE ROLE app LOGIN PASSWORD '\(Self.old)'")
        let (shop, app) = try Self.scene(
            port: Int(server.port), mode: "verify-full", authority: server.certificates.authority)
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status != .success, "\(report)")
        for _ in 0..<12 {
            guard let next = try await shop.database.read({ try SecretChanges.nextDue(on: $0) }) else { break }
            shop.clock.set(max(next, shop.clock.wall.now().adding(seconds: 1)))
            try await Settlement(shop.turning).pass()
        }
        let last = try #require(shop.records.all.last)
        #expect(last.outcome.status == .unverifiable && last.outcome.reason == .lockedOut, "\(last.outcome)")
        #expect(try await shop.database.read { try SecretChanges.nextDue(on: $0) } == nil)
        // What is served is what is stored there, as is seen where the rule is gone.
        let served = String(decoding: try shop.served(app.id) ?? [], as: UTF8.self)
        #expect(served != Self.old && !served.isEmpty)
        try server.process.directory.write(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n", to: "pg_hba.conf")
        try await server.sql("SELECT pg_reload_conf()")
        shop.clock.advance(seconds: 2 * 86_400)
        var check = await shop.turning.verify(app.id, in: .default, by: Workshop.principal)
        for _ in 0..<600 where check.outcome.reason == .lockedOut {
            // The server takes its rules up in its own time.
            try await Task.sleep(for: .milliseconds(100))
            shop.clock.advance(seconds: 86_402)
            check = await shop.turning.verify(app.id, in: .default, by: Workshop.principal)
        }
        #expect(check.outcome.reason == .proven, "\(check)")
    }
}
