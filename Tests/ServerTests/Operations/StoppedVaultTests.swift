import Domain
import Foundation
import Sealing
import Storage
import TestSupport
import Testing

@testable import Server

@Suite("StoppedVault")
struct StoppedVaultTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private func open() async throws -> StoppedVault {
        try await onOwnThread { [layout = vault.layout] in try StoppedVault(data: layout.data, checkpoints: layout.checkpoints) }
    }

    @Test("while one command has the vault, another one is kept out")
    func locked() async throws {
        let first = try await open()
        let fault = await #expect(throws: StorageFault.self) { try await open() }
        #expect(fault.map { OperatorFault($0).kind } == .unavailable)
        await first.close()
        await (try open()).close()
    }

    @Test("a password is reset under the key file, marked and recorded; a short one or an unknown user is refused")
    func passwordReset() async throws {
        let stopped = try await open()
        let keys = vault.layout.keys
        try await onOwnThread { try stopped.unseal(with: .keyFile, keys: keys) }
        func reset(_ user: String, _ password: String) async throws {
            try await stopped.change("control.reset-password") { request in
                try await PasswordReset.run(
                    of: user, to: VaultFixture.SecretText(text: password).handoff, request: request, database: stopped.database,
                    keyring: stopped.keyring)
            }
        }
        try await reset("ADMIN", "a long enough password")
        await #expect(throws: Refusal.self) { try await reset("admin", "short") }
        let fault = await #expect(throws: Refusal.self) { try await reset("nobody", "a long enough password") }
        #expect(fault.map { OperatorFault($0).description } == "username: There is no such user.")
        let outcomes = try await stopped.auditDatabase.read { db in
            try AuditEntries.page(after: 1, limit: 100, db).map(\.columns.outcome)
        }
        #expect(outcomes == ["open", "granted", "open", "refused", "open", "refused"])
        await stopped.close()
    }

    @Test("a snapshot goes into a new directory that is closed to others, and holds no key")
    func snapshot() async throws {
        let path = try await vault.snapshot("copy")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["audit-checkpoints.jsonl", "audit.db", "keyturn.db", "manifest.json"])
        for name in names {
            #expect(stat(path + "/" + name, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
            #expect(bytes.range(of: Data(VaultFixture.plaintext.utf8)) == nil)
        }
        await #expect(throws: SnapshotFault.self) { try await vault.snapshot("copy") }
    }

    @Test("migrating what is up to date does nothing; a newer database is refused before anything is touched")
    func migration() async throws {
        let run = MigrationRun(data: vault.layout.data, checkpoints: vault.layout.checkpoints, keys: vault.layout.keys)
        let steps = try await run.run()
        #expect(steps.allSatisfy { $0.from == $0.to && $0.copy == nil })
        let vault = vault
        try await onOwnThread {
            try vault.change { _, db in
                try db.execute("INSERT INTO schema_version (number, name, date_applied) VALUES (99, 'later', 0)", [])
            }
        }
        let fault = await #expect(throws: StorageFault.self) { try await run.run() }
        #expect(fault == .newerSchema(found: 99, known: Migration.main.last?.number ?? 0))
        let findings = Doctor(configuration: vault.configuration, isQuick: true).findings()
        #expect(findings.first { $0.subject == "database" }?.state == .wrong)
    }
}
