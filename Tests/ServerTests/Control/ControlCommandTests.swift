import Cryptography
import JSON
import TestSupport
import Testing

@testable import Server

@Suite("ControlCommand")
struct ControlCommandTests {
    private func read(_ text: String) throws -> ControlCommand {
        try Array(text.utf8).withUnsafeBytes { try ControlCommand(reading: $0) }
    }

    @Test("simple commands are read by name", arguments: ["status", "seal", "reload", "checkpoint", "unseal", "rekey"])
    func simple(name: String) throws {
        #expect(try read("{\"command\":\"\(name)\"}").name == name)
    }

    @Test("a request survives its own wire form, secrets too")
    func roundTrip() throws {
        let secret = "pä\"ss\\word\n"
        let command = ControlCommand.resetPassword(
            username: "admin", password: SecretHandoff(Secret(copying: Array(secret.utf8).withUnsafeBytes { $0 })))
        let line = command.line()
        let again = try line.withBytes { try read(String(decoding: $0, as: UTF8.self)) }
        guard case .resetPassword("admin", let password) = again, let taken = password.take() else {
            Issue.record("another command came out")
            return
        }
        #expect(taken.withBytes { String(decoding: $0, as: UTF8.self) } == secret)
    }

    @Test(
        "what is no request is refused, without repeating any of it",
        arguments: [
            "", "{", "[]", "status", "{\"command\":7}", "{\"command\":\"shutdown\"}", "{\"command\":\"status\",\"more\":1}",
            "{\"command\":\"seal\",\"command\":\"seal\"}", "{\"command\":\"snapshot\"}",
            "{\"command\":\"snapshot\",\"directory\":\"relative\"}", "{\"command\":\"snapshot\",\"directory\":\"/a\\u0000b\"}",
            "{\"command\":\"unseal\",\"recovery_code\":\"\"}", "{\"command\":\"rekey\",\"recovery_code\":7}",
            "{\"command\":\"unseal\",\"recovery_code\":[\"hunter2\"]}",
            "{\"command\":\"reset-password\",\"username\":\"admin\"}",
            "{\"command\":\"reset-password\",\"password\":\"hunter2\"}",
            "{\"command\":\"reset-password\",\"username\":\"a\",\"password\":\"\(String(repeating: "x", count: 5000))\"}",
            "{\"command\":\"status\"}{\"command\":\"seal\"}",
        ])
    func refused(text: String) {
        let fault = #expect(throws: ControlFault.self) { try read(text) }
        #expect(fault.map { !$0.description.contains("hunter2") } == true)
    }

    @Test("answers survive their wire form")
    func answers() throws {
        for answer in [ControlAnswer.done { $0.field("a", "b\n") }, .failed(code: "sealed", detail: "\"quoted\"\n")] {
            let line = answer.line
            #expect(line.filter { $0 == 10 }.count == 1)
            #expect(try line.withUnsafeBytes { try ControlAnswer(reading: $0) } == answer)
        }
    }

    @Test("fuzzed requests and answers are read or refused, never a trap")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 0x5EED_0002,
            samples: [
                "{\"command\":\"status\"}", "{\"command\":\"unseal\",\"recovery_code\":\"ABCD-EFGH\"}",
                "{\"command\":\"snapshot\",\"directory\":\"/var/x\"}",
                "{\"command\":\"reset-password\",\"username\":\"admin\",\"password\":\"p\\u00e4ss\"}",
                "{\"ok\":true,\"result\":{\"a\":1}}", "{\"ok\":false,\"code\":\"x\",\"detail\":\"y\"}",
            ])
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(3000) {
            fuzzer.next().withUnsafeBytes { bytes in
                if (try? ControlCommand(reading: bytes)) != nil { accepted += 1 }
                if (try? ControlAnswer(reading: bytes)) != nil { accepted += 1 }
            }
        }
        #expect(accepted > 0)
    }
}
