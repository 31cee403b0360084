import Outbound
import TestSupport
import Testing

@Suite("Transport security")
struct TransportSecurityTests {
    static let handler = """
        class Handler(StubHandler):
            def do_GET(self): self.reply(200, {"peer": self.client_address[0]})
        """

    private func outcome(_ client: HTTPClient, _ url: String) async -> OutboundFault? {
        do throws(OutboundFault) {
            _ = try await client.send(HTTPRequest(.get, url))
            return nil
        } catch {
            return error
        }
    }

    @Test("a certificate of an unknown authority, or for another name, is refused")
    func verifies() async throws {
        let server = try StubServer(handler: Self.handler)
        let other = try StubServer(handler: Self.handler)
        var trusting = HTTPClient.Configuration()
        trusting.certificateAuthority = server.certificateAuthority
        var mistaken = HTTPClient.Configuration()
        mistaken.certificateAuthority = other.certificateAuthority
        #expect(await outcome(HTTPClient(trusting), server.endpoint + "/") == nil)
        let refused = [
            await outcome(HTTPClient(), server.endpoint + "/"), await outcome(HTTPClient(mistaken), server.endpoint + "/"),
            await outcome(HTTPClient(trusting), "https://127.0.0.1:\(server.port)/"),
        ]
        for fault in refused {
            guard case .certificateRejected = fault else {
                Issue.record("\(String(describing: fault))")
                continue
            }
        }
    }

    @Test("plain HTTP is refused unless it was allowed")
    func plain() async throws {
        let server = try StubServer(handler: Self.handler, isSecure: false)
        guard case .invalidRequest = await outcome(HTTPClient(), server.endpoint + "/") else {
            Issue.record("plain HTTP went out")
            return
        }
        var configuration = HTTPClient.Configuration()
        configuration.allowsPlainHTTP = true
        #expect(await outcome(HTTPClient(configuration), server.endpoint + "/") == nil)
    }

    @Test("nobody at the port, no such host and a missing authority file each say so")
    func unreachable() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectDeadline = .seconds(60)
        guard case .connectionFailed = await outcome(HTTPClient(configuration), "https://127.0.0.1:1/") else {
            Issue.record("connected to nobody")
            return
        }
        guard case .nameNotResolved = await outcome(HTTPClient(configuration), "https://no-such-host.invalid/") else {
            Issue.record("resolved a name that cannot exist")
            return
        }
        let server = try StubServer(handler: Self.handler)
        configuration.certificateAuthority = "/nonexistent/ca.pem"
        guard case .certificateRejected = await outcome(HTTPClient(configuration), server.endpoint + "/") else {
            Issue.record("no authority was asked for")
            return
        }
    }
}

@Suite("Wiped bytes")
struct WipedBytesTests {
    @Test("a buffer keeps every byte as it grows, and is empty once taken")
    func grows() {
        let buffer = WipedBuffer(capacity: 1)
        var expected: [UInt8] = []
        for round in 0..<200 {
            let piece = [UInt8](repeating: UInt8(round), count: round)
            piece.withUnsafeBytes { buffer.append($0) }
            buffer.append(0xEE)
            expected += piece + [0xEE]
        }
        let taken = buffer.take()
        #expect(taken.withBytes { Array($0) } == expected)
        #expect(buffer.count == 0 && buffer.take().isEmpty)
    }
}
