import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// What `serve` makes of a data directory that is not as it left it.
@Suite("The data directory at the start")
struct DataDirectoryTests {
    private static func serve(_ server: ServerProcess) async throws -> Finished {
        try await RunningProgram.run(
            Products.keyturnd, ["serve", "--data", server.data, "--listen", "127.0.0.1:0"], limit: .seconds(120))
    }

    /// Relative to the data directory, the mode, and the command that repairs it.
    @Test(
        "modes that let others read are refused with the command that repairs them, and that command does",
        arguments: [("", 0o755), ("/keyturn.db", 0o644), ("/audit.db", 0o640), ("/tls/server.key", 0o644)])
    func modes(_ name: String, _ mode: Int) async throws {
        let server = try await ServerProcess.make()
        #expect(chmod(server.data + name, mode_t(mode)) == 0)
        let refused = try await Self.serve(server)
        #expect(refused.ending == .status(1))
        let remedy = "chmod \(name.isEmpty ? "700" : "600") '\(server.data + name)'"
        #expect(refused.standardError.contains(remedy), "\(refused.standardError)")
        #expect(try await RunningProgram.run("sh", ["-c", remedy]).succeeded)
        try await server.start()
    }

    @Test("a key file that others may read does not open the vault")
    func keyFileMode() async throws {
        let server = try await ServerProcess.make()
        #expect(chmod(server.firstLogin.keyDirectory + "/keyturn.key", 0o644) == 0)
        try await server.start()
        #expect(server.log.contains("stays sealed") && server.log.contains("chmod 600"), "\(server.log)")
        #expect(try await server.operate(["status", "--json"]).text.contains(#""sealed":true"#))
    }

    @Test("a database of a newer version is refused, and left as it is", arguments: ["keyturn.db", "audit.db"])
    func newerSchema(_ name: String) async throws {
        let server = try await ServerProcess.make()
        let file = server.data + "/" + name
        let raised = try await RunningProgram.run(
            "sqlite3", [file, "INSERT INTO schema_version VALUES (9999, 'of tomorrow', 0)"])
        #expect(raised.succeeded)
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        let refused = try await Self.serve(server)
        #expect(refused.ending == .status(1))
        #expect(refused.standardError.contains("newer"), "\(refused.standardError)")
        #expect(try await server.operate(["migrate"]).ending == .status(1))
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    }

    @Test("a second server on the same directory is refused and names the first; the first goes on")
    func oneServer() async throws {
        let vault = try await SmallVault.start()
        let second = try await Self.serve(vault.server)
        #expect(second.ending == .status(5))
        #expect(second.standardError.contains("\(try #require(vault.server.program).pid)"), "\(second.standardError)")
        #expect(try await vault.key.fetch(over: APIConnection(vault.server)).status == 200)
        // The lock is the process's: after a kill it is free.
        try await vault.server.kill()
        try await vault.server.start()
    }

    @Test(
        "a read-only directory is refused in words, and nothing in it is touched",
        .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")))
    func readOnly() async throws {
        let vault = try await SmallVault.start()
        try await vault.server.stop()
        do {
            let mount = try Mount(["--bind", vault.server.data], on: vault.server.data)
            let again = try ExternalProgram.run("mount", ["-o", "remount,bind,ro", mount.path])
            #expect(again.status == 0)
            let refused = try await Self.serve(vault.server)
            #expect(refused.ending == .status(1))
            #expect(refused.standardError.contains("read-only"), "\(refused.standardError)")
        }
        try await vault.server.start()
        #expect(try await vault.key.fetch(over: APIConnection(vault.server)).status == 200)
        #expect(try await AuditExport.isWhole(vault.server))
    }

    @Test("a bit flipped in a stored secret is an error and an audit entry, never another secret")
    func flippedBit() async throws {
        let vault = try await SmallVault.start()
        try await vault.server.stop()
        let changed = try await RunningProgram.run(
            "sqlite3",
            [
                vault.server.data + "/keyturn.db",
                "UPDATE secret_versions SET secret = CAST(substr(secret, 1, length(secret) - 1) || x'00' AS BLOB)",
            ])
        #expect(changed.succeeded, "\(changed.standardError)")
        try await vault.server.start()
        let answer = try await vault.key.fetch(over: APIConnection(vault.server))
        #expect(answer.status == 500 && answer.string("code") == "integrity", "\(answer.text)")
        let entry = try await AuditExport(vault.server).entries("secret.fetch").last
        #expect(
            entry?["outcome"]?.string == "failed" || entry?["outcome"]?.string == "refused", "\(entry?["reason"]?.string ?? "")")
    }
}
