import Domain
import Synchronization
import TestSupport
import Testing

@testable import Connectors

@Suite("Counted logins on a host", .enabled(if: TestHost.obstacle == nil, "needs a host of its own"))
struct CountedLoginTests {
    /// Hears of each login with a credential.
    private final class Ear: Sendable {
        private let ends = Mutex<[Admission.End]>([])
        private let begun = Mutex(0)
        let answer: Admission.Answer

        init(_ answer: Admission.Answer = .granted) { self.answer = answer }

        var heard: [Admission.End] { ends.withLock { $0 } }
        /// Whether each that was begun has ended.
        var isQuiet: Bool { begun.withLock { $0 } == heard.count }

        func login(_ username: String, _ password: String) -> TargetLogin {
            TargetLogin(
                username: username, secretType: .password, secret: LinuxFixture.secret(password),
                admission: Admission(
                    begin: {
                        if self.answer == .granted { self.begun.withLock { $0 += 1 } }
                        return self.answer
                    }, end: { end in self.ends.withLock { $0.append(end) } }))
        }
    }

    @Test("a worker's login, each su to root and the login that su comes from are asked for, and their ends are told")
    func all() async throws {
        let host = try await TestHost.start(
            users: [.init("plain", password: "plain-pass"), .init("alice", password: "alice-pass")], hostKeys: [.ed25519])
        let fixture = LinuxFixture(host)
        func open(_ login: TargetLogin, _ power: Worker.Power = .own) async -> ConnectorFault? {
            await LinuxFixture.fault {
                try await fixture.work(as: Worker(credential: login, power: power)) { _ = try $0.find("alice") }
            }
        }
        let (worker, wrong, spent, busy) = (
            Ear(), Ear(), Ear(.spent(words: "until tomorrow")), Ear(.notNow(words: "others are"))
        )
        #expect(await open(worker.login("root", host.root.password)) == nil && worker.heard == [.accepted])
        #expect(await open(wrong.login("root", "no"))?.kind == .loginRejected)
        #expect(wrong.heard == [.rejected])
        let none = await open(spent.login("root", "no"))
        #expect(none?.kind == .loginsSpent && none?.words == "until tomorrow" && spent.heard.isEmpty)
        #expect(await open(busy.login("root", "no"))?.kind == .unreachable)

        let (plain, root, wrongRoot) = (Ear(), Ear(), Ear())
        #expect(await open(plain.login("plain", "plain-pass"), .su(root.login("root", host.root.password))) == nil)
        #expect(plain.heard == [.accepted] && !root.heard.isEmpty && root.heard.allSatisfy { $0 == .accepted } && root.isQuiet)
        #expect(await open(plain.login("plain", "plain-pass"), .su(wrongRoot.login("root", "no")))?.kind == .notPermitted)
        #expect(wrongRoot.heard == [.rejected] && wrongRoot.isQuiet)
        #expect(await open(plain.login("plain", "plain-pass"), .su(spent.login("root", "no")))?.kind == .loginsSpent)
        #expect(spent.heard.isEmpty)

        let (source, wrongSource) = (Ear(), Ear())
        let alice = LinuxFixture.password("alice", "alice-pass")
        #expect(try await fixture.verify(alice, by: .su(from: source.login("plain", "plain-pass"))) == .proven)
        #expect(source.heard == [.accepted])
        let fault = await LinuxFixture.fault {
            try await fixture.verify(alice, by: .su(from: wrongSource.login("plain", "no")))
        }
        #expect(fault?.kind == .unreachable && wrongSource.heard == [.rejected])
        await host.stop()
    }
}
