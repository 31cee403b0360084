import Foundation
import Sealing
import TestSupport
import Testing

@testable import Server

@Suite("Trust in the audit's signatures")
struct AuditTrustTests {
    private let vault: VaultFixture

    init() async throws {
        vault = try await onOwnThread { try VaultFixture() }
    }

    private func verify() async throws -> AuditFindings {
        try await onOwnThread { [vault] in try AuditReading(vault.configuration).verify(checkpoint: nil) }
    }

    @Test("with the vault's key file its own signing key is believed, without one it is said that it is not")
    func told() async throws {
        let trusted = try await verify()
        #expect(trusted.isWhole && trusted.isKeyTrusted)
        try FileManager.default.removeItem(atPath: vault.layout.keys + "/" + KeyFileUnsealer.fileName)
        let untrusted = try await verify()
        #expect(untrusted.isWhole && !untrusted.isKeyTrusted)
    }

    @Test("a key file that does not open the vault is an error, and no silent loss of trust", arguments: [false, true])
    func foreignKey(isReadable: Bool) async throws {
        let path = vault.layout.keys + "/" + KeyFileUnsealer.fileName
        try FileManager.default.removeItem(atPath: path)
        if isReadable {
            _ = try KeyFileUnsealer(directory: vault.layout.keys).create()
        } else {
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/nonexistent")
        }
        let fault = await #expect(throws: SealingFault.self) { _ = try await verify() }
        #expect(fault.map { OperatorFault($0).kind } == (isReadable ? .notAuthenticated : .failed))
    }
}
