import Connectors
import Cryptography
import Domain
import TestSupport
import Testing

@Suite("PostgreSQL", .serialized)
struct PostgreSQLTests {
    /// One server for the suite, on which roles are let in by their names' beginnings.
    private static let started = Task {
        PostgreSQLFixture(
            try await PostgreSQLServer(
                access: [
                    "host all trusted 127.0.0.1/32 trust", "host all md5er 127.0.0.1/32 md5",
                    "host all clear 127.0.0.1/32 password",
                    "host all nobody 127.0.0.1/32 reject",
                ], settings: ["shared_preload_libraries": "passwordcheck"]))
    }

    private static func open(_ fixture: PostgreSQLFixture, _ target: Target? = nil, as worker: Worker? = nil) throws
        -> any SecretChanging & AccountPushing & AccountRemoving & VerifierReading
    {
        try #require(
            try fixture.connector.open(target ?? fixture.target, as: worker ?? fixture.worker)
                as? any SecretChanging & AccountPushing & AccountRemoving & VerifierReading)
    }

    /// A role with a password, made anew by the superuser.
    private static func role(_ name: String, _ options: String = "LOGIN", password: String = "Right-1!") async throws
        -> PostgreSQLFixture
    {
        let fixture = try await started.value
        try await fixture.server.sql(
            "DROP ROLE IF EXISTS \(name); SET password_encryption = 'scram-sha-256'; CREATE ROLE \(name) \(options) PASSWORD '\(password)';"
        )
        return fixture
    }

    private static func stored(_ fixture: PostgreSQLFixture, _ name: String) async throws -> String {
        try await fixture.verifiers()[name] ?? ""
    }

    @Test("a role that is let in without its password proves nothing", arguments: ["verify-full", "require", "disable"])
    func trusted(_ mode: String) async throws {
        let fixture = try await Self.role("trusted")
        try await onOwnThread {
            for secret in ["Right-1!", "Wrong-1!"] {
                let verdict = try fixture.connector.verify(
                    fixture.credential("trusted", secret), on: fixture.target(mode), by: .direct)
                guard case .unverifiable = verdict else {
                    Issue.record("\(verdict)")
                    return
                }
            }
        }
    }

    @Test("a server that asks in clear is answered only where it has proved who it is", arguments: ["clear", "md5er"])
    func methods(_ name: String) async throws {
        let fixture = try await Self.role(name)
        if name == "md5er" {
            try await fixture.server.sql("SET password_encryption = 'md5'; ALTER ROLE md5er PASSWORD 'Right-1!'")
        }
        try await onOwnThread {
            let right = fixture.credential(name, "Right-1!")
            #expect(try fixture.connector.verify(right, on: fixture.target, by: .direct) == .proven)
            #expect(try fixture.connector.verify(right, on: fixture.target("verify-ca"), by: .direct) == .proven)
            guard
                case .rejected = try fixture.connector.verify(fixture.credential(name, "Wrong"), on: fixture.target, by: .direct)
            else {
                Issue.record("a wrong password was not rejected")
                return
            }
            for target in [fixture.target("require", [:]), fixture.target("prefer", [:]), fixture.target("disable", [:])] {
                let fault = #expect(throws: ConnectorFault.self) {
                    _ = try fixture.connector.verify(right, on: target, by: .direct)
                }
                #expect(fault?.kind == .noSafeChannel)
                #expect(fault?.effect == ConnectorFault.Effect.none)
            }
        }
    }

    @Test(
        "SCRAM proves a password over any channel, bound to it where there is TLS",
        arguments: ["verify-full", "verify-ca", "require", "prefer", "disable"])
    func scram(_ mode: String) async throws {
        let fixture = try await Self.role("scrammer")
        try await onOwnThread {
            let target = fixture.target(mode, mode.hasPrefix("verify") ? nil : [:])
            #expect(try fixture.connector.verify(fixture.credential("scrammer", "Right-1!"), on: target, by: .direct) == .proven)
            guard case .rejected = try fixture.connector.verify(fixture.credential("scrammer", "Wrong"), on: target, by: .direct)
            else {
                Issue.record("a wrong password was not rejected")
                return
            }
            Self.expectSystem(try Self.open(fixture, target).system)
        }
    }

    private static func expectSystem(_ system: TargetIdentity.System) {
        guard case .database("postgresql", let identifier) = system, UInt64(identifier) != nil else {
            Issue.record("\(system)")
            return
        }
    }

    @Test("a certificate for another name, or of another authority, ends the talk before the password")
    func certificates() async throws {
        let fixture = try await Self.role("careful")
        let other = try TestCertificates(in: TemporaryDirectory(), names: ["DNS:localhost"]).authority
        try await onOwnThread {
            let right = fixture.credential("careful", "Right-1!")
            for target in [
                fixture.target(address: "127.0.0.1"), fixture.target("verify-full", ["ca_cert": other]),
                fixture.target("verify-ca", ["ca_cert": other]), fixture.target("verify-full", [:]),
            ] {
                let fault = #expect(throws: ConnectorFault.self) {
                    _ = try fixture.connector.verify(right, on: target, by: .direct)
                }
                #expect(fault?.kind == .noSafeChannel)
            }
        }
    }

    @Test(
        "the form in which a role's password is stored is kept, unless another is asked for", arguments: ["md5", "scram-sha-256"])
    func form(_ form: String) async throws {
        let fixture = try await Self.role("former")
        try await fixture.server.sql("SET password_encryption = '\(form)'; ALTER ROLE former PASSWORD 'Right-1!'")
        let beginning = form == "md5" ? "md5" : "SCRAM-SHA-256$"
        try await onOwnThread {
            let session = try Self.open(fixture)
            #expect(try session.compare(fixture.request("former"), with: .of("Right-1!")) == .same)
            try session.install(fixture.request("former"), secret: .of("Next-2!"))
            #expect(try session.compare(fixture.request("former"), with: .of("Next-2!")) == .same)
            #expect(try session.compare(fixture.request("former"), with: .of("Right-1!")) == .different)
        }
        #expect(try await Self.stored(fixture, "former").hasPrefix(beginning))
        try await onOwnThread {
            let asked = ChangeRequest(
                username: "former", secretType: .password, parameters: ["password_encryption": "scram-sha-256"])
            try Self.open(fixture).install(asked, secret: .of("Next-3!"))
        }
        #expect(try await Self.stored(fixture, "former").hasPrefix("SCRAM-SHA-256$"))
    }

    @Test(
        "a role that cannot log in is not given a password that nothing could prove",
        arguments: ["NOLOGIN", "LOGIN VALID UNTIL '2001-01-01'"])
    func locked(_ options: String) async throws {
        let fixture = try await Self.role("locked", options)
        let before = try await fixture.verifiers()
        try await onOwnThread {
            let session = try Self.open(fixture)
            #expect(try session.find("locked")?.isLocked == true)
            let fault = #expect(throws: ConnectorFault.self) { try session.prepare(fixture.request("locked")) }
            #expect(fault?.kind == .lockedOut)
        }
        #expect(try await fixture.verifiers() == before)
    }

    @Test("a login that is refused for another reason than the password is locked out, not wrong")
    func refused() async throws {
        let fixture = try await Self.role("nobody")
        _ = try await Self.role("stopped", "NOLOGIN")
        try await onOwnThread {
            for name in ["nobody", "stopped"] {
                let verdict = try fixture.connector.verify(fixture.credential(name, "Right-1!"), on: fixture.target, by: .direct)
                guard case .lockedOut(let words) = verdict else {
                    Issue.record("\(verdict)")
                    return
                }
                #expect(!words.contains("Right-1!") && !words.isEmpty)
            }
            let elsewhere = fixture.target(
                "verify-full", ["db_name": "absent", "ca_cert": fixture.server.certificates.authority])
            #expect(
                try fixture.connector.verify(fixture.worker.credential, on: elsewhere, by: .direct) == .proven,
                "the database is looked for after the password")
        }
    }

    @Test("neither passwords nor what is stored of them come to the server's log")
    func log() async throws {
        let fixture = try await Self.role("logged")
        try await onOwnThread {
            let session = try Self.open(fixture)
            try session.install(fixture.request("logged"), secret: .of("Logged-secret-9!"))
            _ = #expect(throws: ConnectorFault.self) {
                try session.create(AccountPush(request: fixture.request("logged")), secret: .of("Logged-secret-8!"))
            }
        }
        let stored = try await Self.stored(fixture, "logged")
        let log = fixture.server.log
        #expect(log.contains("CREATE ROLE logged"), "the test reads the right log")
        for secret in ["Logged-secret-9!", "Logged-secret-8!", stored, "SCRAM-SHA-256$"] { #expect(!log.contains(secret)) }
    }

    @Test("what a hook on passwords refuses is the target's policy")
    func policy() async throws {
        let fixture = try await Self.role("samesame")
        try await onOwnThread {
            let fault = #expect(throws: ConnectorFault.self) {
                try Self.open(fixture).install(fixture.request("samesame"), secret: .of("samesame"))
            }
            guard case .refusedByPolicy(let refusal) = fault?.kind else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(refusal.kind == .quality)
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(!refusal.words.contains("samesame"))
        }
    }

    @Test("a role that owns something, and a role of the system, stay")
    func owning() async throws {
        let fixture = try await Self.role("owner")
        try await fixture.server.sql("DROP TABLE IF EXISTS owned; CREATE TABLE owned (); ALTER TABLE owned OWNER TO owner")
        try await onOwnThread {
            let session = try Self.open(fixture)
            for (name, kind) in [("owner", ConnectorFault.Kind.ownsObjects), ("pg_monitor", .forbidden)] {
                let fault = #expect(throws: ConnectorFault.self) { try session.remove(name, parameters: [:]) }
                #expect(fault?.kind == kind)
                // It says what it is.
                if kind == .ownsObjects {
                    #expect(fault?.words.contains("owner of table public.owned") == true, "\(fault?.words ?? "")")
                }
                #expect(fault?.effect == ConnectorFault.Effect.none)
                #expect(try session.find(name) != nil)
            }
            #expect(try session.find("pg_monitor")?.isSystem == true)
        }
        try await fixture.server.sql("DROP TABLE owned")
    }

    @Test("a name that the server would cut names nobody")
    func cutName() async throws {
        let name = String(repeating: "x", count: 63)
        let fixture = try await Self.role(name)
        let before = try await fixture.verifiers()
        try await onOwnThread {
            let session = try Self.open(fixture)
            #expect(try session.find(name) != nil)
            #expect(try session.find(name + "y") == nil)
            #expect(throws: ConnectorFault.self) { try session.install(fixture.request(name + "y"), secret: .of("Never-1!")) }
            #expect(throws: ConnectorFault.self) {
                _ = try fixture.connector.verify(fixture.credential(name + "y", "Right-1!"), on: fixture.target, by: .direct)
            }
        }
        #expect(try await fixture.verifiers() == before)
    }

    @Test("a worker without the right to change is told so, and nothing is changed")
    func unprivileged() async throws {
        let fixture = try await Self.role("weak")
        _ = try await Self.role("other")
        let before = try await fixture.verifiers()
        try await onOwnThread {
            let worker = Worker(credential: fixture.credential("weak", "Right-1!"))
            let session = try Self.open(fixture, as: worker)
            let fault = #expect(throws: ConnectorFault.self) {
                try session.install(fixture.request("other"), secret: .of("Never-1!"))
            }
            #expect(fault?.kind == .notPermitted)
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(try session.compare(fixture.request("other"), with: .of("Right-1!")) == .unknown)
            // Its own it may.
            try session.install(fixture.request("weak"), secret: .of("Own-2!"))
            #expect(
                try fixture.connector.verify(fixture.credential("weak", "Own-2!"), on: fixture.target, by: .direct) == .proven)
        }
        #expect(try await fixture.verifiers()["other"] == before["other"])
    }

    @Test(
        "a change whose answer is lost may have happened, and one that was refused has not",
        arguments: [CuttingProxy.Cut.before, .after, .silence])
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let fixture = try await Self.role("halfway")
        let proxy = try CuttingProxy(to: fixture.server.port, at: ["ALTER ROLE"], cut)
        let before = try await Self.stored(fixture, "halfway")
        try await onOwnThread {
            let target = fixture.target(
                "disable", [:], address: "127.0.0.1", port: Int(proxy.port), step: .seconds(cut == .silence ? 5 : 60))
            let session = try Self.open(fixture, target)
            let fault = #expect(throws: ConnectorFault.self) {
                try session.install(fixture.request("halfway"), secret: .of("Half-2!"))
            }
            #expect(fault?.effect == .unknown)
            #expect(fault?.kind == (cut == .silence ? .timedOut : .cut))
            // The session does not go on where nobody knows where it is.
            let next = #expect(throws: ConnectorFault.self) { _ = try session.find("halfway") }
            #expect(next?.effect == ConnectorFault.Effect.none)
        }
        #expect(proxy.count == 1)
        #expect((try await Self.stored(fixture, "halfway") == before) == (cut == .before))
    }
}
