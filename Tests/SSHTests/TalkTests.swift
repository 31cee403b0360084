import Cryptography
import SSH
import TestSupport
import Testing

@Suite("SSH commands that stay", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct TalkTests {
    private static let shell = "exec sh"

    private func ask(
        _ session: SSHSession, _ line: String, steps: [SSHDialogue.Step] = [], limit: Duration = .seconds(120),
        outputLimit: Int = 1 << 20
    ) async throws -> SSHTalkResult {
        let talk = SSHTalk(line + "; echo the-'end'\n", steps: steps, until: "the-end", limit: limit, outputLimit: outputLimit)
        return try await onOwnThread { try session.talk(talk, to: Self.shell) }
    }

    private func text(_ result: SSHTalkResult) -> String { String(decoding: result.output, as: UTF8.self) }

    @Test("one process hears all that a session tells it, and other commands run beside it", arguments: Way.allCases)
    func stays(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        let first = try await ask(session, "kept=there; echo $$ >&2")
        #expect(text(first) == "the-end\n" && !first.hasEnded)
        let (one, other) = (try await ask(session, "echo $$ $kept"), try await session.result("echo $$ $kept"))
        #expect(text(one).hasSuffix(" there\nthe-end\n") && !other.text.contains("there"))
        #expect(text(try await ask(session, "echo $$ $kept")) == text(one))
        session.close()
        let gone = try await host.shell(
            "for i in $(seq 600); do pgrep -u worker -x sh >/dev/null || break; sleep 0.1; done; pgrep -u worker -x sh")
        #expect(gone.text.isEmpty, "\(gone.text)")
        await host.stop()
    }

    @Test("no answer is missed whenever it comes: each of many is there at once", arguments: Way.allCases)
    func isPrompt(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        for number in 0..<500 {
            // Pieces that come at their own times, on both streams.
            let told = try await ask(session, "echo a \(number); echo b >&2; ls / >/dev/null; printf c", limit: .seconds(60))
            #expect(text(told) == "a \(number)\ncthe-end\n")
        }
        await host.stop()
    }

    @Test("what it asks for is given when it asks, and is not taken for a line of the next talk", arguments: Way.allCases)
    func asks(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        for secret in ["first secret", "second ; exit 9"] {
            let step = SSHDialogue.Step(prompt: "well?", answer: [.secretText(secret), .text("\n")])
            let told = try await ask(session, "printf 'wel%s' 'l?'; sed -n -e 's/^/got /' -e p -e q; echo $?", steps: [step])
            #expect(text(told) == "well?got \(secret)\n0\nthe-end\n" && told.answered == 1)
        }
        await host.stop()
    }

    @Test("one that ends is said to have ended, and the next talk is to a new one", arguments: Way.allCases)
    func ends(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        _ = try await ask(session, "kept=there")
        let ended = try await ask(session, "echo last; exit 3")
        #expect(ended.hasEnded && text(ended) == "last\n")
        #expect(text(try await ask(session, "echo \"<$kept>\"")) == "<>\nthe-end\n")
        await host.stop()
    }

    @Test("after one that hung or said too much, nothing of it comes in the answer to another", arguments: Way.allCases)
    func fails(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        let late = try await fault {
            _ = try session.talk(
                SSHTalk("sleep 6; echo late; echo the-'end'\n", until: "the-end", limit: .seconds(3)), to: Self.shell)
        }
        #expect(late.kind == .timedOut && late.sent)
        let much = try await fault {
            _ = try session.talk(SSHTalk("yes\n", until: "the-end", outputLimit: 100_000), to: Self.shell)
        }
        #expect(much.kind == .tooMuchOutput)
        #expect(text(try await ask(session, "sleep 5; echo new")) == "new\nthe-end\n")
        await host.stop()
    }

    @Test("a connection that is cut is a fault, and not a command that has ended", arguments: Way.allCases)
    func cut(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        let found = try await fault {
            _ = try session.talk(SSHTalk("kill -9 $PPID; sleep 1000\n", until: "the-end"), to: Self.shell)
        }
        #expect(found.kind == .cut && found.sent)
        await host.stop()
    }

    @Test("one that was killed while nobody talked to it is started anew", arguments: Way.allCases)
    func killed(way: Way) async throws {
        let (host, session) = try await CommandTests.start(way)
        let first = try await ask(session, "kept=there; echo $$")
        #expect(!first.wasStanding)
        try await host.expect("pkill -9 -u worker -x sh; sleep 4")
        let next = try await ask(session, "echo \"<$kept>\"")
        #expect(text(next) == "<>\nthe-end\n" && !next.hasEnded && !next.wasStanding)
        // What ends of what it was told is not told again.
        let ended = try await ask(session, "echo once >> ~/told; kill -9 $$")
        #expect(ended.hasEnded && ended.wasSent && ended.wasStanding)
        #expect(try await host.expect("cat ~worker/told") == "once\n")
        await host.stop()
    }

    @Test("where a host allows one session at a time, one that stays goes before another command", arguments: Way.allCases)
    func single(way: Way) async throws {
        let key = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        let host = try await TestHost.start(
            users: [.init("worker", keys: [key.publicKey])], settings: ["MaxSessions 1"])
        let session = try await host.open(.key("worker", key.privateKey))
        for number in 0..<3 {
            #expect(text(try await ask(session, "echo \(number)")) == "\(number)\nthe-end\n")
            #expect(try await session.result("echo beside").text == "beside\n")
            let asked = SSHDialogue(
                "printf 'wel%s' 'l?'; read -r line", steps: [.init(prompt: "well?", answer: [.text("yes\n")])])
            #expect(try await onOwnThread { try session.dialogue(asked) }.answered == 1)
        }
        await host.stop()
        let none = try await TestHost.start(users: [.init("worker", keys: [key.publicKey])], settings: ["MaxSessions 0"])
        let closed = try await none.open(.key("worker", key.privateKey))
        let refused = try await fault { _ = try closed.run(SSHCommand("true")) }
        #expect(refused.kind == .sessionRefused && !refused.sent)
        await none.stop()
    }
}
