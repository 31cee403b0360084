import JSON
import Outbound
import TestSupport
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
    static let handler = #"""
        class Handler(StubHandler):
            def do(self):
                path = self.path.split("?")[0]
                if path == "/echo":
                    self.reply(200, {"method": self.command, "target": self.path, "headers": self.headers.items(),
                        "body": self.body().decode(), "peer": self.client_address}, {"X-Twice": "first", "x-twice ": "second"})
                elif path == "/big": self.reply(200, b"x" * 100000)
                elif path == "/endless":
                    self.send_response(200); self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                    while True: self.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                elif path == "/many-headers": self.reply(200, b"", {"X-%d" % n: "y" * 1000 for n in range(90)})
                elif path == "/slow": time.sleep(300)
                elif path == "/redirect": self.reply(302, b"there", {"Location": "/echo"})
                elif path == "/cookie": self.reply(200, b"", {"Set-Cookie": "a=b"})
                elif path == "/close": self.close_connection = True
                elif path == "/partial":
                    self.send_response(200); self.send_header("Content-Length", "10"); self.end_headers()
                    self.wfile.write(b"12345"); self.close_connection = True
                else: self.reply(int(path[1:]), {"detail": "as asked"})
            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do
        """#

    static let shared = Result { try StubServer(handler: handler) }

    let server: StubServer

    init() throws {
        server = try Self.shared.get()
    }

    func client(_ change: (inout HTTPClient.Configuration) -> Void = { _ in }) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = server.certificateAuthority
        configuration.deadline = .seconds(120)
        change(&configuration)
        return HTTPClient(configuration)
    }

    func echo(_ response: HTTPResponse) throws -> JSONValue {
        try response.body.withBytes { try JSONDocument($0).root }
    }

    @Test("method, target, headers and body arrive as they were given", arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func sends(name: String) async throws {
        let method = try #require(HTTPRequest.Method(rawValue: name))
        let body = method == .get ? nil : WipedBytes(Array("{\"a\":\"é\"}".utf8))
        let request = HTTPRequest(
            method, server.endpoint + "/echo?b=%20x&a=1+2&c=/../.",
            headers: [.init("X-Source", "jms-pam"), .init("X-Empty", ""), .init("Content-Type", "application/json")], body: body)
        let seen = try echo(try await client().send(request))
        #expect(seen["method"]?.string == name)
        #expect(seen["target"]?.string == "/echo?b=%20x&a=1+2&c=/../.")
        #expect(seen["body"]?.string == (body == nil ? "" : "{\"a\":\"é\"}"))
        let headers = (seen["headers"]?.array.map(Array.init) ?? []).map { pair in
            (pair.array.map(Array.init) ?? []).compactMap(\.string)
        }
        #expect(headers.contains(["X-Source", "jms-pam"]))
        #expect(headers.contains(["X-Empty", ""]))
        #expect(headers.contains(["Content-Type", "application/json"]))
        #expect(!headers.contains { $0.first == "Expect" || $0.first == "Cookie" })
    }

    @Test("a status is an answer, not a fault", arguments: [204, 400, 401, 404, 409, 412, 429, 500, 503])
    func statuses(_ status: Int) async throws {
        #expect(try await client().send(HTTPRequest(.get, server.endpoint + "/\(status)")).status == status)
    }

    @Test("response headers come in order with names in lower case")
    func headers() async throws {
        let response = try await client().send(HTTPRequest(.get, server.endpoint + "/echo"))
        #expect(response.header("x-twice") == "first")
        #expect(response.headers.filter { $0.name == "x-twice" }.map(\.value) == ["first", "second"])
    }

    @Test("a HEAD request has an answer without a body")
    func head() async throws {
        let response = try await client().send(HTTPRequest(.head, server.endpoint + "/big"))
        #expect(response.status == 200 && response.body.isEmpty)
        #expect(response.header("content-length") == "100000")
    }

    @Test("a redirect is not followed and a cookie not sent back")
    func followsNothing() async throws {
        let client = client { $0.connections = 1 }
        let response = try await client.send(HTTPRequest(.get, server.endpoint + "/redirect"))
        #expect(response.status == 302 && response.header("location") == "/echo")
        _ = try await client.send(HTTPRequest(.get, server.endpoint + "/cookie"))
        let seen = try echo(try await client.send(HTTPRequest(.get, server.endpoint + "/echo")))
        #expect(seen["headers"]?.array.map { !$0.contains { $0.array?.first { _ in true }?.string == "Cookie" } } == true)
    }

    @Test("one connection serves request after request")
    func keepsAlive() async throws {
        let client = client { $0.connections = 1 }
        var peers: Set<Int64> = []
        for _ in 0..<5 {
            let seen = try echo(try await client.send(HTTPRequest(.get, server.endpoint + "/echo")))
            let peer = try #require(seen["peer"]?.array.map(Array.init))
            peers.insert(try #require(peer.dropFirst().first?.int))
        }
        #expect(peers.count == 1)
    }

    @Test("many requests at once each get their own answer")
    func concurrent() async throws {
        let client = client()
        let endpoint = server.endpoint
        let good = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let body = WipedBytes(Array("\(number)".utf8))
                    let response = try await client.send(HTTPRequest(.post, endpoint + "/echo", body: body))
                    return try response.body.withBytes { try JSONDocument($0).root["body"]?.string } == "\(number)"
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 40)
    }

    @Test("an answer longer than the limit is cut off, of known length or not", arguments: ["/big", "/endless"])
    func limitsBody(path: String) async throws {
        let client = client { $0.responseLimit = 50_000 }
        await #expect(throws: OutboundFault.responseTooLarge(limit: 50_000)) {
            try await client.send(HTTPRequest(.get, server.endpoint + path))
        }
        #expect(try await client.send(HTTPRequest(.get, server.endpoint + "/200")).status == 200)
    }

    @Test("headers without end are cut off")
    func limitsHeaders() async {
        await #expect(throws: OutboundFault.self) {
            try await client().send(HTTPRequest(.get, server.endpoint + "/many-headers"))
        }
    }

    @Test("a server that does not answer in time is given up")
    func timesOut() async {
        let client = client { $0.deadline = .milliseconds(300) }
        await #expect(throws: OutboundFault.timedOut) { try await client.send(HTTPRequest(.get, server.endpoint + "/slow")) }
    }

    @Test("a cancelled task does not wait for the answer")
    func cancels() async {
        let client = client()
        let request = HTTPRequest(.get, server.endpoint + "/slow")
        let task = Task { try await client.send(request) }
        try? await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: OutboundFault.cancelled) { try await task.value }
    }

    @Test("a broken connection is a fault, never a short answer", arguments: ["/close", "/partial"])
    func interrupted(path: String) async {
        let error = await #expect(throws: OutboundFault.self) {
            try await client().send(HTTPRequest(.get, server.endpoint + path))
        }
        guard case .interrupted = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("what would smuggle in another header or target is refused before anything is sent")
    func refusesInjection() async {
        let good = server.endpoint + "/echo"
        let requests = [
            HTTPRequest(.get, good + "?a=b c"), HTTPRequest(.get, good + "\r\nX: y"), HTTPRequest(.get, good + "/é"),
            HTTPRequest(.get, good, headers: [.init("X", "a\r\nY: b")]), HTTPRequest(.get, good, headers: [.init("X: a", "b")]),
            HTTPRequest(.get, good, headers: [.init("", "b")]), HTTPRequest(.get, good, headers: [.init("X", "a\u{0}b")]),
            HTTPRequest(.get, "file:///etc/passwd"), HTTPRequest(.get, "ftp://localhost/"), HTTPRequest(.get, "nonsense"),
        ]
        for request in requests {
            await #expect(throws: OutboundFault.self, "\(request.url)") { try await client().send(request) }
        }
    }
}
