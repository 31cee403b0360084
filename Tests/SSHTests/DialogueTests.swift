import Cryptography
import SSH
import TestSupport
import Testing

/// Both ways of speaking SSH.
enum Way: String, CaseIterable, Sendable { case library, program }

@Suite("SSH dialogues", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct DialogueTests {
    static func start(_ way: Way) async throws -> (TestHost, SSHSession) {
        let key = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        let host = try await TestHost.start(users: [
            .init("worker", password: "work horse", sudo: .withPassword, keys: [key.publicKey]), .init("bob", password: "old"),
        ])
        return (host, try await host.open(.key("worker", key.privateKey)))
    }

    static func talk(_ session: SSHSession, _ dialogue: SSHDialogue) async throws -> SSHDialogueResult {
        try await onOwnThread { try session.dialogue(dialogue) }
    }

    @Test("sudo asks on a terminal, is answered, and what it runs is fed after that", arguments: Way.allCases)
    func sudo(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let line = "sudo -k; sudo -S -p 'ask-7f3:' sh -c 'printf feed-7f3; chpasswd && echo done-7f3'"
        let done = try await Self.talk(
            session,
            SSHDialogue(
                line.replacing(" -S", with: ""),
                steps: [
                    .init(prompt: "ask-7f3:", answer: [.secretText("work horse"), .text("\n")]),
                    .init(prompt: "feed-7f3", answer: [.text("bob:"), .secretText("new pass"), .text("\n\u{4}")]),
                ]))
        #expect(done.answered == 2)
        #expect(!done.wasAskedAgain)
        #expect(done.result.status == 0)
        #expect(done.result.text.contains("done-7f3"))
        // The terminal echoed neither secret.
        #expect(!done.result.text.contains("work horse"))
        #expect(!done.result.text.contains("new pass"))
        #expect(try await host.open(.password("bob", "new pass")).authenticatedBy == "password")
        await host.stop()
    }

    @Test("a wrong password is asked for again, and not answered again", arguments: Way.allCases)
    func wrong(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let done = try await Self.talk(
            session,
            SSHDialogue(
                "sudo -k; sudo -p 'ask-7f3:' id", steps: [.init(prompt: "ask-7f3:", answer: [.secretText("wrong"), .text("\n")])])
        )
        #expect(done.answered == 1)
        #expect(done.wasAskedAgain)
        // The session goes on.
        #expect(try await session.result("echo on").text == "on\n")
        await host.stop()
    }

    @Test(
        "a question that is none of those that are answered ends the dialogue, and so does one that comes again before the next")
    func foreign() async throws {
        let (host, session) = try await Self.start(.library)
        let steps = [
            SSHDialogue.Step(prompt: "a ask-7f3:", answer: [.secretText("one"), .text("\n")]),
            SSHDialogue.Step(prompt: "next-7f3", answer: [.text("two\n")]),
        ]
        for (line, answered) in [("printf 'b ask-7f3:'; cat", 0), ("printf 'a ask-7f3:'; read x; printf 'a ask-7f3:'; cat", 1)] {
            let done = try await Self.talk(session, SSHDialogue(line, steps: steps, breakingOffAt: " ask-7f3:"))
            #expect(done.answered == answered && done.wasAskedAgain == (answered > 0), "\(line)")
        }
        let whole = try await Self.talk(
            session,
            SSHDialogue(
                "printf 'a ask-7f3:'; read x; printf next-7f3; read y; echo \"$y!\"", steps: steps, breakingOffAt: " ask-7f3:"))
        #expect(whole.answered == 2 && !whole.wasAskedAgain && whole.result.text.contains("two!"))
        await host.stop()
    }

    @Test("su asks for the other account's password", arguments: Way.allCases)
    func su(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let good = try await Self.talk(
            session,
            SSHDialogue("LC_ALL=C su -c id bob", steps: [.init(prompt: "Password: ", answer: [.secretText("old"), .text("\n")])]))
        #expect(good.answered == 1)
        #expect(good.result.status == 0)
        #expect(good.result.text.contains("(bob)"))
        let bad = try await Self.talk(
            session,
            SSHDialogue("LC_ALL=C su -c id bob", steps: [.init(prompt: "Password: ", answer: [.secretText("no"), .text("\n")])]))
        #expect(bad.result.status == 1)
        #expect(bad.result.text.contains("Authentication failure"))
        await host.stop()
    }

    @Test(
        "a command that does not ask ends without an answer, and one that asks something else runs out of time",
        arguments: Way.allCases)
    func unasked(way: Way) async throws {
        let (host, session) = try await Self.start(way)
        let step = SSHDialogue.Step(prompt: "ask-7f3:", answer: [.secretText("secret"), .text("\n")])
        let done = try await Self.talk(session, SSHDialogue("echo nothing; exit 4", steps: [step]))
        #expect(done.answered == 0)
        #expect(done.result.status == 4)
        #expect(done.result.text == "nothing\n")
        let late = try await fault {
            _ = try session.dialogue(SSHDialogue("printf Password:; cat", steps: [step], limit: .seconds(3)))
        }
        #expect(late.kind == .timedOut)
        #expect(late.sent)
        await host.stop()
    }
}
