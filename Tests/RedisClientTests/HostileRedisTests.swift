import Cryptography
import TestSupport
import Testing
import Streams

@testable import RedisClient

@Suite("A hostile server of Redis")
struct HostileRedisTests {
    private func talk(
        step: Duration = .seconds(90), _ script: @escaping @Sendable (ScriptedServer.Client) throws -> Void
    ) async throws -> RedisFault? {
        let server = try ScriptedServer(script)
        let port = Int(server.port)
        let fault: RedisFault? = try await onOwnThread {
            do throws(RedisFault) {
                let connection = try RedisConnection(
                    to: TransportEndpoint(name: "127.0.0.1", port: port, trust: .clear), limits: RedisLimits(step: step))
                _ = try connection.run("PING")
                return nil
            } catch { return error }
        }
        _ = server
        return fault
    }

    @Test(
        "that sends nonsense, or announces too much, is left at once",
        arguments: [
            "?\r\n", "\r\n", "$99999999999\r\n", "$-2\r\n", "*1000000\r\n", ":x\r\n", "$3\r\nabcde", "$9223372036854775807\r\n",
            "*9223372036854775807\r\n", String(repeating: "*1\r\n", count: 100),
        ])
    func nonsense(_ answer: String) async throws {
        let fault = try await talk { client in
            client.read()
            try client.send(Array(answer.utf8))
            client.readAll()
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("that sends without end is left at once")
    func endless() async throws {
        let fault = try await talk { client in
            client.read()
            let block = [UInt8](repeating: 65, count: 1 << 16)
            for _ in 0..<1000 { try client.send([UInt8(ascii: "+")] + block) }
        }
        #expect(fault?.kind == .brokenProtocol)
    }

    @Test("that says nothing, or goes, is told apart")
    func silent() async throws {
        #expect(try await talk(step: .seconds(1)) { $0.readAll() }?.kind == .timedOut)
        #expect(try await talk { $0.read() }?.kind == .cut)
    }

    @Test("no answer ends the process")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 6, samples: ["*2\r\n$3\r\nabc\r\n:12\r\n", "+OK\r\n", "-ERR x\r\n", "$-1\r\n", "*-1\r\n", "*1\r\n*1\r\n+x\r\n"])
        for _ in 0..<Fuzzer.rounds(4000) {
            var rest = fuzzer.next()[...]
            var reader = RedisReader(bytes: 10_000)
            _ = try? reader.value(
                line: { (limit) throws(RedisFault) in
                    guard let end = rest.firstIndex(of: 13), end + 1 < rest.endIndex else { throw RedisFault(.cut) }
                    defer { rest = rest[min(end + 2, rest.endIndex)...] }
                    return end - rest.startIndex <= limit ? Array(rest[..<end]) : nil
                },
                exactly: { (count) throws(RedisFault) in
                    guard rest.count >= count else { throw RedisFault(.cut) }
                    defer { rest = rest.dropFirst(count) }
                    return Array(rest.prefix(count))
                })
        }
    }
}
