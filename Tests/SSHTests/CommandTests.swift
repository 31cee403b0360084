import Cryptography
import SSH
import TestSupport
import Testing

import Glibc

@Suite("SSH commands", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct CommandTests {
    static func start(_ way: Way) async throws -> (TestHost, SSHSession) {
        let (host, login) = try await host(way)
        return (host, try await host.open(login))
    }

    static func host(_ way: Way) async throws -> (TestHost, SSHLogin) {
        let key = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        let host = try await TestHost.start(users: [.init("worker", keys: [key.publicKey])])
        return (host, .key("worker", key.privateKey))
    }

    @Test("a command that a signal ended has no status", arguments: Way.allCases)
    func signal(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let ended = try await session.result("echo first; kill -9 $$")
        #expect(ended.status == nil)
        #expect(ended.text == "first\n")
        #expect(try await session.result("echo again").text == "again\n")
        await host.stop()
    }

    @Test("input and output of a mebibyte pass, whole and at the same time", arguments: Way.allCases)
    func large(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let result = try await session.result("cat", input: [.bytes(bytes)])
        #expect(result.output == bytes)
        #expect(result.status == 0)
        await host.stop()
    }

    @Test("a command that reads nothing and one that says nothing end well", arguments: Way.allCases)
    func silent(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let deaf = try await session.result("exit 0", input: [.bytes([UInt8](repeating: 65, count: 1_000_000))])
        #expect(deaf.status == 0)
        #expect(try await session.result("true") == SSHResult(status: 0))
        await host.stop()
    }

    @Test("output without end is broken off, and memory stays bounded", arguments: Way.allCases)
    func endless(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let before = residentBytes()
        let found = try await fault { _ = try session.run(SSHCommand("yes | head -c 1073741824", outputLimit: 100_000)) }
        #expect(found.kind == .tooMuchOutput)
        #expect(found.sent)
        #expect(residentBytes() - before < 64 << 20)
        await host.stop()
    }

    @Test("a command that hangs runs out of its time, also one that closes its output", arguments: Way.allCases)
    func hanging(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        for line in ["sleep 1000", "exec >&- 2>&-; sleep 1000"] {
            let found = try await fault { _ = try session.run(SSHCommand(line, limit: .seconds(3))) }
            #expect(found.kind == .timedOut)
            #expect(found.sent)
        }
        await host.stop()
    }

    @Test("a connection that is cut, an interruption and a session that is closed end a command at once", arguments: Way.allCases)
    func cut(way: Way) async throws {
        let (host, login) = try await Self.host(way)
        let session = try await host.open(login)
        let found = try await fault { _ = try session.run(SSHCommand("kill -9 $PPID; sleep 1000")) }
        #expect(found.kind == .cut)
        #expect(found.sent)
        let later = try await fault { _ = try session.run(SSHCommand("true")) }
        #expect(later.kind == .cut)
        #expect(!later.sent)

        let other = try await host.open(login)
        async let closed = fault { _ = try other.run(SSHCommand("sleep 1000")) }
        try await Task.sleep(for: .milliseconds(500))
        let clock = ContinuousClock()
        let time = try await clock.measure { try await onOwnThread { other.close() } }
        #expect(try await closed.kind == .cut)
        #expect(time < .seconds(60))
        await host.stop()
    }

    @Test("many sessions work at the same time")
    func many() async throws {
        let host = try await TestHost.start()
        let login = SSHLogin.password("root", host.root.password)
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<12 {
                group.addTask {
                    let session = try await host.open(login)
                    defer { session.close() }
                    return try await session.result("echo \(number)").text
                }
            }
            let texts = try await group.reduce(into: Set<String>()) { $0.insert($1) }
            #expect(texts.count == 12)
        }
        await host.stop()
    }
}

/// Of this process, in bytes.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
}
