import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Hostile Linux hosts", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxHostileTests {
    /// Puts a program of ours in the place of one of the host's; the host's own stays as `/run/real/NAME`.
    static func replace(_ path: String, _ script: String, on host: TestHost) async throws {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        try await host.expect(
            "mkdir -p /run/real /run/fake; [ -e /run/real/\(name) ] || cp -p \(path) /run/real/\(name); "
                + "cat > /run/fake/\(name); chmod 755 /run/fake/\(name); mountpoint -q \(path) || mount --bind /run/fake/\(name) \(path)",
            input: Array(script.utf8))
    }

    @Test("a chpasswd that lies about success is found out by login and by the stored hash")
    func lies() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "old-secret")], hostKeys: [.ed25519])
        let fixture = LinuxFixture(host)
        try await Self.replace("/usr/sbin/chpasswd", "#!/bin/sh\ncat >/dev/null\nexit 0\n", on: host)
        try await fixture.install("alice", "new-secret")
        #expect(try await fixture.verify(LinuxFixture.password("alice", "new-secret")).isRejected)
        let match = try await fixture.work {
            try $0.compare(ChangeRequest(username: "alice", secretType: .password), with: LinuxFixture.secret("new-secret"))
        }
        #expect(match == .different)

        // The other way round: it says no and does it all the same.
        try await Self.replace("/usr/sbin/chpasswd", "#!/bin/sh\n/run/real/chpasswd\necho 'BAD PASSWORD: no'\nexit 1\n", on: host)
        let fault = await LinuxFixture.fault { try await fixture.install("alice", "newer-secret") }
        guard case .refusedByPolicy = fault?.kind else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(fault?.effect == .unknown)
        await host.stop()
    }

    @Test("a password that the target sends back is in no word of a fault, whole, in part or folded into lines")
    func echoes() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "old-secret")], hostKeys: [.ed25519])
        let fixture = LinuxFixture(host)
        let password = "correcthorsebatterystaple"
        for script in [
            "cat; exit 1", "cut -c 1-20; exit 1", "cat >&2; printf '\\033[31mBAD PASSWORD'; exit 1",
            "sed 's/^alice:.../BAD PASSWORD: /'; exit 3",
        ] {
            try await Self.replace("/usr/sbin/chpasswd", "#!/bin/sh\n\(script)\n", on: host)
            let fault = try #require(await LinuxFixture.fault { try await fixture.install("alice", password) })
            let told = "\(fault)"
            for start in 0...(password.count - 8) {
                let part = String(password.dropFirst(start).prefix(8))
                #expect(!told.contains(part), "\(script): \(told)")
            }
            #expect(fault.words.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
        await host.stop()
    }

    @Test("no secret stands on a command line, in an environment or in a file while it is set")
    func unseen() async throws {
        let host = try await TestHost.start(
            users: [.init("alice"), .init("asked", sudo: .withPassword), .init("plain")], hostKeys: [.ed25519])
        // Not by the host's own script, whose passwords everybody sees.
        try await host.expect("chpasswd", input: Array("asked:askedpassword\nplain:plainpassword\nroot:rootpassword".utf8))
        let fixture = LinuxFixture(host)
        try await Self.replace(
            "/usr/sbin/chpasswd",
            """
            #!/bin/sh
            for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; tr '\\0' ' ' < $p/environ; echo; done >> /run/seen 2>/dev/null
            exec /run/real/chpasswd

            """, on: host)
        let root = LinuxFixture.password("root", "rootpassword")
        let workers = [
            Worker(credential: root), Worker(credential: LinuxFixture.password("asked", "askedpassword"), power: .sudo),
            Worker(credential: LinuxFixture.password("plain", "plainpassword"), power: .su(root)),
        ]
        for worker in workers { try await fixture.install("alice", "plantedsecretvalue", as: worker) }
        #expect(try await fixture.verify(LinuxFixture.password("alice", "plantedsecretvalue")) == .proven)
        let seen = try await host.expect("cat /run/seen")
        let hasLooked = seen.contains("chpasswd") && seen.contains("sudo")
        #expect(hasLooked)
        for secret in ["plantedsecretvalue", "askedpassword", "plainpassword", "rootpassword"] {
            let isSeen = seen.contains(secret)
            #expect(!isSeen, "\(secret)")
        }
        #expect(
            try await host.expect("grep -rlsa -D skip plantedsecretvalue /etc /home /root /tmp /var /run 2>/dev/null; exit 0")
                .isEmpty)
        await host.stop()
    }

    @Test("a sudo that asks in another way than it was told is not given the password")
    func strangeSudo() async throws {
        let host = try await TestHost.start(
            users: [.init("worker", password: "workerpassword", sudo: .withPassword)], hostKeys: [.ed25519])
        var fixture = LinuxFixture(host)
        fixture.stepLimit = .seconds(6)
        try await Self.replace(
            "/usr/bin/sudo",
            """
            #!/bin/bash
            case " $* " in *' -n '*) exit 1;; esac
            printf 'Please type your password now: '
            read -r -t 30 line; echo "got $line" >> /tmp/got
            exit 1

            """, on: host)
        let worker = Worker(credential: LinuxFixture.password("worker", "workerpassword"), power: .sudo)
        let fault = try #require(await LinuxFixture.fault { try await fixture.work(as: worker) { _ in } })
        #expect([ConnectorFault.Kind.timedOut, .notPermitted].contains(fault.kind) && fault.effect == ConnectorFault.Effect.none)
        #expect(!(try await host.shell("cat /tmp/got").text.contains("workerpassword")))
        await host.stop()
    }

    @Test("a sudo that stops asking in the middle does not get its password read by the command instead")
    func sudoStopsAsking() async throws {
        let host = try await TestHost.start(
            users: [.init("worker", password: "workerpassword", sudo: .withPassword), .init("alice", password: "old-secret")],
            hostKeys: [.ed25519])
        // The prompt that is waited for never comes.
        var limited = LinuxFixture(host)
        limited.stepLimit = .seconds(8)
        let fixture = limited
        let worker = Worker(credential: LinuxFixture.password("worker", "workerpassword"), power: .sudo)
        let program = host.program
        let fault: ConnectorFault? = try await onOwnThread { () -> ConnectorFault? in
            guard let session = try fixture.connector.open(fixture.target, as: worker) as? LinuxSession else {
                throw LinuxFixture.Unexpected()
            }
            defer { session.close() }
            _ = try program("echo 'worker ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/zz")
            do {
                try session.install(
                    ChangeRequest(username: "alice", secretType: .password), secret: LinuxFixture.secret("new-secret"))
                return nil
            } catch {
                return error as? ConnectorFault
            }
        }
        // Whatever came of it, the worker's password is not alice's, and alice has the one or the other.
        #expect(try await fixture.verify(LinuxFixture.password("alice", "workerpassword")).isRejected)
        let (new, old) = (
            try await fixture.verify(LinuxFixture.password("alice", "new-secret")),
            try await fixture.verify(LinuxFixture.password("alice", "old-secret"))
        )
        #expect((new == .proven) == (fault == nil))
        #expect((new == .proven) != (old == .proven))
        await host.stop()
    }

    @Test("answers that make no sense, or far too much, are a fault and never an account")
    func nonsense() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "old-secret")], hostKeys: [.ed25519])
        var fixture = LinuxFixture(host)
        fixture.stepLimit = .seconds(8)
        for script in [
            "exit 1", "echo alice:x:-1:0::/:/", "echo bob:x:1000:1000::/home/bob:/bin/sh", "echo a:b", "yes",
            "head -c 3000000 /dev/zero", "kill -9 $PPID",
        ] {
            try await Self.replace("/usr/bin/getent", "#!/bin/sh\n\(script)\n", on: host)
            do {
                let found = try await fixture.work { try $0.find("alice") }
                #expect(found == nil, "\(script)")
            } catch let fault as ConnectorFault {
                #expect(fault.effect == ConnectorFault.Effect.none && fault.words.count <= 500, "\(script)")
            }
        }
        await host.stop()
    }
}

extension TestHost {
    /// Runs a command in the host from a thread of its own, and gives its output.
    var program: @Sendable (String) throws -> String {
        let process = firstProcess
        return { command in
            try ExternalProgram.run("nsenter", ["--target", "\(process)", "--mount", "--pid", "bash", "-c", command]).text
        }
    }
}
