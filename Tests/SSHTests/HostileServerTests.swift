import Cryptography
import SSH
import Synchronization
import TestSupport
import Testing
import Threads

import Glibc

/// Servers that are no SSH servers, or bad ones.
@Suite("Hostile SSH servers")
struct HostileServerTests {
    enum Behaviour: String, CaseIterable, Sendable {
        case silent, closesAtOnce, garbage, flood, bannerThenSilence, bannerThenFlood, bannerThenGarbage, drips, otherProtocol
    }

    static let expected: [Behaviour: [SSHFault.Kind]] = [
        .silent: [.timedOut], .bannerThenSilence: [.timedOut], .drips: [.timedOut], .closesAtOnce: [.cut, .protocolError],
        .garbage: [.protocolError, .timedOut, .cut], .flood: [.protocolError, .timedOut],
        .bannerThenFlood: [.protocolError, .cut, .timedOut], .bannerThenGarbage: [.protocolError, .cut],
        .otherProtocol: [.protocolError, .cut],
    ]

    @Test("each ends in a fault within the limit and in bounded memory", arguments: Behaviour.allCases)
    func library(behaviour: Behaviour) async throws {
        try await Self.check(behaviour, .password("root", "the secret"))
    }

    @Test("each ends in a fault within the limit when it is met with an RSA key", arguments: Behaviour.allCases)
    func program(behaviour: Behaviour) async throws {
        try await Self.check(behaviour, .key("root", try TestKeyPair.make(.rsa, bits: 2048).privateKey))
    }

    static func check(_ behaviour: Behaviour, _ login: SSHLogin) async throws {
        let server = try RawServer { connection in serve(behaviour, connection) }
        let kinds = expected[behaviour] ?? []
        // Short only where it may be the time that ends it.
        let limit = Duration.seconds(kinds.contains(.timedOut) ? 2 : 60)
        let limits = SSHLimits(connecting: limit, login: limit)
        let before = residentBytes()
        let start = ContinuousClock.now
        let found = try await fault {
            _ = try SSHSession.open(SSHEndpoint(host: "127.0.0.1", port: server.port), as: login, limits: limits)
        }
        #expect(kinds.contains(found.kind), "\(behaviour): \(found)")
        #expect(found.words.utf8.count <= 2000)
        #expect(ContinuousClock.now - start < .seconds(90))
        #expect(residentBytes() - before < 96 << 20)
        #expect(!server.received.contains("the secret"))
        server.stop()
    }

    static func serve(_ behaviour: Behaviour, _ connection: RawServer.Connection) {
        let noise = (0..<65536).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
        switch behaviour {
        case .silent: connection.readOn()
        case .closesAtOnce: break
        case .garbage:
            connection.send(Array(noise.prefix(200)))
            connection.readOn()
        case .flood: connection.flood([UInt8](repeating: 65, count: 65536))
        case .bannerThenSilence:
            connection.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
            connection.readOn()
        case .bannerThenFlood:
            connection.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
            // SSH_MSG_IGNORE in packets without encryption, for ever.
            let packet: [UInt8] = [0, 0, 0x7F, 0xFC, 4, 2] + [UInt8](repeating: 0, count: 0x7FFA)
            connection.flood(packet)
        case .bannerThenGarbage:
            connection.send(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))
            connection.send(noise)
        case .drips:
            for byte in "SSH-2.0-OpenSSH_9.2_with_a_long_name_that_takes_its_time".utf8 {
                connection.send([byte])
                usleep(200_000)
            }
            connection.readOn()
        case .otherProtocol:
            connection.send(Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8))
        }
    }

    @Test("an interruption ends the wait for a silent server at once", arguments: Way.allCases)
    func interruption(way: Way) async throws {
        let server = try RawServer { $0.readOn() }
        let login: SSHLogin =
            way == .library ? .password("root", "x") : .key("root", try TestKeyPair.make(.rsa, bits: 2048).privateKey)
        let interruption = Interruption()
        async let found = fault {
            _ = try SSHSession.open(
                SSHEndpoint(host: "127.0.0.1", port: server.port), as: login, limits: SSHLimits(login: .seconds(100)),
                interruption: interruption)
        }
        try await Task.sleep(for: .milliseconds(300))
        interruption.fire()
        #expect(try await found.kind == .interrupted)
        server.stop()
    }
}

/// A TCP server that does with each connection what a closure says, on a thread of its own.
final class RawServer: Sendable {
    let port: Int
    private let listener: Int32
    private let connections = Mutex<[Connection]>([])

    final class Connection: Sendable {
        let number: Int32
        private let bytes = Mutex<[UInt8]>([])
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }

        var received: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

        @discardableResult
        func send(_ data: [UInt8]) -> Bool {
            data.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == data.count
        }

        func flood(_ data: [UInt8]) { while send(data) {} }

        func readOn() {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(number, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                bytes.withLock { $0 += buffer.prefix(count) }
            }
        }
    }

    init(_ serve: @escaping @Sendable (Connection) -> Void) throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(number, generic, length) == 0 && listen(number, 8) == 0 && getsockname(number, generic, &length) == 0
            }
        }
        guard isReady else { throw ProgramFault.system("listen", errno) }
        listener = number
        port = Int(UInt16(bigEndian: address.sin_port))
        _ = startThread { [weak self] in
            while true {
                let accepted = accept(number, nil, nil)
                guard accepted >= 0 else { return }
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                let connection = Connection(accepted)
                self?.connections.withLock { $0.append(connection) }
                _ = startThread {
                    serve(connection)
                    shutdown(connection.number, Int32(SHUT_RDWR))
                }
            }
        }
    }

    deinit { close(listener) }

    var received: String { connections.withLock { $0.map(\.received).joined() } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections.withLock({ $0 }) { shutdown(connection.number, Int32(SHUT_RDWR)) }
    }
}
