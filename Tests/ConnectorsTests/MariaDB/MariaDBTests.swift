import Connectors
import Domain
import TestSupport
import Testing

@Suite("MariaDB", .serialized)
struct MariaDBTests {
    private static let started = Task {
        MariaDBFixture(try await MariaDBServer(options: ["--plugin-load-add=simple_password_check"]))
    }

    private static func open(_ fixture: MariaDBFixture, _ target: Target? = nil, as worker: Worker? = nil) throws
        -> any SecretChanging & AccountPushing & AccountRemoving & VerifierReading
    {
        try #require(
            try fixture.connector.open(target ?? fixture.target, as: worker ?? fixture.worker)
                as? any SecretChanging & AccountPushing & AccountRemoving & VerifierReading)
    }

    /// Accounts made anew by root, by what stands behind `CREATE USER`.
    private static func accounts(_ list: String...) async throws -> MariaDBFixture {
        let fixture = try await started.value
        try await fixture.server.sql("SET GLOBAL strict_password_validation = OFF;")
        for account in list {
            let name = account.split(separator: " ")[0]
            try await fixture.server.sql("DROP USER IF EXISTS \(name); CREATE USER \(account);")
        }
        return fixture
    }

    @Test("an account's plugin is kept, and its verifier is made here", arguments: ["mysql_native_password", "ed25519"])
    func plugin(_ plugin: String) async throws {
        let fixture = try await Self.accounts("app@'%' IDENTIFIED VIA \(plugin) USING PASSWORD('Right-1!aa')")
        try await onOwnThread {
            let session = try Self.open(fixture)
            let request = fixture.request("app")
            #expect(try session.find("app")?.attributes["plugin"] == plugin)
            #expect(try session.compare(request, with: .of("Right-1!aa")) == .same)
            #expect(
                try fixture.connector.verify(fixture.credential("app", "Right-1!aa"), on: fixture.target, by: .direct) == .proven)
            try session.install(request, secret: .of("Next-2!"))
            #expect(try session.compare(request, with: .of("Next-2!")) == .same)
            #expect(try session.compare(request, with: .of("Right-1!aa")) == .different)
            #expect(
                try fixture.connector.verify(fixture.credential("app", "Next-2!"), on: fixture.target, by: .direct) == .proven)
            #expect(try session.find("app")?.attributes["plugin"] == plugin)
        }
        #expect(!fixture.server.log.contains("Next-2!"))
    }

    @Test("one host, all hosts, or the only one there is")
    func hosts() async throws {
        let fixture = try await Self.accounts(
            "multi@'%' IDENTIFIED BY 'Right-1!aa'", "multi@'10.%' IDENTIFIED BY 'Right-1!aa'",
            "single@'127.0.0.1' IDENTIFIED BY 'Right-1!aa'",
            "split@'10.1.%' IDENTIFIED BY 'Right-1!aa'", "split@'10.2.%' IDENTIFIED BY 'Right-1!aa'")
        let before = try await fixture.verifiers()
        func changed() async throws -> Set<String> {
            let after = try await fixture.verifiers()
            return Set(after.filter { before[$0.key] != $0.value }.map(\.key))
        }
        func install(_ name: String, _ parameters: [String: String]) async throws {
            try await onOwnThread {
                let request = ChangeRequest(username: name, secretType: .password, parameters: parameters)
                try Self.open(fixture).install(request, secret: .of("Next-2!"))
            }
        }
        try await install("multi", [:])
        #expect(try await changed() == ["multi"])
        try await install("multi", ["account_host": "10.%"])
        #expect(try await changed() == ["multi", "multi@10.%"])
        try await install("single", [:])
        #expect(try await changed() == ["multi", "multi@10.%", "single@127.0.0.1"])
        try await onOwnThread {
            let session = try Self.open(fixture)
            let fault = #expect(throws: ConnectorFault.self) { try session.prepare(fixture.request("split")) }
            #expect(fault?.kind == .unsupported)
            #expect(try session.find("multi", parameters: ["account_host": "10.%"])?.identity == "multi@10.%")
            #expect(try session.find("multi")?.identity == "multi@%")
        }
        try await install("split", ["all_hosts": "true"])
        #expect(try await changed() == ["multi", "multi@10.%", "single@127.0.0.1", "split@10.1.%", "split@10.2.%"])
    }

    @Test(
        "an account that no password proves is not changed",
        arguments: [
            "unix@'%' IDENTIFIED VIA unix_socket",
            "twice@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('Right-1!aa')",
            "shut@'%' IDENTIFIED BY 'Right-1!aa' ACCOUNT LOCK", "card@'%' IDENTIFIED BY 'Right-1!aa' REQUIRE X509",
        ])
    func unprovable(_ account: String) async throws {
        let fixture = try await Self.accounts(account)
        let before = try await fixture.verifiers()
        let name = String(account.prefix { $0 != "@" })
        try await onOwnThread {
            let session = try Self.open(fixture)
            let fault = #expect(throws: ConnectorFault.self, "\(account)") { try session.prepare(fixture.request(name)) }
            #expect(fault?.effect == ConnectorFault.Effect.none)
        }
        #expect(try await fixture.verifiers() == before)
    }

    @Test("an expired password is replaced by one that is not")
    func expired() async throws {
        let fixture = try await Self.accounts("gone@'%' IDENTIFIED BY 'Right-1!aa' PASSWORD EXPIRE")
        try await onOwnThread {
            let session = try Self.open(fixture)
            #expect(try session.find("gone")?.attributes["expired"] == "true")
            try session.prepare(fixture.request("gone"))
            try session.install(fixture.request("gone"), secret: .of("Next-2!"))
            #expect(try session.find("gone")?.attributes["expired"] == "false")
            let verdict = try fixture.connector.verify(fixture.credential("gone", "Next-2!"), on: fixture.target, by: .direct)
            #expect(verdict == .proven)
        }
    }

    @Test("a login that says nothing about the password is not a wrong password")
    func verdicts() async throws {
        let fixture = try await Self.accounts(
            "shut@'%' IDENTIFIED BY 'Right-1!aa' ACCOUNT LOCK", "gone@'%' IDENTIFIED BY 'Right-1!aa' PASSWORD EXPIRE",
            "unix@'%' IDENTIFIED VIA unix_socket")
        try await onOwnThread {
            for name in ["shut", "gone"] {
                let verdict = try fixture.connector.verify(
                    fixture.credential(name, "Right-1!aa"), on: fixture.target, by: .direct)
                guard case .lockedOut = verdict else {
                    Issue.record("\(name): \(verdict)")
                    continue
                }
            }
            let verdict = try fixture.connector.verify(fixture.credential("unix", "Right-1!aa"), on: fixture.target, by: .direct)
            guard case .unverifiable = verdict else {
                Issue.record("\(verdict)")
                return
            }
        }
    }

    @Test("a certificate for another name ends the talk before the proof, and a channel without TLS shows no password")
    func channels() async throws {
        let fixture = try await Self.accounts("app@'%' IDENTIFIED BY 'Right-1!aa'")
        let other = try TestCertificates(in: TemporaryDirectory(), names: ["DNS:localhost"]).authority
        try await onOwnThread {
            let right = fixture.credential("app", "Right-1!aa")
            let authority = fixture.server.certificates.authority
            for target in [
                fixture.target(["use_ssl": "true", "ca_cert": authority], address: "127.0.0.1"),
                fixture.target(["use_ssl": "true", "ca_cert": other]), fixture.target(["use_ssl": "true"]),
            ] {
                let fault = #expect(throws: ConnectorFault.self) {
                    _ = try fixture.connector.verify(right, on: target, by: .direct)
                }
                #expect(fault?.kind == .noSafeChannel)
            }
            for target in [
                fixture.target([:]), fixture.target(["use_ssl": "true", "allow_invalid_cert": "true"], address: "127.0.0.1"),
            ] {
                let verdict = try fixture.connector.verify(right, on: target, by: .direct)
                #expect(verdict == .proven)
            }
        }
    }

    @Test("a server that takes any password proves nothing")
    func skipping() async throws {
        let fixture = MariaDBFixture(try await MariaDBServer(options: ["--skip-grant-tables"]))
        try await onOwnThread {
            let verdict = try fixture.connector.verify(
                fixture.credential("anybody", "Anything-1!"), on: fixture.target, by: .direct)
            guard case .unverifiable = verdict else {
                Issue.record("\(verdict)")
                return
            }
        }
    }

    @Test("a server that wants to see passwords in clear is told none")
    func strict() async throws {
        let fixture = try await Self.accounts("app@'%' IDENTIFIED BY 'Right-1!aa'")
        try await fixture.server.sql("SET GLOBAL strict_password_validation = ON")
        try await onOwnThread {
            let fault = #expect(throws: ConnectorFault.self) {
                try Self.open(fixture).install(fixture.request("app"), secret: .of("Next-2!aa"))
            }
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(fault?.kind == .unsupported)
            // It is seen before a candidate is made, and the words say what would help.
            let early = #expect(throws: ConnectorFault.self) { try Self.open(fixture).prepare(fixture.request("app")) }
            #expect(early?.kind == .unsupported && early?.words.contains("strict_password_validation") == true)
        }
        #expect(!fixture.server.log.contains("Next-2!aa"))
        try await fixture.server.sql("SET GLOBAL strict_password_validation = OFF")
        try await onOwnThread { try Self.open(fixture).prepare(fixture.request("app")) }
    }

    @Test("a worker without the right to change is told so")
    func unprivileged() async throws {
        let fixture = try await Self.accounts("weak@'%' IDENTIFIED BY 'Right-1!aa'", "app@'%' IDENTIFIED BY 'Right-1!aa'")
        try await onOwnThread {
            let session = try Self.open(fixture, as: Worker(credential: fixture.credential("weak", "Right-1!aa")))
            let fault = #expect(throws: ConnectorFault.self) {
                try session.install(fixture.request("app"), secret: .of("Never-1!"))
            }
            #expect(fault?.kind == .notPermitted)
            #expect(fault?.effect == ConnectorFault.Effect.none)
        }
    }

    @Test("a change whose answer is lost may have happened", arguments: [CuttingProxy.Cut.before, .after, .silence])
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let fixture = try await Self.accounts("halfway@'%' IDENTIFIED BY 'Right-1!aa'")
        let proxy = try CuttingProxy(to: fixture.server.port, at: ["ALTER USER"], cut)
        let before = try await fixture.verifiers()["halfway"]
        try await onOwnThread {
            let target = fixture.target(
                [:], address: "127.0.0.1", port: Int(proxy.port), step: .seconds(cut == .silence ? 5 : 60))
            let session = try Self.open(fixture, target)
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
