import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// Secrets planted in the running programs, rightly and wrongly, and everything searched that the programs leave behind.
@Suite("Canary in the running server")
struct RunningCanaryTests {
    /// Part of every planted secret.
    private static let canary = "cAnArY4e8b17c0d2f6"

    /// The canary as it is, in Base64 at each alignment, in hexadecimal digits of either case, and in UTF-16.
    private static var forms: [Data] {
        let bytes = Array(canary.utf8)
        let encoded = (0..<3).map { offset in
            // Without the ends, which depend on the neighbours.
            Data((Data(repeating: 0, count: offset) + bytes).base64EncodedString().utf8.dropFirst(4).dropLast(4))
        }
        let hexadecimal = bytes.map { String(format: "%02x", $0) }.joined()
        return [Data(bytes), Data(hexadecimal.utf8), Data(hexadecimal.uppercased().utf8), Data(bytes.flatMap { [$0, 0] })]
            + encoded
    }

    @Test("planted secrets are in no log, audit, metric, error body, database, write-ahead log or temporary file")
    func nowhere() async throws {
        // A temporary directory of its own shows what the programs put there.
        let temporary = try TemporaryDirectory("canary")
        let port = try FreePort.any()
        let server = try await ServerProcess.make(
            configuration: "plain_listen: 127.0.0.1:\(port)\nlog: {level: trace}\n", environment: ["TMPDIR": temporary.path])
        try await server.start()
        let vault = try await SmallVault.fill(server)
        var said = try await Self.plantRightly(vault)
        said += try await Self.plantWrongly(vault)
        try await Self.plantInAbortedUploads(vault)
        said.append(try await Curl(base: "http://127.0.0.1:\(port)").request("GET", "/metrics").text)
        let export = try await server.operate(["audit", "export"])
        said += [export.text, export.standardError]
        #expect(try await server.operate(["snapshot", server.directory.file("snapshot")]).succeeded)
        try await Self.search(vault, temporary, said, "running")
        try await server.kill()
        try await Self.search(vault, temporary, [], "killed")
        try await server.start()
        #expect(try await server.stop() == .status(0))
        try await Self.search(vault, temporary, [], "stopped")
        // The administrator's password and token and the application's key are secrets as well.
        for secret in [server.firstLogin.password, vault.key.secret, vault.admin.token] {
            #expect(Self.places(of: [Data(secret.utf8)], below: server.data).isEmpty)
            #expect(!server.log.contains(secret))
        }
    }

    @Test("the search finds what is there, in each form")
    func control() throws {
        let directory = try TemporaryDirectory()
        for (number, form) in Self.forms.enumerated() { try directory.write([0x78] + Array(form) + [0x79], to: "\(number)") }
        #expect(Set(Self.places(of: Self.forms, below: directory.path)).count == Self.forms.count)
    }

    // MARK: - Planting

    /// Where secrets belong; the answers that may show them are not searched.
    private static func plantRightly(_ vault: SmallVault) async throws -> [String] {
        let (admin, account) = (vault.admin, "/api/v1/accounts/accounts/\(vault.account)/")
        var said: [String] = []
        for number in 0..<3 {
            said.append(try await admin.call(.patch, account, #"{"secret":"\#(canary) \#(number)"}"#).text)
        }
        said.append(
            try await admin.call(
                .post, "/api/v1/accounts/accounts/",
                #"{"username":"key","asset":"\#(vault.asset)","secret_type":"token","secret":"\#(canary)"}"#
            ).text)
        for path in [
            "/api/v1/accounts/accounts/", account, "/api/v1/audits/audit-logs/", "/api/v1/audits/service-access-logs/",
        ] {
            said.append(try await admin.call(.get, path).text)
        }
        let fetched = try await vault.key.fetch(over: APIConnection(vault.server))
        #expect(fetched.string("secret") == canary + " 2")
        try await admin.confirm(vault.server)
        let shown = try await admin.call(.get, "/api/v1/accounts/account-secrets/\(vault.account)/")
        #expect(shown.text.contains(canary))
        let environment = ["KEYTURN_KEY_ID": vault.key.id, "KEYTURN_KEY_SECRET": vault.key.secret]
        #expect(try await vault.server.client(["get", "db1", "root"], environment: environment).text == canary + " 2")
        return said
    }

    /// Where they do not belong: all is refused, and no refusal repeats them.
    private static func plantWrongly(_ vault: SmallVault) async throws -> [String] {
        var said: [String] = []
        let start = #"{"username":"x","asset":"\#(vault.asset)","secret":"#
        for body in [
            start + #"["\#(canary)"]}"#, start + #"{"value":"\#(canary)"}}"#, start + #""\#(canary)"#,
            start + #""\#(canary)\q"}"#, start + #""\#(canary)","secret":"\#(canary)"}"#,
            start + #""\#(canary)","is_active":"\#(canary)"}"#, start + #""\#(canary)","secret_type":"\#(canary)"}"#,
            start + #""\#(canary)\u0000"}"#, start + #""\#(canary)","secret_type":"ssh_key"}"#,
            start + #""x","passphrase":"\#(canary)"}"#, start + #""{{\#(canary)}}"}"#, #""\#(canary)""#,
            #"{"password":"\#(canary)"}"#,
        ] {
            let answer = try await vault.admin.call(.post, "/api/v1/accounts/accounts/", body)
            #expect((400..<500).contains(answer.status), "\(body): \(answer.status)")
            said.append(answer.text)
        }
        for body in [
            #"{"username":"admin","password":"\#(canary)"}"#, #"{"username":"admin","password":7,"x":"\#(canary)"}"#,
            #"{"confirm_type":"password","secret_key":"\#(canary)"}"#,
        ] {
            for path in ["/api/v1/authentication/auth/", "/api/v1/authentication/confirm/"] {
                said.append(try await vault.admin.call(.post, path, body).text)
            }
        }
        for headers in [
            [("Authorization", "Bearer \(canary)")],
            [("Authorization", "Signature keyId=\"\(vault.key.id)\",signature=\"\(canary)\"")],
            [("Cookie", "session=\(canary)")], [("X-Nonsense", canary)],
        ] {
            for path in ["/api/v1/accounts/accounts/", ApplicationKey.target + "&secret=\(canary)", "/api/v1/\(canary)/"] {
                said.append(try await vault.server.curl.request("GET", path, headers: headers).text)
            }
        }
        let typed = try await vault.server.client(["login", vault.server.url], input: Array(canary.utf8))
        #expect(!typed.succeeded)
        return said + [typed.text, typed.standardError]
    }

    /// More is announced than is sent; then the client leaves.
    private static func plantInAbortedUploads(_ vault: SmallVault) async throws {
        let body = #"{"username":"x","asset":"\#(vault.asset)","secret":"\#(canary)"#
        for length in [900, 3 << 20] {
            let head = [
                "POST /api/v1/accounts/accounts/ HTTP/1.1", "Host: localhost", "Authorization: Bearer \(vault.admin.token)",
                "Content-Type: application/json", "Content-Length: \(length)",
            ]
            let part = Array(body.utf8) + Array(repeating: UInt8(ascii: "z"), count: length / 2)
            try await RawTLS.leave(after: Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + part, to: vault.server)
        }
    }

    // MARK: - Searching

    private static func search(
        _ vault: SmallVault, _ temporary: TemporaryDirectory, _ said: [String], _ when: String
    ) async throws {
        for form in forms {
            for text in said { #expect(Data(text.utf8).range(of: form) == nil, "\(when): an answer: \(text.prefix(500))") }
            #expect(Data(vault.server.log.utf8).range(of: form) == nil, "\(when): the log")
        }
        let found = places(of: forms, below: vault.server.directory.path) + places(of: forms, below: temporary.path)
        #expect(found.isEmpty, "\(when): \(found)")
    }

    /// The files that hold one of the forms.
    private static func places(of forms: [Data], below path: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            // The reserve is room set aside, with nothing in it.
            guard !name.hasSuffix("reserve"), let bytes = FileManager.default.contents(atPath: path + "/" + name) else {
                return false
            }
            return forms.contains { bytes.range(of: $0) != nil }
        }
    }
}
