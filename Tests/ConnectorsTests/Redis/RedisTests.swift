import Connectors
import Domain
import TestSupport
import Testing

@Suite("Redis", .serialized)
struct RedisTests {
    private static let started = Task { RedisFixture(try await RedisServer()) }

    private static func open(_ fixture: RedisFixture, _ target: Target? = nil) throws -> any SecretChanging & AccountPushing
        & VerifierReading
    {
        try #require(
            try fixture.connector.open(target ?? fixture.target, as: fixture.worker)
                as? any SecretChanging & AccountPushing & VerifierReading)
    }

    private static func user(_ name: String, _ rules: String...) async throws -> RedisFixture {
        let fixture = try await started.value
        try await fixture.server.run("ACL", "DELUSER", name)
        _ = try await onOwnThread {
            try Self.open(fixture).create(AccountPush(request: fixture.request(name)), secret: .of("Right-1!"))
        }
        for rule in rules { try await fixture.server.run("ACL", "SETUSER", name, rule) }
        return fixture
    }

    @Test("both passwords are live until the old one is retired")
    func overlap() async throws {
        let fixture = try await Self.user("app")
        try await onOwnThread {
            let session = try Self.open(fixture)
            let request = fixture.request("app")
            try session.install(request, secret: .of("Next-2!"))
            for secret in ["Right-1!", "Next-2!"] {
                #expect(
                    try fixture.connector.verify(fixture.credential("app", secret), on: fixture.target, by: .direct) == .proven)
            }
            try session.retire(request, keeping: .of("Next-2!"), old: .some(.of("Right-1!")))
            #expect(try session.compare(request, with: .of("Right-1!")) == .different)
            #expect(try session.compare(request, with: .of("Next-2!")) == .same)
            // What is to be kept must be there.
            let fault = #expect(throws: ConnectorFault.self) { try session.retire(request, keeping: .of("Absent-1!"), old: nil) }
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(try session.compare(request, with: .of("Next-2!")) == .same)
        }
    }

    @Test("what is set is kept over a restart, or is not set", arguments: RedisServer.Persistence.allCases)
    func persistence(_ persistence: RedisServer.Persistence) async throws {
        let fixture = RedisFixture(try await RedisServer(persistence))
        try await fixture.server.run("ACL", "SETUSER", "app", "on", ">Right-1!")
        try await onOwnThread {
            let session = try Self.open(fixture)
            let request = fixture.request("app")
            guard persistence != .nowhere else {
                for step in [{ try session.prepare(request) }, { try session.install(request, secret: .of("Next-2!")) }] {
                    let fault = #expect(throws: ConnectorFault.self) { try step() }
                    #expect(fault?.kind == .unsupported)
                    #expect(fault?.effect == ConnectorFault.Effect.none)
                }
                let both = ChangeRequest(username: "app", secretType: .password, parameters: ["keep_previous": "true"])
                try session.prepare(both)
                try session.install(both, secret: .of("Next-2!"))
                try session.retire(both, keeping: .of("Next-2!"), old: .some(.of("Right-1!")))
                #expect(try session.compare(both, with: .of("Right-1!")) == .same)
                #expect(try session.compare(both, with: .of("Next-2!")) == .same)
                return
            }
            try session.prepare(request)
            try session.install(request, secret: .of("Next-2!"))
            try session.retire(request, keeping: .of("Next-2!"), old: .some(.of("Right-1!")))
        }
        guard persistence != .nowhere else { return }
        let kept = fixture.server.kept(persistence)
        #expect(kept.contains("user app on"))
        #expect(!kept.contains("Next-2!"))
    }

    @Test("a server is the same one after it has drawn another replication id, as it does at every start")
    func identity() async throws {
        let fixture = RedisFixture(try await RedisServer())
        let before = try await onOwnThread { try Self.open(fixture).system }
        try await fixture.server.run("REPLICAOF", "127.0.0.1", "1")
        try await fixture.server.run("REPLICAOF", "NO", "ONE")
        #expect(try await onOwnThread { try Self.open(fixture).system } == before)
        let elsewhere = fixture.target(["allow_clear_text": "true"], address: "127.0.0.1", port: Int(fixture.server.clearPort))
        #expect(try await onOwnThread { try Self.open(fixture, elsewhere).system } != before)
    }

    @Test("a user who needs no password, or is off, is not given one that nothing could prove", arguments: ["nopass", "off"])
    func unprovable(_ rule: String) async throws {
        let fixture = try await Self.user("odd", rule)
        try await onOwnThread {
            let session = try Self.open(fixture)
            let fault = #expect(throws: ConnectorFault.self) { try session.prepare(fixture.request("odd")) }
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(try session.find("odd")?.isLocked == (rule == "off"))
            let verdict = try fixture.connector.verify(fixture.credential("odd", "Right-1!"), on: fixture.target, by: .direct)
            switch (verdict, rule) {
            case (.unverifiable, "nopass"), (.rejected, "off"): break
            default: Issue.record("\(verdict)")
            }
        }
    }

    @Test("a password goes over TLS to a server that has proved who it is, or in clear where the asset says so")
    func channels() async throws {
        let fixture = try await Self.user("app")
        try await onOwnThread {
            let right = fixture.credential("app", "Right-1!")
            let authority = fixture.server.certificates.authority
            for target in [
                fixture.target([:], port: Int(fixture.server.clearPort)), fixture.target(["use_ssl": "true"]),
                fixture.target(["use_ssl": "true", "ca_cert": authority], address: "127.0.0.1"),
                fixture.target(
                    ["use_ssl": "true", "ca_cert": authority], port: Int(fixture.server.clearPort), step: .seconds(3)),
            ] {
                let fault = #expect(throws: ConnectorFault.self) {
                    _ = try fixture.connector.verify(right, on: target, by: .direct)
                }
                #expect(fault?.kind == .noSafeChannel || fault?.kind == .timedOut, "\(String(describing: fault))")
            }
            let clear = try fixture.connector.verify(right, on: fixture.clearTarget(), by: .direct)
            #expect(clear == .proven)
            let any = fixture.target(["use_ssl": "true", "allow_invalid_cert": "true"], address: "127.0.0.1")
            #expect(try fixture.connector.verify(right, on: any, by: .direct) == .proven)
        }
    }

    @Test(
        "rules of a push are about what a user may do, never about how it logs in",
        arguments: [">x", "nopass", "on", "resetpass", "#00", "reset"])
    func rules(_ rule: String) async throws {
        let fixture = try await Self.user("ruled")
        try await onOwnThread {
            let session = try Self.open(fixture)
            let bad = ChangeRequest(username: "ruled", secretType: .password, parameters: ["acl_rules": "~app:* " + rule])
            let fault = #expect(throws: ConnectorFault.self) { try session.update(AccountPush(request: bad)) }
            #expect(fault?.effect == ConnectorFault.Effect.none)
            let good = ChangeRequest(username: "ruled", secretType: .password, parameters: ["acl_rules": "~app:* +@read"])
            try session.update(AccountPush(request: good))
        }
        let line = try await fixture.verifiers()["ruled"] ?? ""
        #expect(line.contains("~app:*") && line.contains("+@read"))
    }

    @Test("a change whose answer is lost may have happened", arguments: [CuttingProxy.Cut.before, .after, .silence])
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let fixture = try await Self.user("halfway")
        let proxy = try CuttingProxy(to: fixture.server.clearPort, at: ["SETUSER"], cut)
        let before = try await fixture.verifiers()["halfway"]
        try await onOwnThread {
            let session = try Self.open(fixture, fixture.clearTarget(port: proxy.port, step: .seconds(cut == .silence ? 5 : 60)))
            let fault = #expect(throws: ConnectorFault.self) {
                try session.install(fixture.request("halfway"), secret: .of("Half-2!"))
            }
            #expect(fault?.effect == .unknown)
            #expect(fault?.kind == (cut == .silence ? .timedOut : .cut))
        }
        #expect(proxy.count == 1)
        #expect((try await fixture.verifiers()["halfway"] == before) == (cut == .before))
    }
}
