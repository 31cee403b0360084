import Foundation
import HTTPServer
import Testing

/// Requests that are answered before they were read to their end.
@Suite("Lingering", .serialized)
struct LingeringTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let head: String
        var piece = LateReader.Piece.plain
        let status: Int
        let code: String

        var testDescription: String { "\(status) \(piece.rawValue)" }

        static let all = [
            Refusal(
                head: "POST /refused HTTP/1.1\r\nHost: t\r\nContent-Length: 5242880\r\n\r\n", status: 401,
                code: "unauthorized"),
            Refusal(
                head: "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5242880\r\n\r\n", status: 413,
                code: "body_too_large"),
            Refusal(
                head: "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", piece: .chunk,
                status: 413, code: "body_too_large"),
            Refusal(
                head: "GET /fixed HTTP/1.1\r\nHost: t\r\nX-Long: \(String(repeating: "a", count: 20_000))\r\n\r\n",
                status: 431, code: "headers_too_large"),
        ]
    }

    @Test("a client that sends five MiB before it reads gets the refusal that was due at the start", arguments: Refusal.all)
    func late(_ refusal: Refusal) async throws {
        let files = try TLSTests.certificates.get().make("late")
        try await blocking {
            let server = try SampleServer(tls: files) { $0.limits.lingerDeadline = .seconds(60) }
            let read = try LateReader.run(port: server.port, head: refusal.head, refusal.piece, count: 80)
            #expect(read.hasPrefix("ended\nHTTP/1.1 \(refusal.status) "), "\(read.prefix(100))")
            #expect(read.contains(#""code":"\#(refusal.code)""#) && read.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(read.components(separatedBy: "HTTP/1.1 ").count == 2)
            #expect(server.eventually { $0.openConnections == 0 })
            #expect(server.listener.statistics.answers == 1 && server.listener.statistics.requests == 1)
        }
    }

    @Test("who is let linger keeps a place among the connections of its address until it leaves")
    func counts() async throws {
        try await blocking {
            let server = try Self.server { $0.connectionsPerAddress = 1 }
            var first: RawClient? = try Self.refused(server)
            #expect(first?.isEnded() == true)
            let second = try server.client()
            #expect(second.isEnded())
            #expect(server.listener.statistics.refusedConnections == 1 && server.listener.statistics.openConnections == 1)
            first = nil
            #expect(server.eventually { $0.openConnections == 0 })
            let third = try server.client()
            third.get("/fixed")
            #expect(third.read()?.status == 200)
        }
    }

    @Test("who is let linger has a bound in time")
    func time() async throws {
        try await blocking {
            let server = try Self.server { $0.lingerDeadline = .milliseconds(200) }
            let client = try Self.refused(server)
            #expect(server.eventually { $0.openConnections == 0 })
            _ = client
        }
    }

    @Test("who is let linger has a bound in bytes")
    func bytes() async throws {
        try await blocking {
            let server = try Self.server { $0.lingerBytes = 100_000 }
            let client = try Self.refused(server)
            client.write([UInt8](repeating: 0x78, count: 99_000))
            #expect(server.listener.statistics.openConnections == 1)
            client.write([UInt8](repeating: 0x78, count: 9_000))
            #expect(server.eventually { $0.openConnections == 0 })
        }
    }

    @Test("of many that linger the oldest makes room, and a stop waits for none")
    func many() async throws {
        try await blocking {
            let server = try Self.server { _ in }
            let clients = try (0..<80).map { _ in try Self.refused(server) }
            #expect(server.eventually { $0.openConnections == 64 })
            #expect(clients.count == 80)
            server.listener.stop()
            #expect(server.listener.statistics.openConnections == 0)
        }
    }

    private static func server(_ adjust: (inout ListenerConfiguration.Limits) -> Void) throws -> SampleServer {
        try SampleServer {
            $0.limits.lingerDeadline = .seconds(60)
            adjust(&$0.limits)
        }
    }

    /// A client that was refused and keeps its side open.
    private static func refused(_ server: SampleServer) throws -> RawClient {
        let client = try server.client()
        client.write("POST /refused HTTP/1.1\r\nHost: t\r\nContent-Length: 5242880\r\n\r\n")
        #expect(client.read()?.status == 401)
        return client
    }
}
