import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Linux verification", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxVerificationTests {
    @Test("a host that lets in without a secret, or with any, proves nothing")
    func acceptsAnything() async throws {
        let host = try await TestHost.start(
            users: [.init("alice", password: "alice-pass"), .init("open")], hostKeys: [.ed25519],
            settings: ["PermitEmptyPasswords yes"], setUp: "passwd -d open")
        let fixture = LinuxFixture(host)
        #expect(try await fixture.verify(LinuxFixture.password("open", "whatever")).isUnverifiable)
        #expect(fixture.guesses.count == 0)
        #expect(
            try await fixture.work {
                try $0.compare(ChangeRequest(username: "open", secretType: .password), with: LinuxFixture.secret("whatever"))
            } == .unknown)

        try await host.expect("sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/sshd")
        #expect(try await fixture.verify(LinuxFixture.password("alice", "alice-pass")).isUnverifiable)
        #expect(try await fixture.verify(LinuxFixture.password("alice", "wrong")).isUnverifiable)
        #expect(fixture.guesses.count == 2)

        try await host.expect("sed -i '1d' /etc/pam.d/sshd")
        #expect(try await fixture.verify(LinuxFixture.password("alice", "alice-pass")) == .proven)
        #expect(try await fixture.verify(LinuxFixture.password("alice", "wrong")).isRejected)
        #expect(fixture.guesses.count == 3)
        await host.stop()
    }

    @Test("without leave to guess, a host that was not seen to refuse anything proves nothing")
    func mayNotGuess() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "alice-pass")], hostKeys: [.ed25519])
        var fixture = LinuxFixture(host)
        fixture.mayGuess = false
        #expect(try await fixture.verify(LinuxFixture.password("alice", "alice-pass")).isUnverifiable)
        #expect(try await fixture.verify(LinuxFixture.password("alice", "wrong")).isRejected)
        await host.stop()
    }

    @Test("an account that is expired, or whose password is, is locked out and not wrong")
    func lockedOut() async throws {
        let host = try await TestHost.start(
            users: [.init("late", password: "late-pass"), .init("old", password: "old-pass")], hostKeys: [.ed25519],
            setUp: "usermod --expiredate 2001-01-01 late; chage -d 0 old")
        let fixture = LinuxFixture(host)
        for (name, password) in [("late", "late-pass"), ("old", "old-pass")] {
            let verdict = try await fixture.verify(LinuxFixture.password(name, password))
            #expect(verdict != Verdict.proven && !verdict.isRejected, "\(name): \(verdict)")
        }
        await host.stop()
    }

    @Test("su proves a password from another account, and never from root, from itself or where it asks for none")
    func su() async throws {
        let host = try await TestHost.start(
            users: [
                .init("helper", password: "helper-pass"), .init("alice", password: "alice pass'$"),
                .init("late", password: "late-pass"),
                .init("none", password: "none-pass", arguments: ["--shell", "/usr/sbin/nologin"]),
            ], hostKeys: [.ed25519], settings: ["DenyUsers alice"], setUp: "usermod --expiredate 2001-01-01 late")
        let fixture = LinuxFixture(host)
        let helper = VerificationPlan.su(from: LinuxFixture.password("helper", "helper-pass"))
        func verify(_ name: String, _ password: String, _ plan: VerificationPlan) async throws -> Verdict {
            try await fixture.verify(LinuxFixture.password(name, password), by: plan)
        }
        #expect(try await verify("alice", "alice pass'$", .direct) != .proven)
        #expect(try await verify("alice", "alice pass'$", helper) == .proven)
        #expect(try await verify("alice", "wrong", helper).isRejected)
        #expect(try await verify("late", "late-pass", helper).isLockedOut)
        #expect(try await verify("none", "none-pass", helper).isLockedOut)
        #expect(try await verify("nobody-here", "x", helper) != .proven)
        let root = VerificationPlan.su(from: LinuxFixture.password("root", host.root.password))
        #expect(try await verify("alice", "alice pass'$", root).isUnverifiable)
        #expect(try await verify("helper", "helper-pass", helper).isUnverifiable)
        let fault = await LinuxFixture.fault {
            try await verify("alice", "x", .su(from: LinuxFixture.password("helper", "wrong")))
        }
        #expect(fault?.kind == .loginRejected)

        try await host.expect("sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/su")
        #expect(try await verify("alice", "alice pass'$", helper).isUnverifiable)
        #expect(try await verify("alice", "wrong", helper).isUnverifiable)
        await host.stop()
    }

    @Test("a changed host key stops everything before a secret is sent")
    func hostKey() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "alice-pass")], hostKeys: [.ed25519])
        let fixture = LinuxFixture(host)
        let new = try await host.changeHostKey()
        let verifying = await LinuxFixture.fault { try await fixture.verify(LinuxFixture.password("alice", "alice-pass")) }
        let opening = await LinuxFixture.fault { try await fixture.work { _ in } }
        for fault in [verifying, opening] {
            #expect(fault?.kind == .hostKeyChanged(seen: new) && fault?.effect == ConnectorFault.Effect.none)
        }
        await host.stop()
    }
}
