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
        private let before: @Sendable () -> Void

        init(_ answer: Admission.Answer = .granted, _ before: @escaping @Sendable () -> Void = {}) {
            self.answer = answer
            self.before = before
        }

        var heard: [Admission.End] { ends.withLock { $0 } }
        /// Whether each that was begun has ended.
        var isQuiet: Bool { begun.withLock { $0 } == heard.count }

        func login(_ username: String, _ password: String) -> TargetLogin {
            TargetLogin(
                username: username, secretType: .password, secret: LinuxFixture.secret(password),
                admission: Admission(
                    begin: {
                        self.before()
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

    @Test(
        "each password that sudo is sent is asked for; a refused one is sent once, and one that it asks of another account never")
    func sudo() async throws {
        let host = try await TestHost.start(
            users: [
                .init("asked", password: "asked-pass", sudo: .withPassword),
                .init("rooted", password: "rooted-pass", sudo: .withPassword), .init("plain", password: "plain-pass"),
                .init("alice", password: "alice-pass"),
            ], hostKeys: [.ed25519], setUp: "echo 'Defaults:rooted rootpw' >> /etc/sudoers.d/tests")
        let fixture = LinuxFixture(host)
        let (asked, rooted, plain) = (Ear(), Ear(), Ear())
        let faults = Mutex<[ConnectorFault]>([])
        try await fixture.work(as: Worker(credential: asked.login("asked", "asked-pass"), power: .sudo)) { session in
            _ = try session.find("alice")
            #expect(asked.heard.count > 2 && asked.heard.allSatisfy { $0 == .accepted } && asked.isQuiet)
            // From here on what the session knows is wrong.
            let request = ChangeRequest(username: "asked", secretType: .password)
            try session.prepare(request)
            try? session.install(request, secret: LinuxFixture.secret("another-pass"))
            for _ in 0..<3 {
                do throws(ConnectorFault) { _ = try session.find("alice") } catch { faults.withLock { $0.append(error) } }
            }
        }
        #expect(asked.heard.filter { $0 == .rejected }.count == 1 && asked.heard.last == .rejected && asked.isQuiet)
        #expect(faults.withLock { $0.map(\.kind) } == [.notPermitted, .notPermitted, .notPermitted])
        #expect(faults.withLock { $0.last?.words.contains("not sent again") } == true)

        let other = await LinuxFixture.fault {
            try await fixture.work(as: Worker(credential: rooted.login("rooted", "rooted-pass"), power: .sudo)) { _ in }
        }
        #expect(
            other?.kind == .notPermitted && other?.words.contains("another account, root,") == true,
            "\(String(describing: other))")
        #expect(rooted.heard == [.accepted, .notMade])

        // That it may do nothing says nothing of its password.
        let none = await LinuxFixture.fault {
            try await fixture.work(as: Worker(credential: plain.login("plain", "plain-pass"), power: .sudo)) { _ in }
        }
        #expect(none?.kind == .notPermitted && plain.heard == [.accepted, .accepted], "\(plain.heard)")
        await host.stop()
    }

    @Test("a connection that ends before the secret was sent is no login, and one that ends after is one without an answer")
    func cut() async throws {
        let host = try await TestHost.start(
            users: [.init("alice", password: "alice-pass")], hostKeys: [.ed25519],
            setUp: "printf '#!/bin/sh\\nkill -9 $PPID\\n' > /etc/die; chmod 755 /etc/die")
        let fixture = LinuxFixture(host)
        let proxy = try CuttingProxy(to: UInt16(host.port))
        let target = Target(
            asset: LinuxFixture.asset, type: "linux", address: "127.0.0.1", port: Int(proxy.port),
            hostKeys: HostKeyPin(policy: .strict, fingerprints: [host.hostKey]), stepLimit: .seconds(60))
        func open(_ ear: Ear) async -> ConnectorFault? {
            let worker = Worker(credential: ear.login("alice", "alice-pass"), power: .own)
            return await LinuxFixture.fault {
                try await onOwnThread { _ = try fixture.connector.open(target, as: worker) }
            }
        }
        let (early, late) = (Ear(.granted) { proxy.close() }, Ear())
        #expect(await open(early)?.kind == .cut)
        #expect(early.heard == [.notMade])
        proxy.reopen()
        // The host's side of the connection dies while it looks at the password.
        try await host.expect("sed -i '1i auth requisite pam_exec.so quiet /etc/die' /etc/pam.d/sshd")
        #expect(await open(late)?.kind == .cut)
        #expect(late.heard == [.unclear])
        await host.stop()
    }
}
