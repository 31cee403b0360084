import Cryptography
import Foundation
import TestSupport
import Testing

@testable import Server
@testable import Storage

@Suite("Doctor")
struct DoctorTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private func findings(_ change: (inout Configuration) -> Void = { _ in }, isQuick: Bool = true) async throws -> [Finding] {
        var configuration = vault.configuration
        change(&configuration)
        return try await onOwnThread { [configuration] in Doctor(configuration: configuration, isQuick: isQuick).findings() }
    }

    private func state(_ subject: String, in findings: [Finding]) -> Finding.State? {
        findings.first { $0.subject == subject }?.state
    }

    @Test("a fresh vault is well; what is not fine has a remedy")
    func well() async throws {
        let findings = try await findings(isQuick: false)
        #expect(findings.filter { $0.state == .wrong } == [])
        #expect(findings.map(\.subject).contains("audit chain"))
        #expect(findings.allSatisfy { ($0.state == .fine) == ($0.remedy == nil) })
    }

    @Test("it reminds of a recovery code that still lies on the machine")
    func recoveryFile() async throws {
        #expect(state("recovery code", in: try await findings()) == .fine)
        try PrivateFile.write(Array("code\n".utf8), to: vault.layout.recovery)
        let found = try await findings().first { $0.subject == "recovery code" }
        #expect(found?.state == .warning)
        #expect(found?.remedy?.contains(vault.layout.recovery) == true)
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let subject: String
        let make: @Sendable (VaultFixture) throws -> Void

        init(_ description: String, _ subject: String, _ make: @escaping @Sendable (VaultFixture) throws -> Void) {
            (testDescription, self.subject, self.make) = (description, subject, make)
        }
    }

    @Test(
        "each damage is found and has a remedy",
        arguments: [
            Damage("a data directory that others may read", "data directory") { chmod($0.layout.data, 0o755) },
            Damage("a database that others may read", "data directory") { chmod($0.layout.data + "/keyturn.db", 0o644) },
            Damage("no key file", "key file") { unlink($0.layout.keys + "/keyturn.key") },
            Damage("a key file that others may read", "key file") { chmod($0.layout.keys + "/keyturn.key", 0o644) },
            Damage("another vault's key file", "key file") {
                try String(repeating: "ab", count: 32).write(
                    toFile: $0.layout.keys + "/keyturn.key", atomically: false, encoding: .utf8)
            },
            Damage("no certificate", "certificate") { unlink($0.layout.certificate) },
            Damage("a certificate of another key", "certificate") {
                let other = try DevelopmentCertificates(commonName: "x", dnsNames: ["x"], addresses: [], days: 90)
                try other.server.write(toFile: $0.layout.certificate, atomically: false, encoding: .utf8)
            },
            Damage("an expired certificate", "certificate") { try Self.certify($0, days: -1) },
            Damage("an audit whose last entry lies in the future", "clock") {
                let database = try Database.open(at: $0.layout.data + "/audit.db")
                defer { database.close() }
                try database.writeSync { db in try db.execute("UPDATE audit_entries SET time_ms = time_ms + 120000", []) }
            },
            Damage("no slot of a recovery code", "recovery code") {
                try Self.run("DELETE FROM key_slots WHERE kind = 'recovery-code'", $0)
            },
            Damage("a certificate key that others may read", "data directory") { chmod($0.layout.certificateKey, 0o640) },
            Damage("a broken database", "database") {
                try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: $0.layout.data + "/keyturn.db"))
            },
            Damage("a changed key of the keyring, under which the audit's key cannot be read", "audit chain") {
                try Self.run("UPDATE keyring_keys SET wrapped_key = zeroblob(60)", $0)
            },
            Damage("a row that was taken away", "rows") { try Self.run("DELETE FROM users", $0) },
            Damage("an account that was put back", "rows") { try Self.run("UPDATE accounts SET mac = x'01'", $0) },
            Damage("a task that cannot be read", "tasks") {
                try Self.run(
                    """
                    INSERT INTO tasks SELECT randomblob(16), id, 'k', 'n', 'nonsense', NULL, 1, '', 1, '', NULL, 'skip', 0, 0, x'', 1, '',
                        '', '', 0, 0, x'00' FROM organizations LIMIT 1
                    """, $0)
            },
            Damage("a changed audit entry", "audit chain") {
                let database = try Database.open(at: $0.layout.data + "/audit.db")
                defer { database.close() }
                try database.writeSync { db in try db.execute("UPDATE audit_entries SET action = 'x' WHERE seq = 1", []) }
            },
        ])
    func damages(damage: Damage) async throws {
        let vault = vault
        try await onOwnThread { try damage.make(vault) }
        let findings = try await findings(isQuick: false)
        let found = findings.first { $0.subject == damage.subject && $0.state == .wrong }
        #expect(found != nil, "\(findings)")
        #expect(found?.remedy?.isEmpty == false)
        // A command that a remedy names is one that there is.
        let manual = try String(contentsOfFile: Products.root + "/docs/cli.md", encoding: .utf8)
        for command in findings.compactMap(\.remedy).flatMap({ $0.matches(of: /keyturnd [a-z-]+/).map(\.output) }) {
            #expect(manual.contains("\n\(command)"), "\(command)")
        }
    }

    private static func run(_ sql: String, _ vault: VaultFixture) throws {
        let database = try Database.open(at: vault.layout.data + "/keyturn.db")
        defer { database.close() }
        try database.makeConfinedConnection(writable: true).execute(SQLQuery(rendered: sql))
    }

    /// Puts another certificate with its key into place.
    private static func certify(_ vault: VaultFixture, days: Int) throws {
        let made = try DevelopmentCertificates(commonName: "localhost", dnsNames: ["localhost"], addresses: [], days: days)
        try made.server.write(toFile: vault.layout.certificate, atomically: false, encoding: .utf8)
        try made.serverKey.withBytes { try Data($0).write(to: URL(fileURLWithPath: vault.layout.certificateKey)) }
    }

    @Test("it reminds of a certificate that is about to expire", arguments: [(20, Finding.State.warning), (22, .fine)])
    func expiry(days: Int, expected: Finding.State) async throws {
        let vault = vault
        try await onOwnThread { try Self.certify(vault, days: days) }
        let found = try await findings().first { $0.subject == "certificate" }
        #expect(found?.state == expected && (found?.remedy == nil) == (expected == .fine), "\(found?.detail ?? "")")
    }

    @Test("a key directory inside the data directory is found, also behind a link")
    func keysInside() async throws {
        let inner = vault.layout.data + "/keys"
        mkdir(inner, 0o700)
        symlink(inner, vault.directory.file("link"))
        #expect(state("key file", in: try await findings { $0.keyDirectory = inner }) == .wrong)
        let link = vault.directory.file("link")
        #expect(state("key file", in: try await findings { $0.keyDirectory = link }) == .wrong)
    }

    private static let url = "https://hooks.example.org/keyturn"

    @Test("the files of mail and webhook are looked at where they are set, and nowhere else")
    func notifications() async throws {
        let subjects = ["mail password", "mail certificates", "webhook secret", "webhook certificates"]
        #expect(try await findings().allSatisfy { !subjects.contains($0.subject) })
        let (password, key, authority) = (
            vault.directory.file("smtp"), vault.directory.file("hook"), vault.directory.file("ca.pem")
        )
        try PrivateFile.write(Array("a password\n".utf8), to: password)
        try PrivateFile.write(Array("a-key-of-the-tests-that-is-long-enough\n".utf8), to: key)
        try PrivateFile.write(Array("-----BEGIN CERTIFICATE-----\n".utf8), to: authority)
        let found = try await findings {
            $0.notifications.email = .init(
                server: .init(host: "mail", port: 25), certificateAuthority: authority, username: "u", passwordFile: password)
            $0.notifications.webhook = .init(url: Self.url, secretFile: key, certificateAuthority: authority)
        }
        for subject in subjects { #expect(state(subject, in: found) == .fine, "\(subject)") }
        #expect(!found.contains { $0.detail.contains("a password") || $0.detail.contains("a-key-of") })
    }

    @Test(
        "what is wrong with such a file is found with its remedy",
        arguments: [
            ("missing", "umask 077"), ("open", "chmod 600"), ("short", "openssl rand"), ("empty", "write the secret"),
            ("directory", "another file"),
        ])
    func badNotificationFile(kind: String, remedy: String) async throws {
        let path = vault.directory.file("hook")
        switch kind {
        case "open":
            try PrivateFile.write(Array("a-key-of-the-tests-that-is-long-enough\n".utf8), to: path)
            chmod(path, 0o644)
        case "short": try PrivateFile.write(Array("short\n".utf8), to: path)
        case "empty": try PrivateFile.write(Array("\n".utf8), to: path)
        case "directory": mkdir(path, 0o700)
        default: break
        }
        let found = try await findings { $0.notifications.webhook = .init(url: Self.url, secretFile: path) }
        let finding = try #require(found.first { $0.subject == "webhook secret" })
        #expect(finding.state == .wrong && finding.detail.contains(path), "\(finding)")
        #expect(finding.remedy?.contains(remedy) == true, "\(finding)")
        let mail = try await findings {
            $0.notifications.email = .init(server: .init(host: "mail", port: 25), username: "u", passwordFile: path)
        }
        // A short password is a password.
        #expect(state("mail password", in: mail) == (kind == "short" ? .fine : .wrong))
    }

    @Test("where there is no vault it says so and stops")
    func nothing() async throws {
        let findings = try await findings { $0.dataDirectory = "/nonexistent" }
        #expect(findings.map(\.state) == [.wrong])
    }
}
