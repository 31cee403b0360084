import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Linux accounts", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxAccountsTests {
    static func push(_ username: String, _ parameters: [String: String] = [:], type: SecretType = .password) -> AccountPush {
        AccountPush(request: ChangeRequest(username: username, secretType: type, parameters: parameters))
    }

    @Test("an account is created as asked, its sudo commands work, and what visudo or useradd do not take leaves nothing behind")
    func creates() async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519], setUp: "groupadd ops; groupadd web")
        let fixture = LinuxFixture(host)
        let parameters = [
            "shell": "/bin/sh", "home": "/home/special place", "group": "ops", "groups": "web,adm", "uid": "3456",
            "sudo": "/usr/bin/id, /bin/ls /root",
        ]
        let key = try SSHKeyPair.generate(.ed25519)
        try await fixture.work { session in
            try session.create(Self.push("new.one", parameters), secret: LinuxFixture.secret("New-one's-pass:1"))
            try session.create(Self.push("keyed", type: .sshKey), secret: LinuxFixture.privateKey(key))
        }
        #expect(try await fixture.verify(LinuxFixture.password("new.one", "New-one's-pass:1")) == .proven)
        #expect(try await fixture.verify(LinuxFixture.key("keyed", key)) == .proven)
        let passwd = try await host.expect(
            "getent passwd new.one; id -Gn new.one; stat -c '%U %a' /etc/sudoers.d/keyturn-new=2eone; su new.one -c 'sudo -n id -u'; ls -A /etc/sudoers.d | grep -c keyturn"
        )
        let lines = passwd.split(separator: "\n").map(String.init)
        #expect(lines[0] == "new.one:x:3456:\(lines[0].split(separator: ":")[3])::/home/special place:/bin/sh")
        #expect(Set(lines[1].split(separator: " ")) == ["ops", "web", "adm"])
        #expect(lines[2] == "root 440" && lines[3] == "0" && lines[4] == "1")
        #expect(try await host.shell("su new.one -c 'sudo -n cat /etc/shadow'").succeeded == false)

        let refused: [(String, [String: String], ConnectorFault.Kind)] = [
            ("new.one", [:], .forbidden), ("other", ["sudo": "this is = not ( sudoers"], .unsupported),
            ("other", ["sudo": "ALL\nroot ALL=(ALL) ALL"], .unsupported), ("other", ["sudo": "ALL \\"], .unsupported),
            ("ALL", ["sudo": "/bin/ls"], .unsupported), ("%wheel", ["sudo": "/bin/ls"], .unsupported),
            ("other", ["group": "no-such-group"], .unsupported), ("other", ["uid": "0"], .unsupported),
            ("other", ["uid": "3456"], .unsupported),
            ("other", ["home": "relative"], .unsupported), ("other", ["home": "/home/../etc"], .unsupported),
            ("other", ["shell": "/bin/sh:x"], .unsupported), ("other", ["groups": "a,,b"], .unsupported),
            ("-rf", [:], .unsupported),
            ("a:b", [:], .unsupported),
        ]
        for (name, parameters, kind) in refused {
            let fault = await LinuxFixture.fault {
                try await fixture.work { try $0.create(Self.push(name, parameters), secret: LinuxFixture.secret("x-pass-x")) }
            }
            #expect(
                fault?.kind == kind && fault?.effect == ConnectorFault.Effect.none,
                "\(name) \(parameters): \(String(describing: fault))")
            if name != "new.one" { #expect(try await host.shell("getent passwd -- '\(name)'").ending == .status(2)) }
        }
        #expect(try await host.expect("ls -A /etc/sudoers.d | grep keyturn") == "keyturn-new=2eone\n")

        try await fixture.work { session in
            try session.update(Self.push("new.one", ["shell": "/bin/bash", "groups": "games", "sudo": ""]))
        }
        let after = try await host.expect(
            "getent passwd new.one | cut -d: -f7; id -Gn new.one; ls -A /etc/sudoers.d | grep -c keyturn; exit 0")
        #expect(after.hasPrefix("/bin/bash\n") && after.contains("games") && after.contains("web") && after.hasSuffix("\n0\n"))
        #expect(try await fixture.verify(LinuxFixture.password("new.one", "New-one's-pass:1")) == .proven)
        await host.stop()
    }

    @Test(
        "a useradd that fails with the account there leaves a doubt, and what it left is made whole; one that did nothing leaves none"
    )
    func unfinished() async throws {
        let host = try await TestHost.start(hostKeys: [.ed25519])
        let fixture = LinuxFixture(host)
        let push = Self.push("half", ["sudo": "/usr/bin/id"])
        let create = { @Sendable () async -> ConnectorFault? in
            await LinuxFixture.fault {
                try await fixture.work { try $0.create(push, secret: LinuxFixture.secret("half-secret-1")) }
            }
        }
        try await LinuxHostileTests.replace(
            "/usr/sbin/useradd", "#!/bin/sh\necho 'cannot lock /etc/group; try again later.'\nexit 10\n", on: host)
        let nothing = await create()
        #expect(nothing?.kind == .unsupported && nothing?.effect == ConnectorFault.Effect.none, "\(String(describing: nothing))")
        // passwd was written, and then the disk was full: no group, no home.
        try await LinuxHostileTests.replace(
            "/usr/sbin/useradd",
            """
            #!/bin/bash
            /run/real/useradd "$@"
            sed -i '/^half:/d' /etc/group /etc/gshadow; rm -rf /home/half
            echo 'failure while writing changes to /etc/group'; exit 10

            """, on: host)
        let half = await create()
        #expect(half?.kind == .unsupported && half?.effect == .unknown, "\(String(describing: half))")
        let key = try SSHKeyPair.generate(.ed25519)
        try await fixture.work { session in
            for _ in 0..<2 { try session.complete(push) }
            try session.install(push.request, secret: LinuxFixture.secret("half-secret-1"))
            try session.install(ChangeRequest(username: "half", secretType: .sshKey), secret: LinuxFixture.privateKey(key))
        }
        #expect(try await fixture.verify(LinuxFixture.password("half", "half-secret-1")) == .proven)
        #expect(try await fixture.verify(LinuxFixture.key("half", key)) == .proven)
        let left = try await host.expect(
            "id -gn half; stat -c '%U %G %a' /home/half /home/half/.profile; su half -c 'sudo -n id -u'; ls /home | grep -c half")
        #expect(left.hasPrefix("half\nhalf half 700\nhalf half ") && left.hasSuffix("\n0\n1\n"), "\(left)")
        await host.stop()
    }

    @Test("an account is removed with its sudo commands and its home kept as root's; those that must stay stay")
    func removes() async throws {
        let host = try await TestHost.start(
            users: [
                .init("gone", password: "x"), .init("again", password: "x"), .init("service", arguments: ["--system"]),
                .init("worker", password: "work-pass", sudo: .withoutPassword), .init("etc", arguments: ["--home-dir", "/etc"]),
                .init("shared", arguments: ["--home-dir", "/home/common"]),
                .init("sharing", arguments: ["--home-dir", "/home/common/inner"]),
                .init("twin", arguments: ["--non-unique", "--uid", "0"]), .init("linked"), .init("foreign"), .init("homeless"),
                .init("busy"),
            ], hostKeys: [.ed25519],
            setUp: """
                echo 'gone ALL=(ALL) NOPASSWD: /bin/ls' > /etc/sudoers.d/keyturn-gone
                mkdir /home/again.bak
                rm -r /home/linked; ln -s /home/gone /home/linked
                chown root: /home/foreign
                rm -r /home/homeless
                echo 'busy ALL=(ALL) NOPASSWD: /bin/ls' > /etc/sudoers.d/keyturn-busy
                setsid su busy -c 'sleep 600' >/dev/null 2>&1 &
                """)
        let fixture = LinuxFixture(host)
        let worker = Worker(credential: LinuxFixture.password("worker", "work-pass"), power: .sudo)
        let kept = ["root", "service", "worker", "etc", "shared", "twin", "linked", "foreign"]
        for name in kept {
            let fault = await LinuxFixture.fault { try await fixture.work(as: worker) { try $0.remove(name, parameters: [:]) } }
            #expect(
                fault?.kind == .forbidden && fault?.effect == ConnectorFault.Effect.none, "\(name): \(String(describing: fault))")
        }
        let busy = await LinuxFixture.fault { try await fixture.work(as: worker) { try $0.remove("busy", parameters: [:]) } }
        #expect(busy?.kind == .notPermitted && busy?.effect == ConnectorFault.Effect.none)
        #expect(
            try await host.expect("stat -c %U /home/busy; cat /etc/sudoers.d/keyturn-busy; rm /etc/sudoers.d/keyturn-busy")
                == "busy\nbusy ALL=(ALL) NOPASSWD: /bin/ls\n")
        for name in kept + ["busy"] { #expect(try await host.shell("getent passwd \(name)").succeeded, "\(name)") }

        try await fixture.work(as: worker) { session in
            for name in ["gone", "again", "homeless"] { try session.remove(name, parameters: [:]) }
        }
        for name in ["gone", "again", "homeless"] { #expect(!(try await host.shell("getent passwd \(name)").succeeded)) }
        #expect(
            try await host.expect(
                "stat -c '%U %a' /home/gone.bak; ls -d /home/again.bak.* | wc -l; ls -A /etc/sudoers.d | grep -c keyturn; exit 0")
                == "root 700\n1\n0\n")
        #expect(
            await LinuxFixture.fault { try await fixture.work { try $0.remove("gone", parameters: [:]) } }?.kind == .noSuchAccount
        )
        await host.stop()
    }
}
