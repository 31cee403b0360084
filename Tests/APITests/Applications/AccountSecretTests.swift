import API
import Access
import Domain
import Foundation
import HTTPServer
import JSON
import Outbound
import Server
import Storage
import Testing

@Suite("Account secret over TLS")
struct AccountSecretTests {
    @Test("a signed fetch gives the secret, by both names of the route, in whatever order the parameters come")
    func granted() async throws {
        let server = try await LiveServer()
        for (path, query) in [
            (LiveServer.path, "asset=web%201&account=root"), (LiveServer.path, "account=root&asset=web+1"),
            (LiveServer.older, "asset=web%201&account=root&method=get"),
            (LiveServer.path, "account_id=\(server.account.id)"),
            (LiveServer.path, "asset_id=\(server.asset.id)&asset=other&account=root"),
            (LiveServer.path, "x=1&account_id=\(server.account.id)&y=%00&account=nobody"),
        ] {
            let answer = try await server.fetch(query, path: path)
            #expect(answer.status == 200, "\(query) \(answer.text)")
            let body = try #require(try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])
            #expect(body["id"] as? String == server.application.id.description, "the application's id, as in JumpServer")
            #expect(body["secret"] as? String == LiveServer.secret)
            #expect(body["account_id"] as? String == server.account.id.description && body["version"] as? Int == 1)
            #expect(
                body["username"] as? String == "root@web" && body["asset"] as? String == "web 1"
                    && body["secret_type"] as? String == "password")
            #expect(answer.headers["content-type"] == "application/json" && answer.headers["cache-control"] == "no-store")
        }
    }

    @Test("a key's last use is written with its time and address, of granted fetches alone")
    func lastUse() async throws {
        let server = try await LiveServer()
        let (database, organization, application) = (
            server.assembly.database, server.application.organization, server.application.id
        )
        func uses() async throws -> [CredentialUsage] {
            try await server.assembly.usage.flush(to: database)
            return try await database.read { try CredentialUsage.all(of: application, in: organization, on: $0) }
        }
        #expect(try await uses().isEmpty)
        #expect(try await server.fetch("asset=web%201&account=root").status == 200)
        let use = try #require(try await uses().first)
        #expect(use.address == "127.0.0.1" && use.dateLastUsed.seconds > Timestamp.now.seconds - 60)
    }

    @Test("each answer is as the description of the API says")
    func described() async throws {
        let server = try await LiveServer()
        let check = SchemaCheck(try JSONDocument.parse(OpenAPIDocument.bytes(of: [])))
        for query in [
            "asset=web%201&account=root", "", "asset=web%201&account=nobody", "account_id=x", "asset=a&asset=a&account=b",
        ] {
            let answer = try await server.fetch(query)
            let faults = try check.faults(.get, LiveServer.path, status: answer.status, Array(answer.text.utf8))
            #expect(faults.isEmpty, "\(query): \(answer.text)")
        }
    }

    @Test("the audit names application, key, account, asset, version and latency, and not the secret")
    func audited() async throws {
        let server = try await LiveServer()
        _ = try await server.fetch()
        let entry = try #require(try server.entries().last)
        #expect(entry.action == .fetch && entry.outcome == .granted && entry.reason.isEmpty && entry.address == "127.0.0.1")
        #expect(entry.actor == .application(server.application.id, name: "ci", credential: server.application.id.retyped()))
        #expect(entry.objects.map(\.id) == [server.account.id.description, server.asset.id.description])
        #expect(entry.objects.map(\.name) == ["root(root@web)", "web 1(10.0.0.1)"])
        #expect(entry.version == 1 && entry.latency != nil && entry.organization == .default)
    }

    static let bodies: [(String, Int, String)] = [
        ("", 400, #"{"error":{"non_field_errors":["At least one of the following fields must be provided: asset, asset_id."]}}"#),
        (
            "account=root", 400,
            #"{"error":{"non_field_errors":["At least one of the following fields must be provided: asset, asset_id."]}}"#
        ),
        (
            "asset=&account=root", 400,
            #"{"error":{"non_field_errors":["At least one of the following fields must be provided: asset, asset_id."]}}"#
        ),
        (
            "asset=web", 400,
            #"{"error":{"non_field_errors":["At least one of the following fields must be provided: account, account_id."]}}"#
        ),
        ("account_id=1", 400, #"{"error":{"account_id":["Must be a valid UUID."]}}"#),
        ("asset_id=web&account=root", 400, #"{"error":{"asset_id":["Must be a valid UUID."]}}"#),
        ("asset=web%201&account=nobody", 400, #"{"detail":"Account not found","code":"Not found",}"#),
        ("asset=web%201&account=ROOT", 400, #"{"detail":"Account not found","code":"Not found",}"#),
        ("account_id=00000000-0000-0000-0000-000000000000", 400, #"{"detail":"Account not found","code":"Not found",}"#),
        ("asset=a&asset=b&account=root", 400, #"{"detail":"A query parameter is given twice.","code":"malformed",}"#),
        ("account_id=1&account_id=2", 400, #"{"detail":"A query parameter is given twice.","code":"malformed",}"#),
        (
            "asset=%ff&account=root", 400,
            #"{"detail":"A query parameter is not valid percent-encoded UTF-8.","code":"malformed",}"#
        ),
        (
            "asset=%0&account=root", 400,
            #"{"detail":"A query parameter is not valid percent-encoded UTF-8.","code":"malformed",}"#
        ),
        (
            "asset=a%00&account=root", 400,
            #"{"detail":"A query parameter is not valid percent-encoded UTF-8.","code":"malformed",}"#
        ),
    ]

    @Test("what is missing, wrong or not there is answered in JumpServer's words, and each is written down")
    func refusals() async throws {
        let server = try await LiveServer()
        let before = try server.entries().count
        for (query, status, body) in Self.bodies {
            let answer = try await server.fetch(query)
            #expect(answer.status == status && answer.withoutRequestID == body, "\(query): \(answer.text)")
        }
        let entries = try server.entries().dropFirst(before)
        #expect(
            entries.count == Self.bodies.count && entries.allSatisfy { $0.outcome == .refused && $0.actor.kind == "application" })
    }

    @Test("a setting makes what is not there a 404, and another one withholds every secret")
    func settings() async throws {
        let server = try await LiveServer()
        server.assembly.settings.answersNotFoundWith404 = true
        #expect(try await server.fetch("asset=no&account=root").status == 404)
        server.assembly.settings.hidesSecrets = true
        let answer = try await server.fetch()
        #expect(answer.status == 200 && answer.text.contains(#""secret":null"#) && !answer.text.contains("s3cr3t"))
        #expect(try server.entries().last?.reason == "secret withheld by setting")
    }

    @Test("HEAD is a fetch without its body; every other method is 405")
    func methods() async throws {
        let server = try await LiveServer()
        let target = LiveServer.path + "?asset=web%201&account=root"
        let head = try await server.send(.head, target, server.signed(target, method: "HEAD"))
        #expect(head.status == 200 && head.text.isEmpty)
        #expect(try await server.send(.head, target, server.signed(target)).status == 401, "the method is signed")
        for method in [HTTPRequest.Method.post, .put, .patch, .delete] {
            let answer = try await server.send(method, target, server.signed(target, method: method.rawValue))
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(method)")
        }
    }

    @Test("an offer of HTTP/2, an empty body, any zone of the date, and an unsigned organization do no harm")
    func harmless() async throws {
        let server = try await LiveServer()
        let answer = try await server.fetch {
            $0["Connection"] = "Upgrade, HTTP2-Settings"
            $0["Upgrade"] = "h2c"
            $0["HTTP2-Settings"] = "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"
            $0["Content-Length"] = "0"
            $0["X-JMS-ORG"] = "00000000-0000-0000-0000-000000000002"
        }
        #expect(answer.status == 200)
    }

    @Test("whatever is wrong with who asks is the same 401 to the byte, and the audit knows each")
    func same401() async throws {
        let server = try await LiveServer()
        let target = LiveServer.path + "?asset=web%201&account=root"
        let good = try server.signed(target)
        var tries: [(String, [String: String])] = [
            ("unknown key", try server.signed(target, keyID: "72b0b0aa-ad82-4182-a631-ae4865e8ae0e")),
            ("wrong signature", try server.signed(target, key: "wrong")),
            ("stale date", try server.signed(target, at: Timestamp.now.adding(seconds: -100))),
            ("malformed authorization: notSignature", good.merging(["Authorization": "Basic YTpi"]) { $1 }),
            ("X-Source is not jms-pam", good.merging(["X-Source": "other"]) { $1 }),
            ("wrong organization", good.merging(["X-JMS-ORG": "SYSTEM"]) { $1 }),
        ]
        tries.append(("wrong signature", good.merging(["Date": "Fri, 20 Nov 2026 21:24:38 GMT"]) { $1 }))
        var answers: [LiveServer.Answer] = []
        for (_, headers) in tries { answers.append(try await server.send(.get, target, headers)) }
        #expect(answers.allSatisfy { $0.status == 401 })
        #expect(Set(answers.map(\.withoutRequestID)) == [#"{"detail":"Invalid signature.","code":"authentication_failed",}"#])
        #expect(Set(answers.map { Set($0.headers.keys.filter { $0 != "date" }) }).count == 1)
        #expect(Set(answers.map { $0.headers["www-authenticate"] }).count == 1)
        #expect(try server.entries().suffix(tries.count).map(\.reason) == tries.map(\.0))
        let none = try await server.send(.get, target, [:])
        #expect(none.status == 401 && none.text.contains("not_authenticated"))
    }

    @Test("a sealed vault answers 503 and says so, writes it down, and serves again once unsealed")
    func sealed() async throws {
        let server = try await LiveServer()
        #expect(try await server.fetch().status == 200)
        try await server.assembly.seal(by: .operatorLocal("root"))
        let answer = try await server.fetch()
        #expect(answer.status == 503 && answer.text.contains(#""code":"sealed""#))
        #expect(try server.entries().last?.reason == "sealed")
        #expect(server.assembly.policies.snapshot == nil)
        try await server.unseal()
        #expect(try await server.fetch().status == 200)
    }

    @Test("nothing leaves before its entry is durable: with a broken audit there is no 200 and no secret")
    func brokenAudit() async throws {
        let server = try await LiveServer()
        #expect(try await server.fetch().status == 200)
        try server.run(
            "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END", audit: true)
        for query in ["asset=web%201&account=root", "asset=no&account=root"] {
            let answer = try await server.fetch(query)
            #expect(answer.status == 503 && !answer.text.contains("s3cr3t"), "\(answer.text)")
            #expect(answer.text.contains(#""code":"unavailable","request_id":""#), "\(answer.text)")
        }
        try server.run("DROP TRIGGER broken", audit: true)
        var status = 0
        for _ in 0..<600 where status != 200 {
            status = try await server.fetch().status
            if status != 200 { try await Task.sleep(for: .milliseconds(100)) }
        }
        #expect(status == 200)
    }

    @Test("damaged rows are an error without details outside, and a failure with its name in the audit")
    func damaged() async throws {
        let server = try await LiveServer()
        try server.run("UPDATE assets SET address = '10.6.6.6'")
        let answer = try await server.fetch()
        #expect(
            answer.status == 500
                && answer.withoutRequestID == #"{"detail":"Stored data are damaged; nothing was revealed.","code":"integrity",}"#)
        let entry = try #require(try server.entries().last)
        #expect(entry.outcome == .failed && entry.reason.hasPrefix("integrity: rowNotAuthentic"))
    }

    @Test("a tampered application is unknown after the next start, and the audit says why")
    func tamperedApplication() async throws {
        let server = try await LiveServer()
        try server.run("UPDATE applications SET ip_group = (SELECT ip_group FROM credentials)")
        try await server.assembly.policies.reload()
        #expect(try await server.fetch().status == 401)
        #expect(
            try server.entries().contains {
                $0.action.rawValue == "policy.load" && $0.outcome == .failed && $0.reason.contains("rowNotAuthentic")
            })
    }

    @Test("revoking acts at once")
    func revoked() async throws {
        let server = try await LiveServer()
        #expect(try await server.fetch().status == 200)
        let id = server.application.id
        _ = try await server.assembly.database.write { try Credentials.delete(id.retyped(), in: .default, on: $0) }
        try await server.assembly.policies.reload(id, in: .default)
        #expect(try await server.fetch().status == 401)
    }

    @Test("an audit that stalls holds answers back; who waited too long gets 503, who left hurts nobody, and it goes on")
    func stalled() async throws {
        let server = try await LiveServer { $0.listener.limits.requestDeadline = .milliseconds(400) }
        let database = try Database.open(at: server.assembly.directory.auditDatabase)
        defer { database.close() }
        let blocker = try database.makeConfinedConnection(writable: true)
        try blocker.execute("BEGIN IMMEDIATE")
        let leaving = Task { try await server.fetch() }
        async let waiting = server.fetch()
        try await Task.sleep(for: .milliseconds(150))
        leaving.cancel()
        let answer = try await waiting
        #expect(answer.status == 503 && !answer.text.contains("s3cr3t"), "\(answer.text)")
        _ = await leaving.result
        try blocker.execute("ROLLBACK")
        var status = 0
        for _ in 0..<600 where status != 200 { status = try await server.fetch().status }
        #expect(status == 200)
    }
}
