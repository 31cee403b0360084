import Foundation
import JSON
import TestSupport
import Testing

@Suite("keyturnd init")
struct InitTests {
    @Test("what it prints is right in every directory, and its certificate is good for localhost and 127.0.0.1")
    func relative() async throws {
        let scratch = try TemporaryDirectory()
        let made = try await RunningProgram.run(
            Products.keyturnd, ["init", "--data", "data", "--yes", "--json"], directory: scratch.path)
        #expect(made.succeeded, "\(made.standardError)")
        let login = try JSONDocument.parse(made.output)
        let names = try #require(login.object).map(\.name)
        #expect(names == ["username", "password", "ca_certificate", "recovery_file", "key_directory"])
        for name in names.dropFirst(2) {
            let path = try #require(login[name]?.string)
            #expect(path.hasPrefix("/") && FileManager.default.fileExists(atPath: path), "\(name): \(path)")
        }
        let recovery = try FileManager.default.attributesOfItem(atPath: #require(login["recovery_file"]?.string))
        #expect((recovery[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let keys = try #require(login["key_directory"]?.string)
        #expect(!keys.hasPrefix(scratch.path + "/data/"), "the key must not lie with what it opens")

        let port = try FreePort.any()
        let program = try RunningProgram(
            Products.keyturnd, ["serve", "--data", "data", "--listen", "127.0.0.1:\(port)"], directory: scratch.path)
        try await program.waitForOutput("listening")
        for host in ["localhost", "127.0.0.1"] {
            let curl = Curl(base: "https://\(host):\(port)", certificateAuthority: login["ca_certificate"]?.string)
            #expect(try await curl.request("GET", "/readyz").status == 401)
        }
        program.signal(SIGTERM)
        #expect(try await program.wait() == .status(0))
    }

    @Test("without --yes the recovery code must be typed back, goes to no file and not between the results, and opens the vault")
    func provenCode() async throws {
        let scratch = try TemporaryDirectory()
        let data = scratch.file("data")
        let asking = try RunningProgram(Products.keyturnd, ["init", "--data", data, "--json"])
        let form = try Regex("[0-9A-Z]{4}(-[0-9A-Z]{4}){7}\n\n")
        try await asking.waitForOutput("keep it offline")
        try await asking.waitForOutput("\n\n    ")
        while try form.firstMatch(in: asking.standardError) == nil { try await Task.sleep(for: .milliseconds(10)) }
        let shown = try #require(try form.firstMatch(in: asking.standardError))
        let code = String(asking.standardError[shown.range].dropLast(2))
        try asking.send("0000-0000-0000-0000-0000-0000-0000-0000\n")
        try await asking.waitForOutput("That is another code.")
        #expect(!FileManager.default.fileExists(atPath: data), "nothing is made before")
        try asking.send(code.lowercased() + "\n")
        #expect(try await asking.wait() == .status(0))
        let login = try JSONDocument.parse(asking.standardOutputBytes)
        #expect(login["recovery_file"]?.isNull == true && login["password"]?.string?.isEmpty == false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["data", "data-keys"])

        try FileManager.default.removeItem(atPath: data + "-keys/keyturn.key")
        let server = try RunningProgram(Products.keyturnd, ["serve", "--data", data, "--listen", "127.0.0.1:0"])
        try await server.waitForOutput("listening")
        let opened = try await RunningProgram.run(
            Products.keyturnd, ["unseal", "--data", data], input: Array((code + "\n").utf8))
        #expect(opened.succeeded, "\(opened.standardError)")
    }

    @Test("a recovery code that is not typed back makes no vault")
    func unprovenCode() async throws {
        let scratch = try TemporaryDirectory()
        let refused = try await RunningProgram.run(
            Products.keyturnd, ["init", "--data", scratch.file("data"), "--json"], input: Array("a\nb\nc\n".utf8))
        #expect(refused.ending == .status(2) && refused.output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    }

    @Test("a second init changes nothing")
    func second() async throws {
        let vault = try await SmallVault.start()
        try await vault.server.stop()
        let again = try await RunningProgram.run(Products.keyturnd, ["init", "--data", vault.server.data, "--yes", "--json"])
        #expect(!again.succeeded && again.output.isEmpty)
        try await vault.server.start()
        #expect(try await vault.key.fetch(over: APIConnection(vault.server)).string("secret") == SmallVault.secret)
    }
}
