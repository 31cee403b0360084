import Access
import Audit
import API
import Domain
import Foundation
import Glibc
import HTTPServer
import Outbound
import Server
import Storage
import TestSupport
import Testing

/// Secrets are planted wherever a client can put one, rightly or wrongly; then everything that the server leaves behind is searched.
@Suite("Canary")
struct CanaryTests {
    /// What is searched for; each form of it that a leak could take.
    static let canary = "cAnArY7f3a91bd55e0"
    static var forms: [Data] {
        let bytes = Array(canary.utf8)
        let hexadecimal = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let encoded = (0..<3).map { offset in
            // Base64 at each of its three alignments, without the ends that depend on the neighbours.
            Data((Data(repeating: 0, count: offset) + bytes).base64EncodedString().utf8.dropFirst(4).dropLast(4))
        }
        return [Data(bytes), Data(hexadecimal.utf8), Data(bytes.reversed()), Data(bytes.flatMap { [$0, 0] })] + encoded
    }

    @Test("no planted secret is found in logs, audit, error bodies, databases, write-ahead logs or any other file")
    func nowhere() async throws {
        let server = try await LiveServer()
        var answers: [String] = []
        answers += try await plantInFetches(server)
        answers += try await plantInBodies(server)
        plantInAbortedUpload(server)
        // The one place where a client may rightly read it: the answer to its own fetch.
        try await server.put(Self.canary)
        #expect(try await server.fetch().text.contains(Self.canary))
        try server.run("UPDATE secret_versions SET secret = zeroblob(60)")
        answers.append(try await server.fetch().text)
        try await server.assembly.audit.settle()

        let files = Self.files(below: server.directory.path)
        let (said, logged) = (Data(answers.joined(separator: "\n").utf8), Data(server.lines.text.utf8))
        for form in Self.forms {
            #expect(Self.find(form, said) == nil, "an answer")
            #expect(Self.find(form, logged) == nil, "the log")
            for (path, bytes) in files { #expect(Self.find(form, bytes) == nil, "\(path)") }
        }
        #expect(files.contains { $0.0.hasSuffix("audit.db-wal") } && files.contains { $0.0.hasSuffix("keyturn.db") })
        #expect(try server.entries().count > 20, "everything of it was written down")
    }

    @Test("the search finds what is there")
    func control() throws {
        let directory = try TemporaryDirectory()
        let bytes = Array("x\(Self.canary)y".utf8)
        try directory.write(bytes, to: "plain")
        try directory.write(Data(bytes).base64EncodedString(), to: "encoded")
        let files = Self.files(below: directory.path)
        #expect(files.count == 2)
        for (path, bytes) in files { #expect(Self.forms.contains { Self.find($0, bytes) != nil }, "\(path)") }
    }

    // MARK: - Planting

    private func plantInFetches(_ server: LiveServer) async throws -> [String] {
        let canary = Self.canary
        var answers: [String] = []
        for query in [
            "asset=web%201&account=root&secret=\(canary)", "password=\(canary)", "account_id=\(canary)",
            "asset_id=\(canary)&account=root",
            "\(canary)=1&asset=a&asset=b", "asset=web%201&account=root&x=%zz\(canary)",
        ] {
            answers.append(try await server.fetch(query).text.replacingOccurrences(of: LiveServer.secret, with: ""))
        }
        let target = LiveServer.path + "?asset=web%201&account=root"
        let good = try server.signed(target)
        for authorization in [
            "Bearer \(canary)", "Basic \(Data("admin:\(canary)".utf8).base64EncodedString())", "Signature keyId=\"\(canary)\"",
            #"Signature keyId="\#(canary)",algorithm="hmac-sha256",headers="(request-target) date",signature="\#(canary)""#,
            good["Authorization", default: ""] + #",password="\#(canary)""#, canary,
        ] {
            answers.append(try await server.send(.get, target, good.merging(["Authorization": authorization]) { $1 }).text)
        }
        for name in ["X-JMS-ORG", "Cookie", "X-Secret", "Accept", "User-Agent"] {
            _ = try await server.send(.get, target, good.merging([name: canary]) { $1 })
        }
        return answers
    }

    private func plantInBodies(_ server: LiveServer) async throws -> [String] {
        let canary = Self.canary
        let login = "/api/v1/authentication/auth/"
        var answers: [String] = []
        for body in [
            #"{"username":"admin","password":"\#(canary)"}"#, #"{"username":"admin","password":["\#(canary)"]}"#,
            #"{"username":"admin","password":{"a":"\#(canary)"}}"#, #"{"username":"admin","password":"\#(canary)"#,
            #"{"username":"admin","password":"\#(canary)","password":"\#(canary)"}"#,
            #"{"username":"admin","secret":"\#(canary)"}"#,
            #"{"username":"admin","password":"\#(canary)"}}"#, #""\#(canary)""#, canary,
            #"{"username":"admin","password":"\#(canary)\q"}"#, String(repeating: "[", count: 40) + "\"\(canary)\"",
        ] {
            let answer = try await server.send(.post, login, ["Content-Type": "application/json"], body: Array(body.utf8))
            #expect((400..<500).contains(answer.status), "\(body): \(answer.status)")
            answers.append(answer.text)
        }
        answers.append(try await server.send(.post, login, ["Content-Type": "text/plain"], body: Array(canary.utf8)).text)
        answers.append(
            try await server.send(
                .post, "/api/v1/no/such/", ["Content-Type": "application/json"], body: Array("\"\(canary)\"".utf8)
            ).text)
        answers.append(
            try await server.send(
                .patch, "/api/v1/settings/setting/",
                ["Content-Type": "application/json", "Authorization": "Bearer " + canary + canary],
                body: Array(#"{"\#(canary)":true}"#.utf8)
            ).text)
        answers.append(
            try await server.send(.post, LiveServer.path, ["Content-Type": "application/json"], body: Array(canary.utf8)).text)
        return answers
    }

    /// Announces more than it sends, then leaves.
    private func plantInAbortedUpload(_ server: LiveServer) {
        let body = #"{"username":"admin","password":"\#(Self.canary)"#
        let request =
            "POST /api/v1/authentication/auth/ HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\nContent-Length: 900\\r\\n\\r\\n"
            + body.replacingOccurrences(of: "\"", with: "\\\"")
        let command =
            "(printf \"\(request)\"; sleep 0.3) | openssl s_client -connect 127.0.0.1:\(server.assembly.listener.port) >/dev/null 2>&1"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        try? process.run()
        process.waitUntilExit()
    }

    // MARK: - Searching

    private static func files(below path: String) -> [(String, Data)] {
        let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        // The reserve is room set aside, and has nothing in it but zeros.
        return all.filter { !$0.hasSuffix("/reserve") }.compactMap { name in
            FileManager.default.contents(atPath: path + "/" + name).map { (name, $0) }
        }
    }

    /// Where the form stands, with its neighbourhood.
    private static func find(_ form: Data, _ bytes: Data) -> String? {
        bytes.withUnsafeBytes { all in
            form.withUnsafeBytes { part in
                guard let start = all.baseAddress, let first = part.first, let wanted = part.baseAddress else { return nil }
                var place = 0
                while place + part.count <= all.count, let hit = memchr(start + place, Int32(first), all.count - place) {
                    place = start.distance(to: UnsafeRawPointer(hit))
                    guard place + part.count <= all.count else { return nil }
                    if memcmp(hit, wanted, part.count) == 0 {
                        let end = min(all.count, place + part.count + 20)
                        return String(decoding: all[max(0, place - 60)..<end], as: UTF8.self)
                    }
                    place += 1
                }
                return nil
            }
        }
    }
}
