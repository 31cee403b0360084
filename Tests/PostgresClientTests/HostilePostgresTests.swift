import Cryptography
import Glibc
import TestSupport
import Testing

@testable import PostgresClient

@Suite("A hostile server of PostgreSQL")
struct HostilePostgresTests {
    private static let password = "never-in-clear-8c1f"

    private static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count + 4)
        return [type.asciiValue ?? 0] + withUnsafeBytes(of: length.bigEndian, Array.init) + body
    }

    private static func request(_ code: UInt32, _ rest: [UInt8] = []) -> [UInt8] {
        message("R", withUnsafeBytes(of: code.bigEndian, Array.init) + rest)
    }

    private static let scram = request(10, Array("SCRAM-SHA-256\0\0".utf8))

    /// The fault of a login without TLS at a server that follows the script after the client's first message.
    private func login(
        step: Duration = .seconds(90), _ script: @escaping @Sendable (ScriptedServer.Client) throws -> Void
    ) async throws -> (PostgresFault?, ScriptedServer) {
        let server = try ScriptedServer { client in
            client.read()
            try script(client)
        }
        let port = Int(server.port)
        let fault: PostgresFault? = try await onOwnThread {
            do throws(PostgresFault) {
                let endpoint = PostgresEndpoint(name: "127.0.0.1", port: port, database: "postgres", channel: .clear)
                _ = try PostgresConnection(
                    to: endpoint, user: "app", password: Secret.of(Self.password), limits: PostgresLimits(step: step))
                return nil
            } catch { return error }
        }
        return (fault, server)
    }

    @Test("gets no password by asking for it, however it asks", arguments: [3, 5, 7, 2, 99] as [UInt32])
    func asking(_ code: UInt32) async throws {
        let (fault, server) = try await login { client in
            try client.send(Self.request(code, [1, 2, 3, 4]))
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
        #expect(!String(decoding: server.received, as: UTF8.self).contains(Self.password))
        // Nothing came after the first message, which begins with its length.
        let length = server.received.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        #expect(server.received.count == length)
    }

    @Test("gets no password by asking for it in the middle of SCRAM, nor in the same breath", arguments: [true, false])
    func asking(atOnce: Bool) async throws {
        let (fault, server) = try await login { client in
            if atOnce {
                try client.send(Self.scram + Self.request(3))
            } else {
                try client.send(Self.scram)
                client.read()
                try client.send(Self.request(3))
            }
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
        #expect(!String(decoding: server.received, as: UTF8.self).contains(Self.password))
    }

    @Test("proves nothing by letting everybody in")
    func accepting() async throws {
        let (fault, _) = try await login { client in
            try client.send(Self.request(0) + Self.message("Z", [UInt8(ascii: "I")]))
            client.readAll()
        }
        #expect(fault?.kind == .notAsked)
    }

    @Test("cannot end SCRAM before it has proved that it knows the password")
    func shortcut() async throws {
        let (fault, _) = try await login { client in
            try client.send(Self.scram)
            client.read()
            try client.send(Self.request(0) + Self.message("Z", [UInt8(ascii: "I")]))
            client.readAll()
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("that makes up the end of SCRAM is found out")
    func madeUp() async throws {
        let (fault, _) = try await login { client in
            try client.send(Self.scram)
            let first = String(decoding: client.read(), as: UTF8.self)
            let nonce = first.components(after: "r=") + "abcdef"
            try client.send(Self.request(11, Array("r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".utf8)))
            client.read()
            let signature = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
            try client.send(Self.request(12, Array(signature.utf8)) + Self.request(0) + Self.message("Z", [UInt8(ascii: "I")]))
            client.readAll()
        }
        #expect(fault != nil && fault?.sqlState == nil)
        #expect(fault?.words.contains("signature") == true)
    }

    @Test("that says nothing is left after the time that a step may take")
    func hanging() async throws {
        let start = ContinuousClock.now
        let (fault, _) = try await login(step: .seconds(1)) { $0.readAll() }
        #expect(fault?.kind == .timedOut)
        #expect(ContinuousClock.now - start < .seconds(90))
    }

    @Test("that sends a byte now and then does not get more time for it")
    func trickling() async throws {
        let (fault, _) = try await login(step: .seconds(1)) { client in
            for byte in Self.message("N", [UInt8](repeating: 65, count: 8000)) {
                try client.send([byte])
                sleepALittle()
            }
        }
        #expect(fault?.kind == .timedOut)
    }

    @Test("that announces or sends a gigabyte is left at once", arguments: ["R", "E", "S", "N"] as [Character])
    func giant(_ type: Character) async throws {
        let (fault, _) = try await login { client in
            try client.send([type.asciiValue ?? 0, 0x3F, 0xFF, 0xFF, 0xFF])
            let block = [UInt8](repeating: 0x20, count: 1 << 16)
            for _ in 0..<1000 { try client.send(block) }
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("that goes in the middle is a cut")
    func leaving() async throws {
        let (fault, _) = try await login { client in
            try client.send(Self.scram)
            client.read()
        }
        #expect(fault?.kind == .cut)
    }

    @Test("is unreachable where nobody listens")
    func nobody() throws {
        let endpoint = PostgresEndpoint(
            name: "127.0.0.1", port: Int(try FreePort.any()), database: "postgres", channel: .bound)
        let fault = #expect(throws: PostgresFault.self) {
            _ = try PostgresConnection(to: endpoint, user: "app", password: Secret.of("x"))
        }
        #expect(fault?.kind == .unreachable)
    }

    @Test(
        "is not looked for where the name means something else to libpq",
        arguments: ["a,b", "/tmp", "@abstract", "", "a b"])
    func names(_ name: String) {
        let endpoint = PostgresEndpoint(name: name, port: 5432, database: "postgres", channel: .clear)
        let fault = #expect(throws: PostgresFault.self) {
            _ = try PostgresConnection(to: endpoint, user: "app", password: Secret.of("x"))
        }
        #expect(fault?.kind == .badInput)
    }
}

private func sleepALittle() {
    var pause = timespec(tv_sec: 0, tv_nsec: 2_000_000)
    nanosleep(&pause, nil)
}

extension String {
    fileprivate func components(after mark: String) -> String {
        let bytes = Array(utf8)
        let sign = Array(mark.utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: sign) }) else { return "" }
        return String(decoding: bytes[(start + sign.count)...].prefix { $0 > 0x20 && $0 != 0x2C }, as: UTF8.self)
    }
}
