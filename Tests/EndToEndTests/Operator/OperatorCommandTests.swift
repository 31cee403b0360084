import Foundation
import JSON
import TestSupport
import Testing

@Suite("keyturnd commands")
struct OperatorCommandTests {
    private func result(_ finished: Finished) throws -> JSONValue { try JSONDocument.parse(finished.text) }

    private func recoveryCode(_ server: ServerProcess) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: server.firstLogin.recoveryFile))) + [10]
    }

    @Test("a server is sealed, answers 503, and is unsealed with the recovery code or the key file")
    func sealing() async throws {
        let server = try await ServerProcess.start()
        #expect(try await server.operate(["status"]).succeeded)
        #expect(try await server.operate(["seal"]).succeeded)
        #expect(try await server.operate(["seal"]).ending == .status(4))
        #expect(try await server.operate(["status"]).ending == .status(5))
        #expect(try await server.curl.request("GET", "/readyz").status == 503)
        let wrong = try await server.operate(["unseal"], input: Array("AAAA-BBBB\n".utf8))
        #expect(wrong.ending == .status(3))
        let other = String(repeating: "0", count: 32) + "\n"
        #expect(try await server.operate(["unseal"], input: Array(other.utf8)).ending == .status(3))
        #expect(try await server.operate(["unseal"], input: recoveryCode(server)).succeeded)
        let status = try await result(server.operate(["status", "--json"]))
        #expect(status["sealed"]?.bool == false && status["ready"]?.bool == true)
        #expect(try await server.operate(["seal"]).succeeded)
        #expect(try await server.operate(["unseal", "--key-file"]).succeeded)
        #expect(try await server.curl.request("GET", "/readyz").status == 401)
    }

    @Test("without its key file a server starts sealed, and the recovery code opens it")
    func startsSealed() async throws {
        let server = try await ServerProcess.make()
        let key = server.firstLogin.keyDirectory + "/keyturn.key"
        try FileManager.default.moveItem(atPath: key, toPath: key + ".away")
        try await server.start()
        #expect(try await server.operate(["status"]).ending == .status(5))
        #expect(try await server.operate(["unseal"], input: recoveryCode(server)).succeeded)
        #expect(try await server.operate(["status"]).succeeded)
        #expect(try await server.operate(["doctor", "--quick"]).ending == .status(1))
    }

    @Test("a running server is copied and restored with the recovery code alone; the administrator logs in there")
    func snapshotAndRestore() async throws {
        let server = try await ServerProcess.start()
        let copy = server.directory.file("copy")
        #expect(try await server.operate(["snapshot", copy]).succeeded)
        #expect(try await server.operate(["snapshot", copy]).ending == .status(1))
        let code = try recoveryCode(server)
        try await server.kill()
        let data = server.directory.file("restored")
        func restore(_ input: [UInt8]) async throws -> Finished {
            try await RunningProgram.run(Products.keyturnd, ["restore", copy, "--data", data, "--json"], input: input)
        }
        #expect(try await restore(Array(String(repeating: "1", count: 32).utf8) + [10]).ending == .status(3))
        let restored = try await restore(code)
        #expect(restored.succeeded, "\(restored.standardError)")
        let authority = try #require(result(restored)["ca_certificate"]?.string)
        #expect(try await restore(code).ending == .status(1))

        let port = try FreePort.any()
        let program = try RunningProgram(Products.keyturnd, ["serve", "--data", data, "--listen", "127.0.0.1:\(port)"])
        try await program.waitForOutput("listening")
        let curl = Curl(base: "https://127.0.0.1:\(port)", certificateAuthority: authority)
        let body = #"{"username":"\#(server.firstLogin.username)","password":"\#(server.firstLogin.password)"}"#
        let login = try await curl.request(
            "POST", "/api/v1/authentication/auth/", headers: [("Content-Type", "application/json")], body: Array(body.utf8))
        #expect(login.status == 201, "\(login.text)")
        program.signal(SIGTERM)
        #expect(try await program.wait() == .status(0))
    }

    @Test("a stopped server is copied too, and a running one keeps commands out that need it stopped")
    func stopped() async throws {
        let server = try await ServerProcess.start()
        #expect(try await server.operate(["migrate"]).ending == .status(5))
        #expect(try await server.stop() == .status(0))
        #expect(try await server.operate(["migrate"]).succeeded)
        #expect(try await server.operate(["snapshot", server.directory.file("copy")]).succeeded)
        #expect(try await server.operate(["status"]).ending == .status(5))
        #expect(try await server.operate(["seal"]).ending == .status(5))
    }

    @Test("a password is reset while the server runs and while it is stopped", arguments: [true, false])
    func resetPassword(isRunning: Bool) async throws {
        let server = try await ServerProcess.make()
        if isRunning { try await server.start() }
        let reset = try await server.operate(["admin", "reset-password", "admin"], input: Array("another password\n".utf8))
        #expect(reset.succeeded, "\(reset.standardError)")
        let unknown = try await server.operate(["admin", "reset-password", "nobody"], input: Array("another password\n".utf8))
        #expect(unknown.ending == .status(4))
        if !isRunning {
            let input = try recoveryCode(server) + Array("another password\n".utf8)
            #expect(try await server.operate(["admin", "reset-password", "--recovery-code"], input: input).succeeded)
            try await server.start()
        }
        func logIn(_ password: String) async throws -> Int {
            try await server.curl.request(
                "POST", "/api/v1/authentication/auth/", headers: [("Content-Type", "application/json")],
                body: Array(#"{"username":"admin","password":"\#(password)"}"#.utf8)
            ).status
        }
        #expect(try await logIn(server.firstLogin.password) == 401)
        #expect(try await logIn("another password") == 201)
    }

    @Test("the audit is verified and exported while the server runs; a flipped byte is found and named")
    func audit() async throws {
        let server = try await ServerProcess.start()
        let whole = try await server.operate(["audit", "verify", "--json"])
        #expect(whole.succeeded)
        #expect(try result(whole)["whole"]?.bool == true)
        #expect(try result(whole)["key_trusted"]?.bool == true)
        let lines = try await server.operate(["audit", "export"]).text.split(separator: "\n")
        #expect(lines.count >= 3)
        for (line, action) in zip(lines.suffix(2), ["audit.verify", "audit.export"]) {
            let entry = try JSONDocument.parse(String(line))
            #expect(entry["action"]?.string == action, "\(line)")
        }
        #expect(try lines.allSatisfy { try JSONDocument.parse(String($0))["hash"] != nil })
        #expect(
            try await server.operate(["audit", "export", "--after", "2"]).text.split(separator: "\n").first?.hasPrefix(
                "{\"seq\":3,") == true)
        try await server.stop()
        let path = server.data + "/audit.db"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(bytes.range(of: Data("vault.init\",\"".utf8)))
        bytes[place.lowerBound] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let broken = try await server.operate(["audit", "verify", "--json"])
        #expect(broken.ending == .status(1))
        #expect(try result(broken)["broken_entry"]?.int == 1)
        #expect(try await server.operate(["doctor"]).ending == .status(1))
    }

    @Test("entries that were cut off are found by a checkpoint file that was kept elsewhere, and checkpoints stand in the log")
    func truncatedAudit() async throws {
        let server = try await ServerProcess.start()
        try await server.stop()
        let (audit, earlier) = (server.data + "/audit.db", server.directory.file("earlier.db"))
        try FileManager.default.copyItem(atPath: audit, toPath: earlier)
        let verified = try await server.operate(["audit", "verify", "--json"])
        let count = try #require(try result(verified)["entries"]?.int)
        try await server.start()
        for _ in 0..<10 { _ = try await Administrator(server) }
        try await server.stop()
        let line = try #require(server.log.split(separator: "\n").last { $0.contains("audit checkpoint") })
        for field in ["seq=", "head=", "key=", "signature="] { #expect(line.contains(field), "\(line)") }

        // Everything that lies with the data is put back; the checkpoints of the end are kept.
        let (own, kept) = (server.data + "/audit-checkpoints.jsonl", server.directory.file("kept.jsonl"))
        try FileManager.default.moveItem(atPath: own, toPath: kept)
        try FileManager.default.removeItem(atPath: audit)
        try FileManager.default.moveItem(atPath: earlier, toPath: audit)
        let found = try await server.operate(["audit", "verify", "--checkpoint", kept, "--json"])
        #expect(found.ending == .status(1), "\(found.text) \(found.standardError)")
        let broken = try #require(try result(found)["broken_entry"]?.int, "\(found.text)")
        #expect((count...count + 2).contains(broken), "\(found.text)")
    }

    @Test("the doctor finds nothing wrong with a fresh server, running or stopped, and reminds of the recovery code")
    func doctor() async throws {
        let server = try await ServerProcess.start()
        for _ in 0..<2 {
            let outcome = try await server.operate(["doctor", "--json"])
            #expect(outcome.succeeded, "\(outcome.text)")
            #expect(try result(outcome)["healthy"]?.bool == true)
            #expect(outcome.text.contains(server.firstLogin.recoveryFile))
            _ = try await server.stop()
        }
    }
}
