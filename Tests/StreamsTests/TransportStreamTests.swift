import Glibc
import TestSupport
import Testing

@testable import Streams

@Suite("Transport stream")
struct TransportStreamTests {
    private static func deadline(_ limit: Duration = .seconds(90)) -> ContinuousClock.Instant { .now + limit }

    private static func endpoint(
        _ port: Int, _ trust: TransportTrust, name: String = "localhost", at address: String? = "127.0.0.1"
    )
        -> TransportEndpoint
    {
        TransportEndpoint(name: name, reachedAt: address, port: port, trust: trust)
    }

    private static func tlsServer() throws -> StubServer {
        try StubServer(handler: "class Handler(StubHandler):\n    def do_GET(self): self.reply(200, b'hello')\n")
    }

    private static func get(_ endpoint: TransportEndpoint) throws -> String {
        let stream = try TransportStream(to: endpoint, until: deadline())
        try stream.startTLS(until: deadline())
        try stream.write(Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8), until: deadline())
        return String(decoding: try stream.readLine(1000, until: deadline()) ?? [], as: UTF8.self)
    }

    @Test("a certificate is taken for the name that is asked for, wherever the server is reached")
    func verified() async throws {
        let server = try Self.tlsServer()
        let authority = String(decoding: try Files.read(server.certificateAuthority), as: UTF8.self)
        try await onOwnThread {
            for endpoint in [
                Self.endpoint(server.port, .verified(authorities: authority)),
                Self.endpoint(server.port, .anyCertificate, name: "other.test"),
            ] {
                let answer = try Self.get(endpoint)
                #expect(answer.contains("200"))
            }
        }
    }

    @Test("a certificate for another name, of another authority, or none at all, is no safe channel")
    func refused() async throws {
        let server = try Self.tlsServer()
        let authority = String(decoding: try Files.read(server.certificateAuthority), as: UTF8.self)
        let other = try TestCertificates(in: TemporaryDirectory(), names: ["DNS:localhost"]).authority
        let clear = try ScriptedServer { client in
            client.read()
            try client.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        }
        try await onOwnThread {
            for endpoint in [
                Self.endpoint(server.port, .verified(authorities: authority), name: "other.test"),
                Self.endpoint(server.port, .verified(authorities: authority), name: "127.0.0.1"),
                Self.endpoint(server.port, .verified(authorities: other)),
                Self.endpoint(server.port, .verified(authorities: nil)),
                Self.endpoint(server.port, .verified(authorities: "no certificate")),
                Self.endpoint(Int(clear.port), .anyCertificate),
            ] {
                let fault = #expect(throws: TransportFault.self) { _ = try Self.get(endpoint) }
                #expect(fault?.kind == .noSafeChannel)
            }
        }
    }

    @Test("a server that says nothing, or a byte now and then, is left in time", arguments: [true, false])
    func slow(_ isSilent: Bool) async throws {
        let server = try ScriptedServer { client in
            if isSilent {
                client.readAll()
            } else {
                while true {
                    try client.send([0x16])
                    var pause = timespec(tv_sec: 0, tv_nsec: 20_000_000)
                    nanosleep(&pause, nil)
                }
            }
        }
        try await onOwnThread {
            let stream = try TransportStream(to: Self.endpoint(Int(server.port), .clear), until: Self.deadline())
            let fault = #expect(throws: TransportFault.self) { _ = try stream.read(100_000, until: Self.deadline(.seconds(1))) }
            #expect(fault?.kind == .timedOut)
        }
    }

    @Test("a line longer than its limit is none, and an end in the middle is a cut")
    func lines() async throws {
        let server = try ScriptedServer { client in
            try client.send(Array("one\r\n".utf8) + [UInt8](repeating: 65, count: 100))
        }
        try await onOwnThread {
            let stream = try TransportStream(to: Self.endpoint(Int(server.port), .clear), until: Self.deadline())
            #expect(try stream.readLine(10, until: Self.deadline()) == Array("one".utf8))
            #expect(try stream.readLine(10, until: Self.deadline()) == nil)
            let fault = #expect(throws: TransportFault.self) { _ = try stream.read(1000, until: Self.deadline()) }
            #expect(fault?.kind == .cut)
        }
    }

    @Test("nobody at the port is unreachable, and what is no name is not looked for")
    func nobody() throws {
        let port = Int(try FreePort.any())
        var fault = #expect(throws: TransportFault.self) {
            _ = try TransportStream(to: Self.endpoint(port, .clear), until: Self.deadline())
        }
        #expect(fault?.kind == .unreachable)
        for endpoint in [
            Self.endpoint(0, .clear), Self.endpoint(1, .clear, name: "", at: nil), Self.endpoint(1, .clear, name: "a b", at: nil),
        ] {
            fault = #expect(throws: TransportFault.self) { _ = try TransportStream(to: endpoint, until: Self.deadline()) }
            #expect(fault?.kind == .badInput)
        }
    }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        let done = try ExternalProgram.run("cat", [path])
        return done.output
    }
}
