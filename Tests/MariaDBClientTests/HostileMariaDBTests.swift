import Cryptography
import TestSupport
import Testing
import Streams

@testable import MariaDBClient

@Suite("A hostile server of MariaDB")
struct HostileMariaDBTests {
    private static let password = "never-in-clear-5d2e"
    private static let nonce = Array("abcdefghijklmnopqrst".utf8)

    private static func packet(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        Bytes.number(payload.count, 3) + [number] + payload
    }

    private static func greeting(capabilities: Int = 0xFFFF_F7FF, plugin: String = "mysql_native_password") -> [UInt8] {
        let low = Bytes.number(capabilities & 0xFFFF, 2)
        let high = Bytes.number(capabilities >> 16, 2)
        let head: [UInt8] = [10] + Array("5.5.5-10.11.6-MariaDB".utf8) + [0, 1, 0, 0, 0] + nonce.prefix(8) + [0]
        return packet(
            0,
            head + low + [45, 2, 0] + high + [21] + [UInt8](repeating: 0, count: 10) + nonce.suffix(12) + [0] + Array(plugin.utf8)
                + [0])
    }

    private static func switching(to plugin: String) -> [UInt8] { packet(2, [0xFE] + Array(plugin.utf8) + [0] + nonce + [0]) }
    private static let yes = packet(2, [0, 0, 0, 2, 0, 0, 0])

    /// The fault of a login and one statement at a server that follows the script.
    private func talk(
        _ trust: TransportTrust = .clear, step: Duration = .seconds(90),
        _ script: @escaping @Sendable (ScriptedServer.Client) throws -> Void
    ) async throws -> (MariaDBFault?, ScriptedServer) {
        let server = try ScriptedServer(script)
        let port = Int(server.port)
        let fault: MariaDBFault? = try await onOwnThread {
            do throws(MariaDBFault) {
                let endpoint = TransportEndpoint(name: "127.0.0.1", port: port, trust: trust)
                let connection = try MariaDBConnection(
                    to: endpoint, user: "app", password: Secret.of(Self.password), limits: MariaDBLimits(step: step))
                try connection.run("SELECT 1")
                return nil
            } catch { return error }
        }
        #expect(!String(decoding: server.received, as: UTF8.self).contains(Self.password))
        return (fault, server)
    }

    @Test("gets no password in clear, however it asks", arguments: ["mysql_clear_password", "dialog", "sha256_password"])
    func clear(_ plugin: String) async throws {
        var (fault, _) = try await talk { client in
            try client.send(Self.greeting())
            client.read()
            try client.send(Self.switching(to: plugin))
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
        (fault, _) = try await talk { client in
            try client.send(Self.greeting(plugin: plugin))
            client.read()
            try client.send(Self.switching(to: plugin))
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
    }

    @Test("gets no password by not remembering the account")
    func full() async throws {
        let (fault, _) = try await talk { client in
            try client.send(Self.greeting(plugin: "caching_sha2_password"))
            client.read()
            try client.send(Self.packet(2, [1, 4]))
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
    }

    @Test("gets no file and no second statement")
    func file() async throws {
        let (fault, server) = try await talk { client in
            try client.send(Self.greeting())
            client.read()
            try client.send(Self.yes)
            client.read()
            try client.send(Self.packet(1, [0xFB] + Array("/etc/passwd".utf8)))
            client.readAll()
        }
        #expect(fault?.kind == .brokenProtocol)
        #expect(!String(decoding: server.received, as: UTF8.self).contains("root:"))
    }

    @Test("without TLS is no safe channel where TLS is asked for")
    func downgrade() async throws {
        let (fault, server) = try await talk(.anyCertificate) { client in
            try client.send(Self.greeting())
            client.readAll()
        }
        #expect(fault?.kind == .noSafeChannel)
        #expect(server.received.isEmpty)
    }

    @Test("that says nothing is left in time")
    func hanging() async throws {
        let (fault, _) = try await talk(step: .seconds(1)) { $0.readAll() }
        #expect(fault?.kind == .timedOut)
    }

    @Test("that announces or sends too much is left at once", arguments: [true, false])
    func giant(atLogin: Bool) async throws {
        let (fault, _) = try await talk { client in
            if !atLogin {
                try client.send(Self.greeting())
                client.read()
                try client.send(Self.yes)
                client.read()
            }
            try client.send([0xFF, 0xFF, 0xFF, atLogin ? 0 : 1])
            let block = [UInt8](repeating: 10, count: 1 << 16)
            for _ in 0..<1000 { try client.send(block) }
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("that refuses strangers, or asks for ever, is told apart")
    func refusals() async throws {
        var (fault, _) = try await talk { client in
            try client.send(Self.packet(0, [0xFF] + Bytes.number(1130, 2) + Array("Host is not allowed".utf8)))
        }
        #expect(fault?.code == 1130)
        (fault, _) = try await talk { client in
            try client.send(Self.greeting())
            client.read()
            for number in 0..<20 {
                try client.send(
                    Self.packet(UInt8(2 + number * 2), [0xFE] + Array("mysql_native_password".utf8) + [0] + Self.nonce + [0]))
            }
            client.readAll()
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("no packet ends the process")
    func fuzz() {
        let samples = [
            Self.greeting(), Self.switching(to: "x"), [0xFF, 0x15, 0x04] + Array("#28000Access denied".utf8), [1],
            [3, 100, 101, 102],
        ]
        var random = SeededGenerator(seed: 11)
        for _ in 0..<Fuzzer.rounds(4000) {
            guard var bytes = samples.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.removeLast(bytes.count - place)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                }
            }
            _ = try? Handshake(bytes)
            _ = try? Handshake(Array(bytes.dropFirst(4)))
            _ = MariaDBLogin.refusal(bytes)
            _ = try? MariaDBConnection.columnName(bytes)
            _ = try? MariaDBConnection.row(bytes, 3)
        }
    }
}

@Suite("Quoting for MariaDB")
struct MariaDBQuotingTests {
    @Test("in a name only the backtick means anything")
    func names() throws {
        #expect(try MariaDBQuoting.name("a`b\\'\"") == "`a``b\\'\"`")
        #expect(try MariaDBQuoting.name("`\u{301}") == "```\u{301}`")
        for name in ["", "a\0", "😀", "end ", "'root'", String(repeating: "n", count: 81)] {
            #expect(throws: MariaDBFault.self) { try MariaDBQuoting.name(name) }
        }
    }

    @Test("values are bytes, and literals double quotes and backslashes")
    func values() throws {
        #expect(MariaDBQuoting.value("a'") == "X'6127'")
        #expect(MariaDBQuoting.value("") == "''")
        #expect(try MariaDBQuoting.literal("a'\\b") == "'a''\\\\b'")
    }

    @Test("verifiers are those that the server makes (of its manual's examples)")
    func verifiers() throws {
        #expect(try MariaDBVerifier.native.text(for: Secret.of("mariadb")) == "*54958E764CE10E50764C2EECBB71D01F08549980")
        #expect(try MariaDBVerifier.ed25519.text(for: Secret.of("secret")) == "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY")
    }
}

extension Secret {
    static func of(_ text: String) -> Secret {
        var bytes = Array(text.utf8)
        return Secret(moving: &bytes)
    }
}
