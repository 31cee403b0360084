import Access
import Domain
import Foundation
import HTTPServer
import Logging
import TestSupport
import Testing

@testable import Audit
@testable import Sealing
@testable import Server
@testable import Storage

@Suite("Generation of the rows")
struct RowGenerationTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private var keyFile: KeyFileUnsealer { KeyFileUnsealer(directory: vault.layout.keys) }
    private var database: String { vault.layout.data + "/keyturn.db" }

    private func assembly() throws -> Assembly {
        try Assembly(
            AssemblyOptions(layout: vault.layout, listener: ListenerConfiguration()),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// A run of the server in which something changes, with a checkpoint after it.
    private func serveOnce() async throws {
        let assembly = try assembly()
        try await assembly.unseal(with: keyFile, by: .system("test"))
        let keys = try assembly.keyring.keys()
        try await assembly.database.write { db in
            let label = Label(id: .random(), organization: .default, name: "a", value: "\(UUID())", dateCreated: .now)
            try Labels.insert(keys.authenticated(label, with: SealingWorkspace()), on: db)
        }
        try await assembly.audit.append(
            AuditEntry(
                time: .now, actor: .system("test"), address: "", organization: nil, action: .unseal, outcome: .granted,
                request: .random()))
        try await assembly.audit.settle()
        assembly.close()
    }

    /// Puts the database file of before back, whole, after the server had changed and signed something.
    private func rollBack() async throws {
        try await serveOnce()
        let kept = try Data(contentsOf: URL(fileURLWithPath: database))
        try await serveOnce()
        for suffix in ["-wal", "-shm"] { unlink(database + suffix) }
        try kept.write(to: URL(fileURLWithPath: database))
        chmod(database, 0o600)
    }

    private func lastAction() throws -> String {
        let audit = try Database.open(at: vault.layout.data + "/audit.db")
        defer { audit.close() }
        return try audit.readSync { try AuditEntries.last($0) }.map { "\($0.columns.action) \($0.columns.outcome)" } ?? ""
    }

    @Test("an older copy of the whole database keeps the vault sealed, is written down, and doctor tells")
    func olderDatabase() async throws {
        try await rollBack()
        do {
            let assembly = try assembly()
            defer { assembly.close() }
            let fault = await #expect(throws: SealingFault.self) {
                try await assembly.unseal(with: keyFile, by: .system("test"))
            }
            #expect("\(fault.map { "\($0)" } ?? "")".contains("older than the audit"))
            #expect(assembly.keyring.isSealed && assembly.policies.snapshot == nil)
        }
        #expect(try lastAction() == "vault.unseal failed")
        let configuration = vault.configuration
        let findings = try await onOwnThread { Doctor(configuration: configuration, isQuick: true).findings() }
        let found = findings.first { $0.subject == "rows" }
        #expect(found?.state == .wrong && found?.remedy?.contains("accept-rows") == true)
    }

    @Test("with the audit's database put back too, the checkpoint file alone keeps the server from starting")
    func checkpointFile() async throws {
        let audit = vault.layout.data + "/audit.db"
        try await serveOnce()
        let kept = try [database, audit].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        try await serveOnce()
        for (path, bytes) in zip([database, audit], kept) {
            for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
            try bytes.write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
        }
        #expect(throws: AuditFault.self) { try assembly() }
    }

    @Test("accept-rows takes the older database, says what stood against it, and the server opens again")
    func accepted() async throws {
        try await rollBack()
        let vault = vault
        let stopped = try await onOwnThread {
            let stopped = try StoppedVault(data: vault.layout.data, checkpoints: vault.layout.checkpoints)
            try stopped.unseal(with: .keyFile, keys: vault.layout.keys, checking: nil)
            return stopped
        }
        let objection = try await RowAcceptance.run(stopped)
        #expect(objection?.contains("older than the audit's checkpoints") == true)
        await stopped.close()
        #expect(try lastAction() == "vault.accept-rows granted")
        let assembly = try assembly()
        defer { assembly.close() }
        try await assembly.unseal(with: keyFile, by: .system("test"))
        try await assembly.checkRows()
        #expect(!assembly.keyring.isSealed)
    }

    @Test("a running server that finds rows put back seals itself and writes down why", arguments: [false, true])
    func running(isLarge: Bool) async throws {
        let assembly = try assembly()
        defer { assembly.close() }
        try await assembly.unseal(with: keyFile, by: .system("test"))
        if !isLarge { try await assembly.checkRows() }
        #expect(!assembly.keyring.isSealed)
        let connection = try assembly.database.makeConfinedConnection(writable: true)
        try connection.execute(
            SQLQuery(rendered: isLarge ? "UPDATE accounts SET mac = x'01'" : "DELETE FROM users"))
        try await assembly.checkRows()
        #expect(assembly.keyring.isSealed && assembly.policies.snapshot == nil)
        let reasons = try await assembly.auditDatabase.read { db in
            try AuditEntries.page(after: 0, limit: 1000, db).map { try EntryReader.read($0.body) }
                .filter { $0.action.rawValue == "vault.check-rows" }.map(\.reason)
        }
        #expect(reasons.count == 1 && reasons[0].hasSuffix(isLarge ? "account" : "user, session") || reasons[0].hasSuffix("user"))
    }

    @Test("checkpoints carry the generation under their signature")
    func signed() async throws {
        try await serveOnce()
        let lines = try CheckpointFile(path: vault.layout.checkpoints, limit: .max).lines().compactMap { $0 }
        let last = try #require(lines.last)
        let rows = try #require(last.checkpoint.rows)
        #expect(last.checkpoint.isSigned(by: last.publicKey))
        var text = String(decoding: last.text, as: UTF8.self)
        text = text.replacing("\"rows\":\(rows)", with: "\"rows\":\(rows - 1)")
        let changed = try #require(CheckpointLine.parse(Array(text.utf8)))
        #expect(!changed.checkpoint.isSigned(by: changed.publicKey))
        text = text.replacing(",\"rows\":\(rows - 1)", with: "")
        let without = try #require(CheckpointLine.parse(Array(text.utf8)))
        #expect(without.checkpoint.rows == nil && !without.checkpoint.isSigned(by: without.publicKey))
    }

    @Test("a password is hashed before the writer begins")
    func reset() async throws {
        let vault = vault
        let stopped = try await onOwnThread {
            let stopped = try StoppedVault(data: vault.layout.data, checkpoints: vault.layout.checkpoints)
            try stopped.unseal(with: .keyFile, keys: vault.layout.keys)
            return stopped
        }
        // The least of several: whatever else keeps the machine busy only adds to either.
        var (hashing, writing) = (Duration.seconds(3600), Duration.seconds(3600))
        for _ in 0..<7 where writing >= hashing / 2 {
            let hash = try await onOwnThread {
                try ContinuousClock().measure {
                    _ = try UserAccounts.verifier(for: VaultFixture.SecretText.secret("a long enough password"))
                }
            }
            _ = stopped.database.takeLongestWrite()
            try await PasswordReset.run(
                of: "admin", to: VaultFixture.SecretText(text: "a long enough password").handoff, request: .random(),
                database: stopped.database, keyring: stopped.keyring)
            (hashing, writing) = (min(hashing, hash), min(writing, stopped.database.takeLongestWrite()))
        }
        #expect(writing < hashing / 2)
        await stopped.close()
    }
}
