import Audit
import Cryptography
import Domain
import Foundation
import Sealing
import Storage
import TestSupport
import Testing

@testable import Server

@Suite("Restoration")
struct RestorationTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private func restore(_ snapshot: String, _ code: SecretHandoff? = nil) async throws -> Restoration.Report {
        try await Restoration(snapshot: snapshot, layout: vault.elsewhere, hosts: ["localhost"])
            .run(recoveryCode: code ?? vault.recoveryCode.handoff)
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test("a snapshot becomes a vault again with the recovery code alone, and with a key file of its own")
    func whole() async throws {
        let snapshot = try await vault.snapshot()
        let report = try await restore(snapshot)
        #expect(report.findings.secrets >= 3)
        #expect(report.findings.rows >= 6)
        #expect(report.auditEntries == 2)
        let restored = vault.elsewhere
        #expect(try vault.reveal(in: restored, with: KeyFileUnsealer(directory: restored.keys)) == VaultFixture.plaintext)
        #expect(throws: SealingFault.self) { try vault.reveal(in: restored, with: KeyFileUnsealer(directory: vault.layout.keys)) }
        #expect(!exists(restored.data + ".restoring"))
        #expect(exists(restored.certificateKey))
        var configuration = Configuration()
        configuration.dataDirectory = restored.data
        configuration.keyDirectory = restored.keys
        let findings = try await onOwnThread { [configuration] in Doctor(configuration: configuration, isQuick: false).findings()
        }
        #expect(findings.filter { $0.state == .wrong } == [])
    }

    @Test("the restoration stands in the audit of the restored vault, signed")
    func audited() async throws {
        _ = try await restore(vault.snapshot())
        let restored = vault.elsewhere
        let stopped = try await onOwnThread { try StoppedVault(data: restored.data, checkpoints: restored.checkpoints) }
        let entries = try await stopped.auditDatabase.read { db in try AuditEntries.page(after: 0, limit: 100, db) }
        #expect(entries.map(\.columns.action).suffix(2) == ["vault.restore", "vault.restore"])
        #expect(stopped.audit.status.signedSeq == entries.last?.seq)
        await stopped.close()
    }

    @Test("a wrong code, a full place or an unfinished one is refused, and nothing is left behind")
    func refused() async throws {
        let snapshot = try await vault.snapshot()
        let other = SecretHandoff(try RecoveryCodeUnsealer.generate())
        await #expect(throws: (any Error).self) { try await restore(snapshot, other) }
        await #expect(throws: (any Error).self) {
            try await restore(snapshot, VaultFixture.SecretText(text: "not a code").handoff)
        }
        let restored = vault.elsewhere
        #expect(!exists(restored.data) && !exists(restored.data + ".restoring") && !exists(restored.keys + "/keyturn.key"))
        mkdir(restored.data, 0o700)
        try vault.directory.write("x", to: "restored/file")
        await #expect(throws: SnapshotFault.self) { try await restore(snapshot) }
        unlink(restored.data + "/file")
        _ = try await restore(snapshot)
    }

    @Test(
        "a file of the snapshot that was changed is found by its digest",
        arguments: ["keyturn.db", "audit.db", "audit-checkpoints.jsonl"])
    func flipped(name: String) async throws {
        let snapshot = try await vault.snapshot()
        let path = snapshot + "/" + name
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        await #expect(throws: SnapshotFault.self) { try await restore(snapshot) }
    }

    @Test("a manifest that names other files, or is none, is refused")
    func manifest() async throws {
        let snapshot = try await vault.snapshot()
        let path = snapshot + "/manifest.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for bad in [
            "", "{}", text.replacing("keyturn.db", with: "../data/keyturn.db"),
            text.replacing("\"format\":1", with: "\"format\":2"),
            text.replacing("audit.db", with: "keyturn.db"),
        ] {
            try bad.write(toFile: path, atomically: true, encoding: .utf8)
            await #expect(throws: (any Error).self) { try await restore(snapshot) }
        }
    }

    /// A change of the database that the manifest does not show.
    struct Tampering: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (VaultFixture, any SQLConnection) throws -> Void
    }

    @Test(
        "a row or value that was changed before the snapshot was made is found",
        arguments: [
            Tampering(testDescription: "an asset's address") { _, db in
                try db.execute("UPDATE assets SET address = '203.0.113.9'", [])
            },
            Tampering(testDescription: "an account's current version") { vault, db in
                try db.execute("UPDATE accounts SET current_version = NULL", [])
            },
            Tampering(testDescription: "a bit of a sealed secret") { vault, db in
                guard var version = try SecretVersions.get(1, of: vault.account, in: .default, on: db) else { return }
                version.secret = Sealed(bytes: version.secret.bytes.dropLast() + [(version.secret.bytes.last ?? 0) ^ 1])
                _ = try SecretVersions.reseal(
                    1, of: vault.account, in: .default, secret: version.secret, fingerprint: nil, on: db)
            },
            Tampering(testDescription: "a version that is gone") { _, db in try db.execute("DELETE FROM secret_versions", []) },
            Tampering(testDescription: "a version of an organization that there is not") { _, db in
                try db.execute("UPDATE secret_versions SET org_id = zeroblob(16), number = 7", [])
                try db.execute("UPDATE accounts SET current_version = NULL", [])
            },
            Tampering(testDescription: "a user's role") { _, db in try db.execute("UPDATE users SET role = 'auditor'", []) },
            Tampering(testDescription: "the audit's signing key") { _, db in
                try db.execute("UPDATE settings SET value = '\"00\"' WHERE name LIKE 'internal.%'", [])
            },
            Tampering(testDescription: "a wrapped data key") { _, db in
                try db.execute("UPDATE data_keys SET wrapped_key = zeroblob(60)", [])
            },
        ])
    func tampered(tampering: Tampering) async throws {
        let vault = vault
        try await onOwnThread { try vault.change { _, db in try tampering.change(vault, db) } }
        let snapshot = try await vault.snapshot()
        await #expect(throws: (any Error).self) { try await restore(snapshot) }
        #expect(!exists(vault.elsewhere.data))
        #expect(!exists(vault.elsewhere.keys + "/keyturn.key"))
    }

    @Test("an audit that was cut off behind a known checkpoint is found")
    func truncatedAudit() async throws {
        let snapshot = try await vault.snapshot()
        let path = snapshot + "/audit.db"
        try await onOwnThread {
            let database = try Database.open(at: path)
            try database.writeSync { db in
                try db.execute("DELETE FROM audit_entries WHERE seq > 1", [])
                try db.execute("DELETE FROM audit_checkpoints WHERE seq > 1", [])
            }
            database.close()
            let names = ["keyturn.db", "audit.db", "audit-checkpoints.jsonl"]
            let files = try names.map { try SnapshotManifest.describe($0, in: snapshot) }
            let manifest = SnapshotManifest(version: "0", date: .now, files: files)
            try Data(manifest.text).write(to: URL(fileURLWithPath: snapshot + "/manifest.json"))
        }
        await #expect(throws: (any Error).self) { try await restore(snapshot) }
    }
}
