import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Linux connector", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxConnectorTests {
    static let long = String(repeating: "long-name", count: 7) + "x"

    /// A 64-character name is more than useradd takes, so it is written down by hand.
    static let addLongName = """
        echo '\(long):x:4242:4242::/home/\(long):/bin/bash' >> /etc/passwd
        echo '\(long):!:19000:0:99999:7:::' >> /etc/shadow
        echo '\(long):x:4242:' >> /etc/group
        install -d -m 700 -o 4242 -g 4242 /home/\(long)
        """

    @Test("each way to root's power leads there, and a worker without one is told so before anything is changed")
    func powers() async throws {
        let host = try await TestHost.start(
            users: [
                .init("free", password: "free-pass", sudo: .withoutPassword),
                .init("asked", password: "asked-pass", sudo: .withPassword),
                .init("onscreen", password: "tty-pass", sudo: .withoutPassword), .init("plain", password: "plain-pass"),
                .init("alice", password: "before"),
            ], hostKeys: [.ed25519], setUp: "echo 'Defaults:onscreen requiretty' >> /etc/sudoers.d/tests")
        let fixture = LinuxFixture(host)
        let root = LinuxFixture.password("root", host.root.password)
        let ways: [(Worker, String)] = [
            (fixture.root, "root"), (Worker(credential: LinuxFixture.password("free", "free-pass"), power: .sudo), "free"),
            (Worker(credential: LinuxFixture.password("asked", "asked-pass"), power: .sudo), "asked"),
            (Worker(credential: LinuxFixture.password("onscreen", "tty-pass"), power: .sudo), "onscreen"),
            (Worker(credential: LinuxFixture.password("plain", "plain-pass"), power: .su(root)), "plain"),
        ]
        for (worker, name) in ways {
            let password = "Päss \(name) '\"$`\\ :%s"
            let key = try SSHKeyPair.generate(.ed25519)
            let seen = try await fixture.work(as: worker) { session -> [String] in
                let request = ChangeRequest(username: "alice", secretType: .password)
                try session.prepare(request)
                try session.install(request, secret: LinuxFixture.secret(password))
                let match = try session.compare(request, with: LinuxFixture.secret(password))
                let other = try session.compare(request, with: LinuxFixture.secret("before"))
                let keys = ChangeRequest(username: "alice", secretType: .sshKey)
                try session.prepare(keys)
                try session.install(keys, secret: LinuxFixture.privateKey(key))
                return [session.workerName, session.hostKey ?? "", match.rawValue, other.rawValue]
            }
            #expect(seen == [name, host.hostKey, "same", "different"])
            #expect(try await fixture.verify(LinuxFixture.password("alice", password)) == .proven, "\(name)")
            #expect(try await fixture.verify(LinuxFixture.password("alice", "before")).isRejected)
            #expect(try await fixture.verify(LinuxFixture.key("alice", key)) == .proven, "\(name)")
        }
        // One wrong login for passwords and one for keys, however many proofs.
        #expect(fixture.guesses.count == 2)

        let powerless: [(Worker, ConnectorFault.Kind)] = [
            (Worker(credential: LinuxFixture.password("plain", "plain-pass")), .notPermitted),
            (Worker(credential: LinuxFixture.password("plain", "plain-pass"), power: .sudo), .notPermitted),
            (
                Worker(credential: LinuxFixture.password("plain", "plain-pass"), power: .su(LinuxFixture.password("root", "no"))),
                .notPermitted
            ),
            (Worker(credential: LinuxFixture.password("plain", "wrong")), .loginRejected),
            (Worker(credential: LinuxFixture.password("nobody-here", "wrong")), .loginRejected),
        ]
        for (worker, kind) in powerless {
            let fault = await LinuxFixture.fault { try await fixture.work(as: worker) { _ in } }
            #expect(fault?.kind == kind && fault?.effect == ConnectorFault.Effect.none)
        }
        await host.stop()
    }

    @Test("hostile names get their own password and key, and nothing happens to anybody else")
    func hostileNames() async throws {
        let names = ["a;b", "$(touch pwned)", "it's", "two words", "root2\"", "*", Self.long]
        let host = try await TestHost.start(
            users: names.dropLast().map {
                .init($0, arguments: ["--badname", "--home-dir", "/home/u\($0.utf8.reduce(0) { $0 &* 31 &+ Int($1) })"])
            },
            hostKeys: [.ed25519], setUp: Self.addLongName)
        let fixture = LinuxFixture(host)
        let before = try await host.expect("getent shadow root; ls / /root /home | sort")
        for name in names {
            try await fixture.install(name, "password of \(name)")
            #expect(try await fixture.verify(LinuxFixture.password(name, "password of \(name)")) == .proven, "\(name)")
            let key = try SSHKeyPair.generate(.ed25519)
            let match = try await fixture.work { session in
                let request = ChangeRequest(username: name, secretType: .sshKey)
                try session.prepare(request)
                try session.install(request, secret: LinuxFixture.privateKey(key))
                return try session.compare(request, with: LinuxFixture.privateKey(key))
            }
            #expect(match == .same)
            #expect(try await fixture.verify(LinuxFixture.key(name, key)) == .proven, "\(name)")
        }
        #expect(try await host.expect("getent shadow root; ls / /root /home | sort") == before)
        // The C library of the host does not see a name that begins with a hyphen, even where passwd has it.
        try await host.expect("useradd --badname -M -- -rf")
        for name in ["-rf", "--help", "", "a:b", "a/b", "a\nb", "..", " x", "\u{7F}"] {
            #expect(try await fixture.work { try $0.find(name) } == nil)
            let fault = await LinuxFixture.fault { try await fixture.install(name, "x") }
            #expect(fault?.kind == .noSuchAccount)
        }
        await host.stop()
    }

    @Test("an account is found with what it is, and a number or a name that is not there finds nobody")
    func finds() async throws {
        let host = try await TestHost.start(
            users: [
                .init("alice", password: "x", arguments: ["--uid", "2000"]),
                .init("service", arguments: ["--system"]), .init("shut", password: "y"), .init("late", password: "z"),
            ], hostKeys: [.ed25519], setUp: "passwd -l shut; usermod --expiredate 2001-01-01 late; passwd -d service")
        let fixture = LinuxFixture(host)
        let found = try await fixture.work { session in
            try ["alice", "service", "root", "shut", "late", "nobody"].map { try session.find($0) }
        }
        #expect(found[0]?.username == "alice" && found[0]?.isSystem == false && found[0]?.isLocked == false)
        #expect(found[0]?.attributes["uid"] == "2000" && found[0]?.attributes["home"] == "/home/alice")
        #expect(found[0]?.attributes["shell"] == "/bin/bash")
        #expect(found[0]?.attributes["password"] == "set")
        #expect(found[1]?.isSystem == true && found[1]?.attributes["password"] == "empty")
        #expect(found[2]?.isSystem == true && found[5]?.isSystem == true)
        #expect(found[3]?.isLocked == true && found[4]?.isLocked == true)
        let missing = try await fixture.work { session in
            try ["0", "2000", "alic", "alice ", "ALICE"].map { try session.find($0) }
        }
        #expect(missing.allSatisfy { $0 == nil })
        await host.stop()
    }

    @Test("what the host's rules refuse is said before or after, with kind, date and words, and leaves the old password")
    func policies() async throws {
        let host = try await TestHost.start(
            users: [
                .init("young", password: "young-pass"), .init("shut", password: "shut-pass"),
                .init("alice", password: "alice-pass"),
            ],
            hostKeys: [.ed25519],
            setUp: """
                chage -m 5 young
                passwd -l shut
                printf '#!/bin/sh\\necho "BAD PASSWORD: it is too simplistic"; exit 1\\n' > /etc/refuse
                chmod 755 /etc/refuse
                """)
        let fixture = LinuxFixture(host)
        let young = await LinuxFixture.fault { try await fixture.install("young", "another-pass") }
        guard case .refusedByPolicy(let refusal) = young?.kind else {
            Issue.record("not refused: \(String(describing: young))")
            return
        }
        #expect(refusal.kind == .minimumAge)
        let days = (try #require(refusal.until).seconds - Timestamp.now.seconds) / 86_400
        #expect((3...5).contains(days))
        #expect(try await fixture.verify(LinuxFixture.password("young", "young-pass")) == .proven)
        try await fixture.work { session in
            try session.prepare(
                ChangeRequest(username: "young", secretType: .password, parameters: ["ignore_minimum_age": "true"]))
        }

        #expect(await LinuxFixture.fault { try await fixture.install("shut", "another-pass") }?.kind == .lockedOut)
        for bad in ["", "two\nlines", "tab\t", "nul\u{0}", String(repeating: "x", count: 501)] {
            let fault = await LinuxFixture.fault { try await fixture.install("alice", bad) }
            #expect(fault?.kind == .unsupported && fault?.effect == ConnectorFault.Effect.none)
        }

        try await host.expect("sed -i '1i password requisite pam_exec.so stdout /etc/refuse' /etc/pam.d/common-password")
        let simple = await LinuxFixture.fault { try await fixture.install("alice", "simple-pass") }
        guard case .refusedByPolicy(let quality) = simple?.kind else {
            Issue.record("not refused: \(String(describing: simple))")
            return
        }
        #expect(
            quality.kind == .quality && quality.words.contains("BAD PASSWORD") && simple?.effect == ConnectorFault.Effect.none)

        try await host.expect(
            "sed -i '1d' /etc/pam.d/common-password; mkdir -p /etc/security; touch /etc/security/opasswd; "
                + "sed -i '1i password required pam_pwhistory.so remember=5 enforce_for_root' /etc/pam.d/common-password; "
                + "sed -i 's/pam_unix.so obscure/pam_unix.so use_authtok obscure/' /etc/pam.d/common-password")
        try await fixture.install("alice", "first-history")
        try await fixture.install("alice", "second-history")
        let again = await LinuxFixture.fault { try await fixture.install("alice", "first-history") }
        guard case .refusedByPolicy(let history) = again?.kind else {
            Issue.record("not refused: \(String(describing: again))")
            return
        }
        #expect(history.kind == .history && again?.effect == ConnectorFault.Effect.none)
        #expect(try await fixture.verify(LinuxFixture.password("alice", "second-history")) == .proven)
        await host.stop()
    }
}
