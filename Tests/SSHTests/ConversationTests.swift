import Cryptography
import SSH
import TestSupport
import Testing

/// A host that is slow at every step, and never too slow at one.
@Suite("The end of a conversation", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct ConversationTests {
    private static let limits = SSHLimits(connecting: .seconds(60), login: .seconds(60), conversation: .seconds(10))

    private static func logins(_ host: TestHost) -> [SSHLogin] {
        [.password("root", host.root.password), .key("root", host.root.privateKey)]
    }

    @Test("many short commands together are too long, and what comes after is over at once")
    func manySteps() async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519])
        for login in Self.logins(host) {
            let session = try await host.open(login, limits: Self.limits)
            let found = try await fault {
                for _ in 0..<60 { _ = try session.run(SSHCommand("sleep 0.5", limit: .seconds(20))) }
            }
            #expect(found.kind == .timedOut && found.words.contains("conversation"), "\(found)")
            let next = try await fault { _ = try session.run(SSHCommand("true", limit: .seconds(20))) }
            #expect(next.kind == .timedOut && !next.sent, "\(next)")
            session.close()
        }
        await host.stop()
    }

    @Test("a command that trickles goes on for no longer than the conversation, however long a step may be")
    func trickle() async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519])
        let session = try await host.open(.password("root", host.root.password), limits: Self.limits)
        let start = ContinuousClock.now
        let found = try await fault {
            _ = try session.run(SSHCommand("while :; do echo x; sleep 0.1; done", limit: .seconds(600)))
        }
        #expect(found.kind == .timedOut && found.words.contains("conversation") && found.sent, "\(found)")
        #expect(ContinuousClock.now - start < .seconds(300))
        session.close()
        await host.stop()
    }

    @Test("an ssh program is bounded in the same way, with an RSA key")
    func program() async throws {
        let key = try TestKeyPair.make(.rsa, bits: 2048)
        let host = try await TestHost.start(users: [.init("worker", keys: [key.publicKey])], hostKeys: [.ed25519])
        let session = try await host.open(.key("worker", key.privateKey), limits: Self.limits)
        let found = try await fault {
            for _ in 0..<60 { _ = try session.run(SSHCommand("sleep 0.5; echo x", limit: .seconds(20))) }
        }
        #expect(found.kind == .timedOut && found.words.contains("conversation"), "\(found)")
        session.close()
        await host.stop()
    }

    @Test("a host that sends a gigabyte where an answer was asked for is left, in bounded memory")
    func gigabyte() async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519])
        let session = try await host.open(.password("root", host.root.password))
        let before = residentBytes()
        let found = try await fault {
            _ = try session.run(SSHCommand("head -c 1073741824 /dev/zero", limit: .seconds(60)))
        }
        #expect(found.kind == .tooMuchOutput && found.sent)
        #expect(residentBytes() - before < 64 << 20)
        session.close()
        await host.stop()
    }
}
