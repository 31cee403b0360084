import Domain
import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@testable import Audit
@testable import Server

@Suite("AuditReading")
struct AuditReadingTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private func entries(in data: String) throws -> [AuditEntry] {
        var options = DatabaseOptions()
        options.isReadOnly = true
        let database = try Database.open(at: data + "/audit.db", options: options)
        defer { database.close() }
        return try database.readSync { try AuditEntries.page(after: 0, limit: 1000, $0) }.map { try EntryReader.read($0.body) }
    }

    @Test("who reads the audit of a stopped vault is written into it and signed, and the chain stays whole")
    func stopped() async throws {
        let reading = AuditReading(vault.configuration)
        #expect(await reading.record(.verify) == nil)
        #expect(await reading.record(.export) == nil)
        let last = try entries(in: vault.layout.data).suffix(2)
        #expect(last.map(\.action.rawValue) == ["audit.verify", "audit.export"])
        #expect(last.allSatisfy { $0.actor == .operatorLocal(OperatorName.current) })
        let found = try await onOwnThread { try reading.verify(checkpoint: nil) }
        #expect(found.isWhole && found.found.unsignedTail == 0)
    }

    @Test("a snapshot is read and never written to")
    func snapshot() async throws {
        let path = try await vault.snapshot()
        var configuration = vault.configuration
        configuration.dataDirectory = path
        let before = try Data(contentsOf: URL(fileURLWithPath: path + "/audit.db"))
        #expect(await AuditReading(configuration).record(.export) == path + " is a snapshot")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/audit.db")) == before)
        try SnapshotManifest(of: path).verify(in: path)
    }

    @Test("a vault that another command holds is read all the same, and it is said that this is not on the record")
    func locked() async throws {
        let layout = vault.layout
        let holder = try await onOwnThread { try StoppedVault(data: layout.data, checkpoints: layout.checkpoints) }
        let reading = AuditReading(vault.configuration)
        #expect(await reading.record(.verify) != nil)
        let found = try await onOwnThread { try reading.verify(checkpoint: nil) }
        #expect(found.isWhole)
        await holder.close()
    }
}
