import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// Each kind of bad input against the running server: its status, and that the server goes on.
@Suite("Bad requests")
struct BadRequestTests {
    private static let loginPath = "/api/v1/authentication/auth/"
    private static let json = "Content-Type: application/json"

    @Test("heads that are too long, ambiguous or malformed")
    func heads() async throws {
        let vault = try await SmallVault.start()
        let server = vault.server
        let long = String(repeating: "a", count: 20_000)
        let signed = try vault.key.headers().map { "\($0.0): \($0.1)" }
        let fetch = ["GET \(ApplicationKey.target) HTTP/1.1"] + signed
        var cases: [(what: String, lines: [String], status: Int)] = [
            ("an oversized header", ["GET /healthz HTTP/1.1", "X-Long: \(long)"], 431),
            ("an oversized target", ["GET /\(long) HTTP/1.1"], 414),
            ("many headers", ["GET /healthz HTTP/1.1"] + (0..<2_000).map { "X-\($0): 123456" }, 431),
            (
                "two lengths", ["POST \(Self.loginPath) HTTP/1.1", Self.json, "Content-Length: 2", "Transfer-Encoding: chunked"],
                400
            ),
            ("another version", ["GET /healthz HTTP/9.9"], 505),
            ("no version", ["GET /healthz"], 400),
            ("a line without a colon", ["GET /healthz HTTP/1.1", "no colon"], 400),
            ("a length that is no number", ["POST \(Self.loginPath) HTTP/1.1", Self.json, "Content-Length: x"], 400),
            ("a length beyond all numbers", ["POST \(Self.loginPath) HTTP/1.1", "Content-Length: 99999999999999999999999"], 413),
        ]
        for name in ["Authorization", "Date", "X-JMS-ORG", "X-Source"] {
            let line = signed.first { $0.hasPrefix(name + ":") } ?? ""
            cases.append(("\(name) twice", fetch + [line], 400))
        }
        cases.append(("Host twice", fetch + ["Host: localhost"], 400))
        for one in cases {
            var answer = try await RawTLS.request(one.lines, to: server)
            // A server that closes while more is coming resets the connection, and the reset may overtake the answer.
            for _ in 0..<4 where answer.status == 0 { answer = try await RawTLS.request(one.lines, to: server) }
            #expect(answer.status == one.status, "\(one.what): \(answer.text.prefix(300))")
            let body = answer.text.components(separatedBy: "\r\n\r\n").dropFirst().joined()
            #expect(
                answer.header("content-type") == "application/json" && body.hasPrefix(#"{"detail":""#), "\(one.what): \(body)")
            #expect(body.contains(#"","code":""#) && body.contains(#"","request_id":""#), "\(one.what): \(body)")
        }
        let metrics = try await vault.admin.call(.get, "/metrics").text
        let counted = metrics.split(separator: "\n").first { $0.hasPrefix("keyturn_malformed_requests_total ") }
        #expect((counted?.split(separator: " ").last.flatMap { Int($0) } ?? 0) >= cases.count)
        #expect(try await vault.key.fetch(over: APIConnection(server)).status == 200)
    }

    @Test("paths and queries that could mean two things are 400, wherever they point")
    func targets() async throws {
        let vault = try await SmallVault.start()
        let curl = vault.server.curl
        let headers = [("Authorization", "Bearer " + vault.admin.token)]
        for target in [
            "/api/v1/../v1/orgs/orgs/", "/api/v1/%2e%2e/v1/orgs/orgs/", "/api/v1/.%2E/orgs/", "/api/v1/./orgs/orgs/",
            "/api/v1/orgs%2forgs/", "/api/v1/orgs%5Corgs/", "/api/v1/orgs\\orgs/", "/api//v1/orgs/orgs/", "/api/v1/orgs/%00/",
            "/api/v1/orgs/%zz/", "/api/v1/orgs/orgs/?limit=1&limit=2", "/api/v1/orgs/orgs/?li%6dit=1&limit=2",
            "/api/v1/orgs/orgs/?search=%ff", "/api/v1/orgs/orgs/?search=%00", "/api/v1/orgs/orgs/?search=%z",
        ] {
            let answer = try await curl.request("GET", target, headers: headers)
            #expect(answer.status == 400, "\(target): \(answer.status) \(answer.text)")
        }
        // On the fetch, where the raw target is what was signed.
        let route = ApplicationKey.route
        for target in [
            route + "?asset=db1&asset=db1&account=root", route + "?asset=db1&account=root&account=x",
            route + "?asset=%ff&account=root",
            route + "?asset=db1&account=%00", route + "?asset=%2&account=root", route, route + "?asset=db1",
        ] {
            let answer = try await curl.request("GET", target, headers: vault.key.headers(target))
            #expect(answer.status == 400, "\(target): \(answer.status) \(answer.text)")
        }
    }

    @Test("bodies that are too large, not JSON, too deep, ambiguous or of another type")
    func bodies() async throws {
        let vault = try await SmallVault.start()
        let curl = vault.server.curl
        let assets = "/api/v1/assets/assets/"
        let headers = [("Authorization", "Bearer " + vault.admin.token), ("Content-Type", "application/json")]
        func deep(_ depth: Int) -> [UInt8] {
            Array((#"{"name":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}").utf8)
        }
        let cases: [(what: String, body: [UInt8], status: Int, says: String)] = [
            ("depth 17", deep(17), 400, "deep"), ("a depth that is allowed", deep(16), 400, "name"),
            ("bad UTF-8", Array(#"{"name":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8), 400, ""),
            ("half a surrogate pair", Array(#"{"name":"\ud800"}"#.utf8), 400, ""),
            ("a NUL byte", Array(#"{"name":"a"#.utf8) + [0] + Array(#""}"#.utf8), 400, ""),
            ("an escaped NUL", Array(#"{"name":"a\u0000b","address":"x","platform":1}"#.utf8), 400, "name"),
            ("a key twice", Array(#"{"name":"a","name":"b"}"#.utf8), 400, ""),
            ("a key twice, once escaped", Array(#"{"name":"a","n\u0061me":"b"}"#.utf8), 400, ""),
            ("half an object", Array(#"{"name":"#.utf8), 400, ""), ("nothing", [], 400, ""),
            ("two values", Array("{}{}".utf8), 400, ""), ("an unknown field", Array(#"{"nonsense":1}"#.utf8), 400, "nonsense"),
            ("more than 4 MiB", Array(repeating: 0x20, count: (4 << 20) + 1), 413, ""),
        ]
        for one in cases {
            let answer = try await curl.request("POST", assets, headers: headers, body: one.body)
            #expect(answer.status == one.status, "\(one.what): \(answer.status) \(answer.text.prefix(200))")
            #expect(one.says.isEmpty || answer.text.contains(one.says), "\(one.what): \(answer.text.prefix(200))")
        }
        let plain = [headers[0], ("Content-Type", "text/plain")]
        #expect(try await curl.request("POST", assets, headers: plain, body: Array("{}".utf8)).status == 415)
        let method = try await curl.request("DELETE", assets, headers: headers)
        #expect(method.status == 405 && method.header("allow")?.contains("GET") == true)
        let fetch = try await curl.request("POST", ApplicationKey.target, headers: [headers[1]], body: Array("{}".utf8))
        #expect(fetch.status == 405 && fetch.header("allow")?.contains("GET") == true)
        let large = try await curl.request(
            "GET", ApplicationKey.target, headers: vault.key.headers(), body: Array(repeating: 0x20, count: (64 << 10) + 1))
        #expect(large.status == 413)
        #expect(try await vault.key.fetch(over: APIConnection(vault.server)).status == 200)
    }

    @Test("absurd dates are 401 like every other refusal, and the reason stands in the audit alone")
    func dates() async throws {
        let vault = try await SmallVault.start()
        let connection = APIConnection(vault.server)
        let right = try await connection.send(
            .get, ApplicationKey.target, headers: ApplicationKey(id: vault.key.id, secret: "wrong").headers())
        let dates = [
            "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 99 Nov 2026 21:24:38 GMT",
            "Fri, 20 Nov 99999999999999999999 21:24:38 GMT", "Fri, 20 Nov 2026 25:61:61 GMT", "yesterday", "0", "-1",
            "Fri, 20 Nov 2026 21:24:38 +9999", "1795234601", String(repeating: "9", count: 4_000),
        ]
        // Those that are near are dated when they are sent.
        let offsets: [Double] = [3_600, -3_600, 120]
        for (date, offset) in dates.map({ ($0, 0.0) }) + offsets.map({ ("", $0) }) {
            var form = ApplicationKey.Form()
            form.date = date.isEmpty ? ApplicationKey.date(after: offset) : date
            let answer = try await vault.key.fetch(over: connection, ApplicationKey.target, form)
            #expect(answer.status == 401, "\(date.prefix(60)) \(offset): \(answer.status)")
            #expect(answer.string("detail") == right.string("detail") && answer.string("code") == right.string("code"))
        }
        let reasons = try await AuditExport(vault.server).entries("secret.fetch", outcome: "refused")
            .compactMap { $0["reason"]?.string }
        #expect(reasons.count == dates.count + offsets.count + 1)
        #expect(reasons.contains("stale date") && reasons.contains("unreadable date") && reasons.contains("wrong signature"))
    }

    @Test("an address list of 10,000 entries is accepted and obeyed, one of 10,001 refused; a bad entry is named")
    func addressLists() async throws {
        let vault = try await SmallVault.start()
        func networks(_ count: Int) -> [String] {
            (0..<count - 1).map { "10.\($0 / 250).\($0 % 250).0/24" } + ["127.0.0.1"]
        }
        let key = try await vault.admin.application("many", networks: networks(10_000))
        #expect(try await key.fetch(over: APIConnection(vault.server)).status == 200)
        #expect(try await key.fetch(over: APIConnection(vault.server, from: "127.0.0.2")).status == 401)
        func refusal(_ entries: [String], filter: String = #"{"type":"all"}"#) async throws -> APIConnection.Answer {
            let list = entries.map { "\"\($0)\"" }.joined(separator: ",")
            return try await vault.admin.call(
                .post, "/api/v1/accounts/integration-applications/",
                #"{"name":"refused","accounts":\#(filter),"ip_group":[\#(list)]}"#)
        }
        let tooMany = try await refusal(networks(10_001))
        #expect(tooMany.status == 400 && tooMany.text.contains("ip_group"), "\(tooMany.text)")
        let bad = try await refusal(["127.0.0.1", "10.0.0.300"])
        #expect(bad.status == 400 && bad.text.contains("10.0.0.300"), "\(bad.text)")
        for (rule, named) in [
            (#"{"name":"username","match":"resembles","value":"x"}"#, "resembles"),
            (#"{"name":"shoe_size","match":"exact","value":"x"}"#, "shoe_size"),
            (#"{"name":"username","match":"regex","value":".*"}"#, "regex"),
            (#"{"name":"privileged","match":"contains","value":true}"#, "contains"),
        ] {
            let answer = try await refusal(["*"], filter: #"{"type":"attrs","attrs":[\#(rule)]}"#)
            #expect(answer.status == 400 && answer.text.contains(named) && answer.text.contains("accounts"), "\(answer.text)")
        }
    }
}
