import Glibc
import HTTPServer
import TestSupport
import Testing

@Suite("Request form", .serialized)
struct RequestFormTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        let request: String
        let status: Int

        init(_ description: String, _ request: String, _ status: Int) {
            self.description = description
            self.request = request
            self.status = status
        }
    }

    static let host = "Host: t\r\n"

    static func duplicate(_ name: String, _ first: String, _ second: String) -> Case {
        Case("two \(name)", "GET /fixed HTTP/1.1\r\nHost: t\r\n\(name): \(first)\r\n\(name.lowercased()): \(second)\r\n\r\n", 400)
    }

    static let cases: [Case] = [
        Case("the plainest request", "GET /fixed HTTP/1.1\r\n\(host)\r\n", 200),
        Case("no host", "GET /fixed HTTP/1.1\r\n\r\n", 400),
        Case("two hosts", "GET /fixed HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        duplicate("Authorization", "a", "b"), duplicate("Date", "a", "a"), duplicate("X-JMS-ORG", "1", "1"),
        duplicate("X-Source", "jms-pam", "jms-pam"),
        Case("two accepts are fine", "GET /fixed HTTP/1.1\r\n\(host)Accept: a\r\nAccept: b\r\n\r\n", 200),
        Case("two equal lengths", "POST /echo HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
        Case("two lengths", "POST /echo HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400),
        Case(
            "chunks with a length",
            "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400),
        Case(
            "a length with chunks",
            "POST /echo HTTP/1.1\r\n\(host)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case("another encoding", "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        Case(
            "chunked twice", "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400
        ),
        Case("chunked in capitals", "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200),
        Case("a negative length", "POST /echo HTTP/1.1\r\n\(host)Content-Length: -1\r\n\r\n", 400),
        Case("a length with a sign", "POST /echo HTTP/1.1\r\n\(host)Content-Length: +1\r\n\r\nx", 400),
        Case("an empty length", "POST /echo HTTP/1.1\r\n\(host)Content-Length:\r\n\r\n", 400),
        Case("a length beyond all numbers", "POST /echo HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999999\r\n\r\n", 413),
        Case("a huge length", "POST /echo HTTP/1.1\r\n\(host)Content-Length: 999999999999999999\r\n\r\n", 413),
        Case("chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case("a NUL in the target", "GET /fixed\u{0}/x HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a NUL after the target", "GET /fixed\u{0} HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a NUL in the query", "GET /fixed?a=\u{0}b HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an encoded NUL in the path", "GET /fixed%00 HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an encoded slash", "GET /a%2fb HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an encoded backslash", "GET /a%5Cb HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a backslash", "GET /a\\b HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a parent segment", "GET /a/../fixed HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an encoded parent segment", "GET /a/%2e%2E/fixed HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a parent segment at the end", "GET /a/.. HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a dot segment", "GET /./fixed HTTP/1.1\r\n\(host)\r\n", 400),
        Case("three dots are a name", "GET /... HTTP/1.1\r\n\(host)\r\n", 404),
        Case("slashes and dots in the query are data", "GET /fixed?a=../%2f%00 HTTP/1.1\r\n\(host)\r\n", 200),
        Case("a broken escape", "GET /fixed%4 HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a blank in the target", "GET /fixed x HTTP/1.1\r\n\(host)\r\n", 400),
        Case("two blanks before the target", "GET  /fixed HTTP/1.1\r\n\(host)\r\n", 400),
        Case("a NUL in a value", "GET /fixed HTTP/1.1\r\n\(host)A: b\u{0}c\r\nD: e\r\n\r\n", 400),
        Case("a NUL at the end of a value", "GET /fixed HTTP/1.1\r\n\(host)A: b\u{0}\r\n\r\n", 400),
        Case("NULs in the last value", "GET /fixed HTTP/1.1\r\n\(host)A: b\u{0}\u{0}\u{0}\u{0}c\r\n\r\n", 400),
        Case("a value of NUL alone", "GET /fixed HTTP/1.1\r\n\(host)A: \u{0}\r\nD: e\r\n\r\n", 400),
        Case("a folded value", "GET /fixed HTTP/1.1\r\n\(host)A: b\r\n c\r\nD: e\r\n\r\n", 400),
        Case("a folded last value", "GET /fixed HTTP/1.1\r\n\(host)A: b\r\n\tc\r\n\r\n", 400),
        Case("a fold of nothing", "GET /fixed HTTP/1.1\r\n\(host)A: b\r\n \r\n\r\n", 400),
        Case("a fold of the first line", "GET /fixed HTTP/1.1\r\n \(host)\r\n", 400),
        Case("a bare line feed", "GET /fixed HTTP/1.1\r\n\(host)A: b\nD: e\r\n\r\n", 400),
        Case("a bare line feed behind the last value", "GET /fixed HTTP/1.1\r\n\(host)A: b\n\r\n", 400),
        Case("a bare line feed for the empty line", "GET /fixed HTTP/1.1\r\n\(host)A: b\r\n\n", 400),
        Case("a bare line feed behind the request line", "GET /fixed HTTP/1.1\n\(host)\r\n", 400),
        Case("bare line feeds alone", "GET /fixed HTTP/1.1\nHost: t\n\n", 400),
        Case("a bare carriage return", "GET /fixed HTTP/1.1\r\n\(host)A: b\rD: e\r\n\r\n", 400),
        Case("a control character in a value", "GET /fixed HTTP/1.1\r\n\(host)A: bcdefghij\u{1}k\r\n\r\n", 400),
        Case("a tab and letters beyond ASCII in a value", "GET /fixed HTTP/1.1\r\n\(host)A: b\tcdefghijk\u{e4}\r\n\r\n", 200),
        Case("an empty value, blanks around another", "GET /fixed HTTP/1.1\r\n\(host)A:\r\nB: \t c \r\n\r\n", 200),
        Case("no host in HTTP/1.0", "GET /fixed HTTP/1.0\r\n\r\n", 200),
        Case("a long head", "GET /fixed HTTP/1.1\r\n\(host)A: \(String(repeating: "b", count: 6_000))\r\nC: d\r\n\r\n", 200),
        Case("a fragment", "GET /fixed#x HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an absolute target", "GET http://t/fixed HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an asterisk", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", 400),
        Case("bytes beyond ASCII", "GET /fixed\u{e4} HTTP/1.1\r\n\(host)\r\n", 400),
        Case("an unknown method", "BREW /fixed HTTP/1.1\r\n\(host)\r\n", 200),
        Case("a long target", "GET /fixed?\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n\(host)\r\n", 414),
        Case(
            "an offer of HTTP/2",
            "GET /fixed HTTP/1.1\r\n\(host)Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Length: 0\r\n\r\n", 200),
        Case("a hundred headers", "GET /fixed HTTP/1.1\r\n\(host)" + String(repeating: "A: b\r\n", count: 99) + "\r\n", 200),
        Case(
            "a hundred and one headers",
            "GET /fixed HTTP/1.1\r\n\(host)" + String(repeating: "A: b\r\n", count: 100) + "\r\n", 431),
    ]

    @Test("each form of a request gets its status", arguments: cases)
    func forms(_ form: Case) async throws {
        try await blocking {
            let server = try SampleServer()
            let client = try server.client()
            client.write(form.request)
            let answer = client.read() ?? RawClient.Answer()
            #expect(answer.status == form.status)
            if [400, 413, 414].contains(form.status), answer.header("content-type") == "application/json" {
                #expect(answer.text.hasPrefix("{\"detail\":\"") && answer.text.contains("\",\"request_id\":\""))
            }
            if ["no host", "a NUL in a value", "a folded value", "a bare line feed"].contains(form.description) {
                #expect(answer.header("content-type") == "application/json" && answer.headers["content-length"]?.count == 1)
            }
            if answer.status == 200, form.request.hasPrefix("GET"), !form.request.contains("HTTP/1.0") {
                client.get("/empty")
                #expect(client.read()?.status == 204)
            }
            if [0, 400].contains(answer.status) { #expect(client.isEnded()) }
        }
    }

    @Test("a head that comes byte by byte is as good as one that comes at once")
    func drip() async throws {
        try await blocking {
            let server = try SampleServer()
            let client = try server.client()
            for _ in 0..<2 {
                for byte in "GET /fixed?a=b HTTP/1.1\r\nHost: t\r\nA:\r\nB: c\r\n\r\n".utf8 {
                    client.write([byte])
                    usleep(300)
                }
                #expect(client.read()?.status == 200)
            }
        }
    }

    @Test("requests that end before they are answered free their slots")
    func freesSlots() async throws {
        try await blocking {
            let server = try SampleServer()
            for index in 0..<300 {
                let client = try server.client()
                switch index % 3 {
                case 0: client.write("GET /fixed HTTP/1.1\r\nHost: t\r\nbroken")
                case 1: client.write("GET /fixed HTTP/1.1\r\nnocolon\r\n\r\n")
                default: client.write("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc")
                }
                if index % 2 == 0 { client.resetOnClose() }
                if index % 5 == 0 { usleep(1000) }
            }
            #expect(server.eventually { $0.openConnections == 0 && $0.bodyBytes == 0 })
            let client = try server.client()
            client.get("/fixed")
            #expect(client.read()?.status == 200)
        }
    }

    @Test("random and mutated bytes never stop the server")
    func fuzz() async throws {
        try await blocking {
            let server = try SampleServer()
            var random = SeededGenerator(seed: 7)
            let seeds = Self.cases.map { Array($0.request.utf8) }
            for round in 0..<Fuzzer.rounds(300) {
                var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
                for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    switch UInt8.random(in: 0...3, using: &random) {
                    case 0: bytes[place] = .random(in: 0...255, using: &random)
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(.random(in: 0...255, using: &random), at: place)
                    default: bytes.insert(contentsOf: bytes[..<min(place, 40)], at: place)
                    }
                }
                if round % 10 == 0 { bytes = (0..<200).map { _ in .random(in: 0...255, using: &random) } }
                let client = try server.client()
                client.write(bytes)
                shutdown(client.descriptor, Int32(SHUT_WR))
                if round % 4 == 0 { usleep(500) }
            }
            #expect(server.eventually { $0.openConnections == 0 && $0.bodyBytes == 0 && $0.parked == 0 })
        }
    }
}
