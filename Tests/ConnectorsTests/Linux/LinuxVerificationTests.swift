import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Linux verification", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxVerificationTests {
    @Test("a host that lets in without a secret, or with any, proves nothing")
    func acceptsAnything() async throws {
        let empty = try await TestHost.start(
            users: [.init("open")], hostKeys: [.ed25519], settings: ["PermitEmptyPasswords yes"], setUp: "passwd -d open")
        let open = LinuxFixture(empty)
        #expect(try await open.verify(LinuxFixture.password("open", "whatever")).isUnverifiable)
        #expect(open.guesses.count == 0)
        let request = ChangeRequest(username: "open", secretType: .password)
        #expect(try await open.work { try $0.compare(request, with: LinuxFixture.secret("whatever")) } == .different)
        await empty.stop()

        let host = try await TestHost.start(
            users: [.init("alice", password: "alice-pass")], hostKeys: [.ed25519],
            setUp: "sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/sshd")
        let fixture = LinuxFixture(host)
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

    @Test("an expired account is neither proven nor wrong, and a password that must be changed is proven by being asked to")
    func lockedOut() async throws {
        let host = try await TestHost.start(
            users: [.init("late", password: "late-pass"), .init("old", password: "old-pass")], hostKeys: [.ed25519],
            setUp: "usermod --expiredate 2001-01-01 late; chage -d 0 old")
        let fixture = LinuxFixture(host)
        // sshd may just hang up on an expired account, which says nothing of the secret either.
        do {
            let verdict = try await fixture.verify(LinuxFixture.password("late", "late-pass"))
            #expect(verdict != Verdict.proven && !verdict.isRejected, "\(verdict)")
        } catch let fault as ConnectorFault {
            #expect(fault.kind == .cut || fault.kind == .lockedOut, "\(fault)")
        }
        #expect(try await fixture.verify(LinuxFixture.password("old", "old-pass")) == .proven)
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
        let late = try await verify("late", "late-pass", helper)
        #expect(late.isLockedOut, "\(late)")
        #expect(try await verify("none", "none-pass", helper).isLockedOut)
        #expect(try await verify("nobody-here", "x", helper) != .proven)
        let root = VerificationPlan.su(from: LinuxFixture.password("root", host.root.password))
        #expect(try await verify("alice", "alice pass'$", root).isUnverifiable)
        #expect(try await verify("helper", "helper-pass", helper).isUnverifiable)
        let fault = await LinuxFixture.fault {
            try await verify("alice", "x", .su(from: LinuxFixture.password("helper", "wrong")))
        }
        #expect(fault?.kind == .unreachable)
        #expect(fault?.words.contains("helper") == true, "\(String(describing: fault))")

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
