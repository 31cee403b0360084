import Domain
import Foundation
import Sealing
import TestSupport
import Testing

@testable import Server
@testable import Storage

@Suite("Migration of a vault")
struct MigrationRunTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread {
            let vault = try VaultFixture()
            try Self.age(vault)
            return vault
        }
    }

    /// Makes the vault what the first schema's program left: no ledger of rows, and checkpoints that know nothing of one.
    private static func age(_ vault: VaultFixture) throws {
        // Those that refer to others go first.
        let later = [
            "row_ledger", "deliveries", "secret_changes", "sent_secrets", "login_attempts", "asset_trusts", "target_identities",
            "kept_secrets", "records", "executions", "task_states", "tasks",
        ]
        let zones = ["DROP INDEX assets_by_zone", "ALTER TABLE assets DROP COLUMN zone_id", "DROP TABLE zones"]
        try run(vault, "keyturn.db", zones + later.map { "DROP TABLE \($0)" } + ["DELETE FROM schema_version WHERE number > 1"])
        try run(
            vault, "audit.db",
            ["ALTER TABLE audit_checkpoints DROP COLUMN rows_generation", "DELETE FROM schema_version WHERE number > 1"])
    }

    private static func run(_ vault: VaultFixture, _ name: String, _ statements: [String]) throws {
        let database = try Database.open(at: vault.layout.data + "/" + name)
        defer { database.close() }
        let connection = try database.makeConfinedConnection(writable: true)
        for statement in statements { try connection.execute(SQLQuery(rendered: statement)) }
    }

    private func migration(_ main: [Migration] = Migration.main, keys: String? = nil) -> MigrationRun {
        MigrationRun(
            data: vault.layout.data, checkpoints: vault.layout.checkpoints, keys: keys ?? vault.layout.keys, main: main)
    }

    private func copies() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: vault.layout.data).filter {
            $0.contains(".schema-1-") && $0.last?.isNumber == true
        }.sorted()
    }

    @Test("an older vault is refused until it is migrated; it is copied first, and what it held is there afterwards")
    func older() async throws {
        let vault = vault
        let fault = await #expect(throws: StorageFault.self) {
            try await onOwnThread { try StoppedVault(data: vault.layout.data, checkpoints: vault.layout.checkpoints) }
        }
        #expect(fault == .olderSchema(found: 1, known: Int64(Migration.main.count)))
        let steps = try await migration().run()
        #expect(steps.map(\.from) == [1, 1] && steps.allSatisfy { $0.to > 1 && $0.copy != nil })
        #expect(try copies().count == 2)
        let copy = try Database.open(at: #require(steps.first?.copy))
        defer { copy.close() }
        #expect(try copy.schemaVersion() == 1 && copy.integrityCheckSync() == [])
        #expect(try copy.readSync { try Accounts.get(vault.account, in: .default, on: $0) } != nil)
        #expect(try vault.reveal(in: vault.layout, with: KeyFileUnsealer(directory: vault.layout.keys)) == VaultFixture.plaintext)
        let again = try await migration().run()
        #expect(again.allSatisfy { $0.from == $0.to })
        #expect(try copies().count == 2)
    }

    @Test("a migration that fails leaves the older vault as it was, with its copy beside it")
    func failing() async throws {
        let vault = vault
        let broken = Migration(
            Int64(Migration.main.count + 1), "broken",
            ["CREATE TABLE half (id $integer) $table", "UPDATE nowhere SET nothing = 1"])
        await #expect(throws: StorageFault.self) { try await migration(Migration.main + [broken]).run() }
        let database = try Database.open(at: vault.layout.data + "/keyturn.db")
        #expect(try database.schemaVersion() == 1 && database.integrityCheckSync() == [])
        #expect(try database.readSync { try !$0.exists("SELECT 1 FROM sqlite_schema WHERE name IN ('half', 'row_ledger')") })
        #expect(try database.readSync { try Accounts.get(vault.account, in: .default, on: $0) } != nil)
        database.close()
        #expect(try copies().count == 1)
        _ = try await migration().run()
        #expect(try vault.reveal(in: vault.layout, with: KeyFileUnsealer(directory: vault.layout.keys)) == VaultFixture.plaintext)
    }

    @Test("without the key file the rows cannot be counted; it says so, the vault stays shut, and accept-rows opens it")
    func withoutKey() async throws {
        let vault = vault
        let fault = await #expect(throws: OperatorFault.self) { try await migration(keys: "/nowhere").run() }
        #expect(fault?.description.contains("keyturnd accept-rows") == true)
        #expect(throws: SealingFault.self) {
            try vault.reveal(in: vault.layout, with: KeyFileUnsealer(directory: vault.layout.keys))
        }
        let stopped = try await onOwnThread {
            let stopped = try StoppedVault(data: vault.layout.data, checkpoints: vault.layout.checkpoints)
            try stopped.unseal(with: .recoveryCode(vault.recoveryCode.handoff), keys: "/nowhere", checking: nil)
            return stopped
        }
        #expect(try await RowAcceptance.run(stopped) == "the ledger of rows is missing")
        await stopped.close()
        #expect(try vault.reveal(in: vault.layout, with: KeyFileUnsealer(directory: vault.layout.keys)) == VaultFixture.plaintext)
    }
}
