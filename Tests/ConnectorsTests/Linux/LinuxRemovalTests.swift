import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

/// An account of a host is taken away, in the middle of which everything ends.
@Suite(
    "Removing accounts of Linux hosts",
    .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxRemovalTests {
    /// What changes the host, in this order.
    private static let programs = ["rm", "mv", "chmod", "chown", "userdel"]

    /// What there is of an account on a host: its entry, its sudo commands, its homes with owner and mode.
    private static func remains(of name: String, on host: TestHost) async throws -> String {
        try await host.expect(
            "getent passwd \(name) | cut -d: -f1; cat /etc/sudoers.d/keyturn-\(name) 2>/dev/null; "
                + "for d in /home/\(name) /home/\(name).*; do [ -e $d ] && echo \"$d $(stat -c '%U %a' $d | tr ' ' :)\"; done; exit 0"
        )
    }

    private static func whole(_ name: String) -> String {
        "\(name)\n\(name) ALL=(ALL) NOPASSWD: /bin/ls\n/home/\(name) \(name):750\n"
    }

    private static func start(_ names: [String]) async throws -> TestHost {
        try await TestHost.start(
            users: names.map { .init($0, password: "x") }, hostKeys: [.ed25519],
            setUp: names.map { name in
                "chmod 750 /home/\(name); echo '\(name) ALL=(ALL) NOPASSWD: /bin/ls' > /etc/sudoers.d/keyturn-\(name)"
            }.joined(separator: "\n"))
    }

    private static func mark(_ name: String, _ fixture: LinuxFixture) async throws -> AccountRemoval {
        try await fixture.work { session in
            AccountRemoval(username: name, parameters: [:], mark: try session.mark(name, parameters: [:]))
        }
    }

    @Test("cut before or behind any program, the next time goes on and leaves nothing but the home, as root's")
    func cuts() async throws {
        let cases = Self.programs.flatMap { program in HostCut.Moment.allCases.map { (program, $0) } }
        let names = cases.indices.map { "u\($0)" }
        let host = try await Self.start(names)
        let fixture = LinuxFixture(host)
        let cut = try await HostCut(host, at: Self.programs)
        for ((program, moment), name) in zip(cases, names) {
            let place = "\(moment) \(program)"
            let removal = try await Self.mark(name, fixture)
            try await cut.arm(program, moment, on: name)
            let fault = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(fault?.effect == .unknown, "\(place): \(String(describing: fault))")
            #expect(try await !cut.isArmed(program), "\(place)")
            // Whoever is gone has left nothing that would have to be taken away.
            let isGone = try await fixture.work { try $0.find(name) == nil }
            #expect(isGone == (program == "userdel" && moment == .after), "\(place)")
            let again = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(again?.kind == (isGone ? .noSuchAccount : nil), "\(place): \(String(describing: again))")
            #expect(try await Self.remains(of: name, on: host) == "/home/\(name).bak root:700\n", "\(place)")
        }
        await host.stop()
    }

    @Test("what the host refuses is put back as it was, also when an earlier run had been cut off")
    func refused() async throws {
        let host = try await Self.start(["one", "two"])
        let fixture = LinuxFixture(host)
        let cut = try await HostCut(host, at: Self.programs)
        for (name, program) in [("one", nil), ("two", "userdel")] as [(String, String?)] {
            let removal = try await Self.mark(name, fixture)
            if let program {
                try await cut.arm(program, .before, on: name)
                _ = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            }
            try await host.expect(
                "cp /run/cut/userdel /run/cut/kept; printf '#!/bin/sh\\necho no; exit 1\\n' | cat > /run/cut/userdel")
            let fault = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(fault?.kind == .notPermitted && fault?.effect == ConnectorFault.Effect.none, "\(String(describing: fault))")
            let home = program == nil ? Self.whole(name) : "\(name)\n/home/\(name) \(name):700\n"
            #expect(try await Self.remains(of: name, on: host) == home)
            try await host.expect("cat /run/cut/kept > /run/cut/userdel")
            try await fixture.work { try $0.remove(removal) }
            #expect(try await Self.remains(of: name, on: host) == "/home/\(name).bak root:700\n")
        }
        await host.stop()
    }

    @Test("an account that was made anew, even with the same number, or that was changed since, is not the marked one")
    func replaced() async throws {
        let host = try await Self.start(["anew", "changed", "same", "last"])
        let fixture = LinuxFixture(host)
        let removals = try await fixture.work { session in
            try ["anew", "changed", "same"].map { name in
                AccountRemoval(username: name, parameters: [:], mark: try session.mark(name, parameters: [:]))
            }
        }
        try await host.expect(
            """
            uid=$(id -u anew); userdel -r anew; useradd --create-home --uid $uid anew; echo 'anew:x' | chpasswd; chmod 750 /home/anew
            usermod --shell /bin/sh changed
            """)
        for (removal, isSame) in zip(removals, [false, false, true]) {
            let fault = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(fault?.kind == (isSame ? nil : .replaced), "\(removal.username): \(String(describing: fault))")
            if !isSame { #expect(fault?.effect == ConnectorFault.Effect.none) }
            let left = try await Self.remains(of: removal.username, on: host)
            #expect(left == (isSame ? "/home/same.bak root:700\n" : Self.whole(removal.username)))
        }
        // The name is there with another number.
        let removal = try await Self.mark("last", fixture)
        try await host.expect("usermod --uid 5555 last")
        #expect(await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }?.kind == .replaced)
        await host.stop()
    }

    @Test("what is left of an account that somebody deleted in the middle goes too, unless its number is another's by now")
    func left() async throws {
        let host = try await Self.start(["gone", "reused"])
        let fixture = LinuxFixture(host)
        let removals = [try await Self.mark("gone", fixture), try await Self.mark("reused", fixture)]
        try await host.expect(
            "uid=$(id -u reused); userdel gone; userdel reused; useradd --no-create-home --uid $uid heir")
        for removal in removals {
            let fault = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(fault?.kind == .noSuchAccount && fault?.effect == ConnectorFault.Effect.none, "\(String(describing: fault))")
        }
        #expect(try await Self.remains(of: "gone", on: host) == "/home/gone.bak root:700\n")
        // Files of that number are the heir's.
        #expect(try await Self.remains(of: "reused", on: host) == "/home/reused heir:750\n")
        await host.stop()
    }

    @Test("where something cannot be read, nothing is concluded from that and nothing is changed")
    func unread() async throws {
        let host = try await Self.start(["alice"])
        let fixture = LinuxFixture(host)
        let removal = try await Self.mark("alice", fixture)
        let programs: [(String, String, ConnectorFault.Kind)] = [
            ("/usr/bin/grep", "case \"$*\" in *Uid*) exit 2;; esac", .brokenProtocol),
            ("/usr/bin/cat", "case \"$*\" in *keyturn-alice*) exit 1;; esac", .notPermitted),
            ("/usr/bin/sed", "case \"$*\" in */etc/passwd*) exit 4;; esac", .brokenProtocol),
            // What getent says of everybody whose directory is down.
            ("/usr/bin/getent", "exit 2", .replaced), ("/usr/bin/getent", "exit 3", .brokenProtocol),
        ]
        for (path, script, kind) in programs {
            let name = path.split(separator: "/").last ?? ""
            try await LinuxHostileTests.replace(path, "#!/bin/bash\n\(script)\nexec /run/real/\(name) \"$@\"\n", on: host)
            let fault = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
            #expect(fault?.kind == kind && fault?.effect == ConnectorFault.Effect.none, "\(script): \(String(describing: fault))")
            try await host.expect("umount \(path)")
            #expect(try await Self.remains(of: "alice", on: host) == Self.whole("alice"), "\(script)")
        }
        try await fixture.work { try $0.remove(removal) }
        #expect(try await Self.remains(of: "alice", on: host) == "/home/alice.bak root:700\n")
        await host.stop()
    }

    @Test("an account of a directory is not removed, and not taken for gone when its directory is silent")
    func directory() async throws {
        let host = try await Self.start(["alice"])
        let fixture = LinuxFixture(host)
        // Stands for a name service: dora is known as long as it is up.
        try await LinuxHostileTests.replace(
            "/usr/bin/getent",
            """
            #!/bin/bash
            case "$*" in 'passwd -- dora') [ -e /run/up ] || exit 2; echo 'dora:*:7001:7001::/home/dora:/bin/sh'; exit 0 ;; esac
            exec /run/real/getent "$@"

            """, on: host)
        try await host.expect(
            "touch /run/up; sed -i 's/^passwd:.*/passwd: files [NOTFOUND=continue] sss # all/' /etc/nsswitch.conf")
        let isThere = await LinuxFixture.fault { try await fixture.work { _ = try $0.mark("dora", parameters: [:]) } }
        #expect(
            isThere?.kind == .forbidden && isThere?.words.contains("not a local account") == true,
            "\(String(describing: isThere))")
        try await host.expect("rm /run/up")
        let absence = { @Sendable (name: String, mark: String?) async -> ConnectorFault? in
            await LinuxFixture.fault {
                try await fixture.work { session in
                    if try session.find(name) == nil { try session.confirmAbsence(of: name, parameters: [:], mark: mark) }
                }
            }
        }
        let isSilent = await absence("dora", nil)
        #expect(isSilent?.kind == .unsupported && isSilent?.words.contains("sss") == true, "\(String(describing: isSilent))")
        #expect(await absence("dora", "marked") == nil)
        // One that was marked was local, and is gone when the host's own list says so.
        let removal = try await Self.mark("alice", fixture)
        try await host.expect("userdel alice")
        #expect(await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }?.kind == .noSuchAccount)
        try await host.expect("sed -i 's/^passwd:.*/passwd:\tfiles systemd/' /etc/nsswitch.conf")
        #expect(await absence("dora", nil) == nil)
        await host.stop()
    }

    @Test("an account that getent does not find and the host's own list has is not gone")
    func unfound() async throws {
        let host = try await Self.start(["alice"])
        let fixture = LinuxFixture(host)
        try await LinuxHostileTests.replace("/usr/bin/getent", "#!/bin/sh\nexit 2\n", on: host)
        for mark in [nil, "marked"] {
            let fault = await LinuxFixture.fault {
                try await fixture.work { session in
                    #expect(try session.find("alice") == nil)
                    try session.confirmAbsence(of: "alice", parameters: [:], mark: mark)
                }
            }
            #expect(fault?.kind == .brokenProtocol, "\(String(describing: fault))")
        }
        await host.stop()
    }

    @Test("a link that takes the home's place in the middle is not followed")
    func links() async throws {
        let host = try await Self.start(["alice"])
        let fixture = LinuxFixture(host)
        let removal = try await Self.mark("alice", fixture)
        try await host.expect("mkdir -m 755 /etc/important")
        try await LinuxHostileTests.replace(
            "/usr/bin/chmod",
            """
            #!/bin/bash
            case "$* $PWD" in *alice*) mv /home/alice.bak /home/elsewhere; ln -s /etc/important /home/alice.bak ;; esac
            exec /run/real/chmod "$@"

            """, on: host)
        _ = await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }
        #expect(try await host.expect("stat -c '%U %a' /etc/important /home/elsewhere") == "root 755\nroot 700\n")
        await host.stop()
    }

    @Test("crontab and at jobs go with the account, others' stay, and files of others that name it are told of")
    func jobs() async throws {
        let host = try await TestHost.start(
            users: ["alice", "alicia", "heir"].map { .init($0, password: "x") }, hostKeys: [.ed25519],
            setUp: """
                mkdir -p /var/spool/cron/crontabs /var/spool/cron/atjobs /etc/cron.d
                for n in alice alicia; do
                    echo '* * * * * true' > /var/spool/cron/crontabs/$n; touch /var/spool/cron/atjobs/a-$n
                    chown $n: /var/spool/cron/crontabs/$n /var/spool/cron/atjobs/a-$n
                done
                echo 'root, alice ALL=(ALL) NOPASSWD: /bin/ls' > /etc/sudoers.d/site
                printf '# alice had this once\nalicia ALL=(ALL) ALL\n' > /etc/sudoers.d/other
                printf '#%s ALL=(ALL) ALL\n' $(id -u alice) > /etc/sudoers.d/number
                echo '5 4 * * * alice true' > /etc/cron.d/backup; mkdir -p /etc/ssh/sshd_config.d
                echo 'AllowUsers root alicia alice@10.0.0.1' > /etc/ssh/sshd_config.d/site
                """)
        let fixture = LinuxFixture(host)
        let removal = try await Self.mark("alice", fixture)
        let words = try await fixture.work { session in
            try session.remove(removal)
            return try session.remains(of: removal)
        }
        #expect(
            words
                == "The host still names it in /etc/sudoers.d/number, /etc/sudoers.d/site, /etc/cron.d/backup, /etc/ssh/sshd_config.d/site.",
            "\(String(describing: words))")
        let spool = "ls /var/spool/cron/crontabs /var/spool/cron/atjobs | grep ali"
        #expect(try await host.expect(spool) == "a-alicia\nalicia\n")
        // Cut off behind userdel: what is left of that name goes the next time, unless it is another's by then.
        try await host.expect("touch /var/spool/cron/crontabs/alice")
        #expect(await LinuxFixture.fault { try await fixture.work { try $0.remove(removal) } }?.kind == .noSuchAccount)
        #expect(try await host.expect(spool) == "a-alicia\nalicia\n")
        await host.stop()
    }

    @Test("a mark is read back as it was, and what is none is not one")
    func marks() throws {
        let digest = String(repeating: "0a", count: 32)
        let first = try #require(LinuxMark(answer: ["suffix .bak", digest], uid: 1000, home: "/home/a;b c"))
        #expect(LinuxMark(text: first.text) == first && first.home?.kept == "/home/a;b c.bak")
        let bare = try #require(LinuxMark(answer: ["suffix .bak"], uid: 1000, home: nil))
        #expect(LinuxMark(text: bare.text) == bare && bare.home == nil)
        for text in [
            "", ";;;", "0;;;", "-1;;.bak;/home/a", "1000;xyz;.bak;/home/a", "1000;\(digest);.bak; /home/a",
            "1000;\(digest);$(id);/home/a", "1000;\(digest);;/home/a", "1000;\(digest)", "a;\(digest);.bak;/home/a",
        ] { #expect(LinuxMark(text: text) == nil, "\(text)") }
        for lines in [[], ["suffix"], ["suffix .bak", digest, "more"], ["suffix .bak", "no"], ["suffix ./../x", digest]] {
            #expect(LinuxMark(answer: lines, uid: 1000, home: "/home/a") == nil, "\(lines)")
        }
    }
}
