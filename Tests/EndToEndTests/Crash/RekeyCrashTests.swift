import Foundation
import JSON
import TestSupport
import Testing

/// SIGKILL while the key-encryption key of a running server is replaced.
@Suite("Rekey and crashes")
struct RekeyCrashTests {
    private func rekey(_ server: ServerProcess) async throws -> JSONValue {
        let done = try await server.operate(["rekey", "--json"])
        #expect(done.succeeded, "\(done.standardError)")
        return try JSONDocument.parse(done.text)
    }

    private func fetches(_ vault: SmallVault) async throws -> Bool {
        let answer = try await vault.key.fetch(
            over: APIConnection(vault.server), ApplicationKey.route + "?account_id=\(vault.account)")
        return answer.status == 200 && answer.string("secret") == SmallVault.secret
    }

    @Test("a running server replaces its key and serves on; a stopped one does too, and opens afterwards")
    func whole() async throws {
        let vault = try await SmallVault.start()
        let done = try await rekey(vault.server)
        #expect(done["key"]?.int == 2 && done["resumed"]?.bool == false)
        #expect(try await fetches(vault))
        try await vault.server.stop()
        #expect(try await rekey(vault.server)["key"]?.int == 3)
        #expect(try await vault.server.operate(["doctor"]).succeeded)
        try await vault.server.start()
        #expect(try await fetches(vault))
        let audit = try await AuditExport(vault.server)
        #expect(audit.entries("control.rekey", outcome: "granted").count == 2)
    }

    @Test("killed at any moment of it, the server starts, serves the secret, and the next rekey goes to the end")
    func kill() async throws {
        let vault = try await SmallVault.start()
        for round in 1...6 {
            let server = vault.server
            async let interrupted = server.operate(["rekey", "--json"])
            // The first half second is most of it: the rest waits for work with the former key to end.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
            try await server.kill()
            _ = try? await interrupted
            try await server.start()
            #expect(try await fetches(vault), "round \(round)")
            _ = try await rekey(server)
            #expect(try await fetches(vault), "round \(round), after it")
        }
        #expect(try await AuditExport.isWhole(vault.server))
        #expect(try await vault.server.stop() == .status(0))
        #expect(try await vault.server.operate(["doctor"]).succeeded)
    }
}
