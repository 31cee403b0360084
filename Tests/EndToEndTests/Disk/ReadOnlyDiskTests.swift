import Foundation
import JSON
import TestSupport
import Testing

/// A data directory on a file system that takes no writes (a read-only bind mount).
@Suite("A read-only disk", .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")))
struct ReadOnlyDiskTests {
    @Test("a server does not start there and says why; what only reads works, the doctor tells, and nothing is changed")
    func start() async throws {
        let vault = try await SmallVault.start()
        let server = vault.server
        try await server.stop()
        do {
            let mount = try Mount(["--bind", server.data], on: server.data)
            let remounted = try ExternalProgram.run("mount", ["-o", "remount,bind,ro", mount.path])
            #expect(remounted.status == 0, "\(remounted.standardError)")
            let refused = try await server.operate(["serve", "--listen", "127.0.0.1:0"])
            #expect(refused.ending == .status(1) && refused.standardError.contains("read-only"), "\(refused.standardError)")
            let verified = try await server.operate(["audit", "verify", "--json"])
            #expect(
                verified.succeeded && verified.standardError.contains("read-only"), "it is said that this is not on the record")
            let told = try await server.operate(["doctor", "--json"])
            #expect(told.ending == .status(1))
            let findings = try JSONDocument.parse(told.output)["findings"]?.array.map(Array.init) ?? []
            let disk = try #require(findings.first { $0["subject"]?.string == "disk" })
            #expect(disk["state"]?.string == "wrong" && disk["detail"]?.string?.contains("Read-only") == true)
            let copy = try await server.operate(["snapshot", server.directory.file("copy")])
            #expect(copy.ending == .status(1) && copy.standardError.contains("read-only"))
            withExtendedLifetime(mount) {}
        }
        try await server.start()
        #expect(try await vault.key.fetch(over: APIConnection(server)).string("secret") == SmallVault.secret)
        #expect(try await AuditExport.isWhole(server))
    }
}
