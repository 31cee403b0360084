import Cryptography
import SSH
import TestSupport
import Testing

import Glibc

@Suite("SSH gateways", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct GatewayTests {
    struct Pair {
        let gateway: TestHost
        let target: TestHost
        let key: TestKeyPair

        static func start(_ way: Way, settings: [String] = []) async throws -> Pair {
            let key = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
            let gateway = try await TestHost.start(users: [.init("jump", keys: [key.publicKey])], settings: settings)
            let target = try await TestHost.start(users: [.init("worker", keys: [key.publicKey])])
            return Pair(gateway: gateway, target: target, key: key)
        }

        var jump: (endpoint: SSHEndpoint, login: SSHLogin) { (gateway.endpoint, .key("jump", key.privateKey)) }

        func stop() async {
            await gateway.stop()
            await target.stop()
        }
    }

    @Test("a session through a gateway is one with the target", arguments: Way.allCases)
    func session(way: Way) async throws {
        let pair = try await Pair.start(way)
        let session = try await pair.target.open(.key("worker", pair.key.privateKey), via: pair.jump)
        #expect(session.hostKey == pair.target.hostKey)
        let bytes = [UInt8](repeating: 66, count: 300_000)
        let result = try await session.result("id -un; cat", input: [.bytes(bytes)])
        #expect(result.output == Array("worker\n".utf8) + bytes)
        session.close()
        await pair.stop()
    }

    @Test("what goes wrong at the gateway is told from what goes wrong at the target", arguments: Way.allCases)
    func faults(way: Way) async throws {
        let pair = try await Pair.start(way)
        let (gateway, target, key) = (pair.gateway, pair.target, pair.key)
        let stranger = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        let worker = SSHLogin.key("worker", key.privateKey)
        let jump = SSHLogin.key("jump", key.privateKey)

        let refusedThere = try await fault {
            _ = try SSHSession.open(target.endpoint, as: worker, via: (gateway.endpoint, .key("jump", stranger.privateKey)))
        }
        #expect(refusedThere.kind == .rejected)
        #expect(refusedThere.place == .gateway)

        let refusedHere = try await fault {
            _ = try SSHSession.open(target.endpoint, as: .key("worker", stranger.privateKey), via: (gateway.endpoint, jump))
        }
        #expect(refusedHere.kind == .rejected)
        #expect(refusedHere.place == .target)

        let changed = try await fault {
            let other = SSHEndpoint(host: "127.0.0.1", port: gateway.port, pinned: [target.hostKey])
            _ = try SSHSession.open(target.endpoint, as: worker, via: (other, jump))
        }
        #expect(changed.kind == .hostKeyChanged(seen: gateway.hostKey))
        #expect(changed.place == .gateway)

        let port = Int(try FreePort.any())
        let unreachable = try await fault {
            _ = try SSHSession.open(SSHEndpoint(host: "127.0.0.1", port: port), as: worker, via: (gateway.endpoint, jump))
        }
        #expect(unreachable.kind == .unreachable)
        #expect(unreachable.place == .target)
        await pair.stop()
    }

    @Test("a tunnel carries one connection of this process, and no other", arguments: Way.allCases)
    func tunnel(way: Way) async throws {
        let pair = try await Pair.start(way)
        let (gateway, target, key) = (pair.gateway, pair.target, pair.key)
        let tunnel = try await onOwnThread {
            try SSHTunnel.open(
                to: "127.0.0.1", port: target.port, via: gateway.endpoint, as: .key("jump", key.privateKey))
        }
        #expect(tunnel.hostKey == gateway.hostKey)
        // Another process is not let through, and does not use the tunnel up.
        let stranger = try ExternalProgram.run(
            "timeout", ["5", "bash", "-c", "read -r line </dev/tcp/127.0.0.1/\(tunnel.localPort); echo \"[$line]\""])
        #expect(!stranger.text.contains("SSH-2.0"))
        let banner = try await onOwnThread { try readBanner(port: tunnel.localPort) }
        #expect(banner.hasPrefix("SSH-2.0-"))
        // Used up.
        #expect(throws: (any Error).self) { try readBanner(port: tunnel.localPort) }
        tunnel.close()
        await pair.stop()
    }

    @Test("a tunnel to a port on which nobody listens does not open", arguments: Way.allCases)
    func nowhere(way: Way) async throws {
        let pair = try await Pair.start(way)
        let (gateway, key) = (pair.gateway, pair.key)
        let port = Int(try FreePort.any())
        let found = try await fault {
            _ = try SSHTunnel.open(to: "127.0.0.1", port: port, via: gateway.endpoint, as: .key("jump", key.privateKey))
        }
        #expect(found.kind == .unreachable)
        await pair.stop()
    }
}

/// What a server on a port of this machine says first.
func readBanner(port: Int) throws -> String {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    let code = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard code == 0 else { throw ProgramFault.unexpected("no connection", output: "") }
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var buffer = [UInt8](repeating: 0, count: 256)
    var count = recv(number, &buffer, buffer.count, 0)
    // A wait with a limit ends like this when the process was stopped and went on.
    while count < 0, errno == EINTR { count = recv(number, &buffer, buffer.count, 0) }
    guard count > 0 else { throw ProgramFault.unexpected("nothing came", output: "") }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
}
