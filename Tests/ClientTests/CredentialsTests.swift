import Foundation
import TestSupport
import Testing

@testable import Client

@Suite("Credentials")
struct CredentialsTests {
    @Test(
        "a key id or organization that would break the signature header is refused",
        arguments: [
            ("", "o"), ("a\"b", "o"), ("a b", "o"), ("a", ""), ("a", "x\r\ny"), (String(repeating: "a", count: 129), "o"),
        ])
    func refusesNames(keyID: String, organization: String) {
        #expect(throws: ClientError.self) {
            try Credentials(endpoint: "https://h", keyID: keyID, secret: [1], organization: organization)
        }
    }

    @Test("an empty secret is refused")
    func refusesEmptySecret() {
        #expect(throws: ClientError.self) { try Credentials(endpoint: "https://h", keyID: "a", secret: []) }
    }

    @Test("a private file gives all settings, its authority meant from its own directory")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            #"{"url":"https://h:1","key_id":"k","key_secret":"s","ca":"ca.pem","org":"o"}"#, to: "credentials.json")
        let credentials = try Credentials.file(path)
        #expect(credentials.endpoint == "https://h:1" && credentials.keyID == "k" && credentials.organization == "o")
        #expect(credentials.certificateAuthority == directory.path + "/ca.pem")
    }

    @Test("a file that others may read is refused with the command that repairs it", arguments: [0o640, 0o604, 0o660, 0o610])
    func refusesModes(mode: Int) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(#"{"url":"https://h","key_id":"k","key_secret":"s"}"#, to: "credentials.json")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let error = #expect(throws: ClientError.self) { try Credentials.file(path) }
        #expect(error?.detail.contains("chmod 600") == true)
    }

    @Test(
        "a file that is missing, no file, no JSON or lacks a field is refused",
        arguments: ["", "[]", "{", #"{"url":"https://h","key_id":"k"}"#, #"{"url":"https://h","key_id":"k","key_secret":5}"#])
    func refusesContents(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(text, to: "credentials.json")
        #expect(throws: ClientError.self) { try Credentials.file(path) }
        #expect(throws: ClientError.self) { try Credentials.file(path + ".missing") }
        #expect(throws: ClientError.self) { try Credentials.file(directory.path) }
    }

    @Test("answers of any bytes give an error or a secret, never a trap")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 11,
            samples: [
                #"{"id":"x","secret":"p\u00e4ss","account_id":"7","username":"root","version":3,"date_changed":null}"#,
                #"{"detail":"no","code":"Not found","request_id":"r"}"#, #"{"error":{"non_field_errors":["At least one"]}}"#,
                #"{"name":["This field is required."],"protocols":[{"port":["Bad."]}]}"#,
            ])
        var (accepted, refused) = (0, 0)
        for _ in 0..<Fuzzer.rounds(2000) {
            let input = fuzzer.next()
            let isAccepted = input.withUnsafeBytes { (try? AccountSecret($0).version) != nil }
            accepted += isAccepted ? 1 : 0
            refused += isAccepted ? 0 : 1
            let detail = input.withUnsafeBytes { Problem(body: $0, status: 400).detail }
            #expect(!detail.isEmpty && detail.unicodeScalars.count <= 500 && detail.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
        }
        #expect(accepted > 0 && refused > 0)
    }

    @Test("whatever is taken for a server's URL names a host and nothing that a URL hides in it")
    func fuzzEndpoints() {
        var fuzzer = Fuzzer(
            seed: 42, samples: ["https://vault.example:8443/keyturn/", "HTTPS://[::1]:8443", "https://a@b/c?d#e"])
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(5_000) {
            guard let endpoint = try? Endpoint(String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            accepted += 1
            let host = endpoint.origin.dropFirst("https://".count)
            #expect(endpoint.origin.hasPrefix("https://") && !host.isEmpty && !host.contains { "/@?#\\".contains($0) })
            #expect(endpoint.path.isEmpty || endpoint.path.hasPrefix("/") && !endpoint.path.hasSuffix("/"))
            #expect(endpoint.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        }
        #expect(accepted > 50)
    }
}
