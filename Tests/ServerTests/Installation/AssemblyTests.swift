import Access
import Domain
import Glibc
import HTTPServer
import Logging
import Sealing
import TestSupport
import Testing

@testable import Audit
@testable import Server
@testable import Storage

@Suite("Assembly")
struct AssemblyTests {
    let directory: TemporaryDirectory
    let layout: Installation.Layout

    init() throws {
        directory = try TemporaryDirectory()
        layout = Installation.Layout(data: directory.path + "/data")
        _ = try Installation(layout: layout).run(
            username: "admin", recoveryCode: RecoveryCodeUnsealer.generate(), hosts: ["localhost"])
    }

    var keyFile: KeyFileUnsealer { KeyFileUnsealer(directory: layout.keys) }

    func assembly() throws -> Assembly {
        try Assembly(
            AssemblyOptions(layout: layout, listener: ListenerConfiguration()),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func entries() throws -> [AuditEntry] {
        let database = try Database.open(at: layout.data + "/audit.db")
        defer { database.close() }
        return try database.readSync { try AuditEntries.page(after: 0, limit: 1000, $0) }.map { try EntryReader.read($0.body) }
    }

    func run(_ sql: String, _ name: String) throws {
        let database = try Database.open(at: layout.data + "/" + name)
        defer { database.close() }
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute(SQLQuery(rendered: sql))
    }

    @Test("a wrong key on a vault that is open changes nothing: it goes on serving")
    func wrongKeyOnOpenVault() async throws {
        let assembly = try assembly()
        defer { assembly.close() }
        try await assembly.unseal(with: keyFile, by: .system("test"))
        try? await assembly.unseal(with: KeyFileUnsealer(directory: "/nowhere"), by: .operatorLocal("mallory"))
        #expect(!assembly.keyring.isSealed && assembly.policies.snapshot != nil)
    }

    @Test("sealing succeeds while the audit cannot be written, and says that it was not written down")
    func sealingInAnEmergency() async throws {
        let assembly = try assembly()
        defer { assembly.close() }
        try await assembly.unseal(with: keyFile, by: .system("test"))
        try run("CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END", "audit.db")
        await #expect(throws: AuditFault.self) { try await assembly.seal(by: .operatorLocal("root")) }
        #expect(assembly.keyring.isSealed && assembly.policies.snapshot == nil)
    }

    @Test("unsealing that cannot be written down leaves the vault sealed")
    func unsealingUnaudited() async throws {
        let assembly = try assembly()
        defer { assembly.close() }
        try run("CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END", "audit.db")
        await #expect(throws: AuditFault.self) { try await assembly.unseal(with: keyFile, by: .system("test")) }
        #expect(assembly.keyring.isSealed && assembly.policies.snapshot == nil)
    }

    @Test("sealing, unsealing and a failed try are written down with who did it")
    func audited() async throws {
        let assembly = try assembly()
        defer { assembly.close() }
        try? await assembly.unseal(with: KeyFileUnsealer(directory: "/nowhere"), by: .operatorLocal("mallory"))
        try await assembly.unseal(with: keyFile, by: .system("start"))
        try await assembly.seal(by: .operatorLocal("root"))
        let lines = try entries().map { "\($0.action.rawValue) \($0.outcome.rawValue) \($0.actor.name)" }
        #expect(lines.dropFirst() == ["vault.unseal failed mallory", "vault.unseal granted start", "vault.seal granted root"])
    }

    @Test("changes that a crash left open are settled by their marks; what is under way is left alone")
    func settlement() async throws {
        func intent(_ request: Domain.RequestID) -> AuditEntry {
            AuditEntry(
                time: .now, actor: .system("test"), address: "", organization: .default, action: AuditAction(.changeAccount),
                outcome: .open,
                request: request)
        }
        let (made, lost, later) = (Domain.RequestID.random(), Domain.RequestID.random(), Domain.RequestID.random())
        do {
            let first = try assembly()
            try await first.unseal(with: keyFile, by: .system("test"))
            _ = try await first.audit.beginIntent(intent(made))
            _ = try await first.audit.beginIntent(intent(lost))
            try await first.database.write { try ChangeMarks.insert(made, at: .now, on: $0) }
            first.close()
        }

        let second = try assembly()
        defer { second.close() }
        let running = try await second.audit.beginIntent(intent(later))
        try await second.database.write { try ChangeMarks.insert(later, at: Timestamp.now.adding(seconds: 1), on: $0) }
        try await second.unseal(with: keyFile, by: .system("test"))
        let outcomes = try entries().filter { $0.phase == .outcome }
        #expect(outcomes.map(\.request) == [made, lost] && outcomes.map(\.outcome) == [.granted, .abandoned])
        #expect(try await second.audit.openIntents().map(\.id) == [running])
        #expect(try await second.database.read { try ChangeMarks.exists(later, on: $0) && !ChangeMarks.exists(made, on: $0) })
    }

    @Test("a changed signing key of the audit keeps the vault sealed")
    func signingKey() async throws {
        try run("UPDATE settings SET value = replace(value, '0', '1') WHERE name LIKE 'internal.%'", "keyturn.db")
        let assembly = try assembly()
        defer { assembly.close() }
        await #expect(throws: SealingFault.self) { try await assembly.unseal(with: keyFile, by: .system("test")) }
        #expect(assembly.keyring.isSealed)
        #expect(try entries().last?.outcome == .failed)
    }
}
