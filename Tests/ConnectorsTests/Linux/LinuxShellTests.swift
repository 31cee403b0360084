import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

/// What hears the scripts on a host goes wrong itself.
@Suite(
    "Shells of Linux hosts", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxShellTests {
    private static func workers(_ host: TestHost, _ names: [String]) -> [Worker] {
        let root = LinuxFixture.password("root", host.root.password)
        let ways: [Worker.Power] = [.own, .sudo, .sudo, .sudo, .su(root)]
        return zip(names, ways).map { name, power in
            Worker(credential: name == "root" ? root : LinuxFixture.password(name, "\(name)-pass"), power: power)
        }
    }

    private static let names = ["root", "free", "asked", "onscreen", "plain"]

    /// A worker for each way to root's power, and `alice`.
    private static func host(_ settings: [String] = [], setUp: String = "") async throws -> TestHost {
        try await TestHost.start(
            users: [
                .init("free", password: "free-pass", sudo: .withoutPassword),
                .init("asked", password: "asked-pass", sudo: .withPassword),
                .init("onscreen", password: "onscreen-pass", sudo: .withoutPassword), .init("plain", password: "plain-pass"),
                .init("alice", password: "before"),
            ], hostKeys: [.ed25519], settings: settings,
            setUp: "echo 'Defaults:onscreen requiretty' >> /etc/sudoers.d/tests; \(setUp)")
    }

    @Test("where a host allows one session at a time, all ways to root's power work, and su proves passwords")
    func oneSession() async throws {
        let host = try await Self.host(["MaxSessions 1"])
        let fixture = LinuxFixture(host)
        for worker in Self.workers(host, Self.names) {
            let name = worker.credential.username
            let key = try SSHKeyPair.generate(.ed25519)
            let match = try await fixture.work(as: worker) { session in
                let request = ChangeRequest(username: "alice", secretType: .password)
                _ = try session.find("alice")
                try session.prepare(request)
                try session.install(request, secret: LinuxFixture.secret("pass of \(name)"))
                let keys = ChangeRequest(username: "alice", secretType: .sshKey)
                try session.prepare(keys)
                try session.install(keys, secret: LinuxFixture.privateKey(key))
                return try session.compare(request, with: LinuxFixture.secret("pass of \(name)"))
            }
            #expect(match == .same, "\(name)")
            #expect(try await fixture.verify(LinuxFixture.key("alice", key)) == .proven, "\(name)")
        }
        let plan = VerificationPlan.su(from: LinuxFixture.password("plain", "plain-pass"))
        #expect(try await fixture.verify(LinuxFixture.password("alice", "pass of plain"), by: plan) == .proven)
        await host.stop()
    }

    @Test("a shell that was killed while nobody talked to it is started anew, and one killed at work leaves a doubt")
    func killed() async throws {
        let host = try await Self.host()
        let fixture = LinuxFixture(host)
        let program = host.program
        for worker in Self.workers(host, Array(Self.names.prefix(2))) {
            let name = worker.credential.username
            let fault = try await fixture.work(as: worker) { session -> ConnectorFault? in
                _ = try session.find("alice")
                _ = try program("pkill -9 -x sh; sleep 4")
                guard try session.find("alice") != nil else { throw LinuxFixture.Unexpected() }
                let request = ChangeRequest(username: "alice", secretType: .password)
                try session.prepare(request)
                _ = try program("pkill -9 -x sh; sleep 4")
                try session.install(request, secret: LinuxFixture.secret("after \(name)"))
                do {
                    _ = try session.shell.run("kill -9 $$; sleep 1", changes: true)
                    return nil
                } catch {
                    return error as? ConnectorFault
                }
            }
            #expect(fault?.effect == .unknown, "\(name): \(String(describing: fault))")
            #expect(try await fixture.verify(LinuxFixture.password("alice", "after \(name)")) == .proven, "\(name)")
        }
        await host.stop()
    }

    @Test("what hands over the input dies: it is not known whether the password was set, and it was not")
    func deadReader() async throws {
        // A shell in which whatever reads a line is killed for it, once there is something to read: what was never sent is no doubt.
        let shell = """
            { echo 'read() { /bin/dd bs=1 count=1 of=/dev/null 2>/dev/null; /bin/sh -c "/bin/kill -9 \\$PPID"; }'; exec cat; } | exec /bin/dash
            """
        let host = try await Self.host(
            setUp: """
                mkdir -p /run/shell; cat > /run/shell/sh <<'END'
                #!/bin/bash
                \(shell)
                END
                chmod 755 /run/shell/sh
                """)
        let fixture = LinuxFixture(host)
        // Taken by sshd for the sessions to come.
        try await host.expect("echo 'PATH=/run/shell:/usr/sbin:/usr/bin:/sbin:/bin' > /etc/environment")
        let lost = await LinuxFixture.fault { try await fixture.install("alice", "never-set") }
        #expect(lost?.kind == .brokenProtocol && lost?.effect == .unknown, "\(String(describing: lost))")
        #expect(lost?.words.contains("hand over") == true)
        #expect(try await fixture.verify(LinuxFixture.password("alice", "before")) == .proven)
        await host.stop()
    }

    @Test("what runs as another account has neither the worker's pipes nor its terminal")
    func apart() async throws {
        let host = try await Self.host()
        let fixture = LinuxFixture(host)
        // The account reads and writes its keys by programs that look at what they were given.
        for name in ["base64", "mktemp"] {
            try await LinuxHostileTests.replace(
                "/usr/bin/\(name)",
                """
                #!/bin/bash
                me=$(id -un)
                echo "$me" >> "/tmp/seen-$me"
                ls -l /proc/$$/fd >> "/tmp/seen-$me"
                (: < /dev/tty) 2>/dev/null && echo 'a terminal' >> "/tmp/seen-$me"
                exec /run/real/\(name) "$@"

                """, on: host)
        }
        for worker in Self.workers(host, Self.names) {
            let key = try SSHKeyPair.generate(.ed25519)
            try await fixture.work(as: worker) { session in
                let keys = ChangeRequest(username: "alice", secretType: .sshKey)
                try session.prepare(keys)
                try session.install(keys, secret: LinuxFixture.privateKey(key))
                try session.install(keys, secret: LinuxFixture.privateKey(key))
            }
            #expect(try await fixture.verify(LinuxFixture.key("alice", key)) == .proven)
        }
        let seen = try await host.expect("cat /tmp/seen-alice; rm -f /tmp/seen-alice")
        #expect(seen.split(separator: "\n").count(where: { $0 == "alice" }) >= 15, "\(seen)")
        for word in ["socket:", "/dev/pts", "a terminal", " 3 ->", " 4 ->"] { #expect(!seen.contains(word), "\(word): \(seen)") }
        await host.stop()
    }
}
