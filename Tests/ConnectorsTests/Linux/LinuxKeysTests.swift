import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Linux SSH keys", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LinuxKeysTests {
    static func request(_ username: String, _ strategy: ChangeRequest.KeyStrategy) -> ChangeRequest {
        ChangeRequest(username: username, secretType: .sshKey, keyStrategy: strategy)
    }

    @Test("a new key stands beside the old one until it is retired, and keys of others stay unless the strategy says otherwise")
    func strategies() async throws {
        let foreign = try SSHKeyPair.generate(.ecdsaP256)
        let optioned = try SSHKeyPair.generate(.ed25519)
        let host = try await TestHost.start(
            users: [
                .init(
                    "alice", password: "x",
                    keys: [
                        "# written by hand", foreign.publicKey.line(comment: "somebody"),
                        "from=\"127.0.0.1\",no-pty " + optioned.publicKey.line(comment: "with options"),
                    ])
            ], hostKeys: [.ed25519], setUp: "chmod 640 /home/alice/.ssh/authorized_keys")
        let fixture = LinuxFixture(host)
        let (first, second, third) = (
            try SSHKeyPair.generate(.ed25519), try SSHKeyPair.generate(.ecdsaP256), try SSHKeyPair.generate(.ed25519)
        )
        let ours = Self.request("alice", .replaceOurs)
        try await fixture.work { session in
            try session.install(ours, secret: LinuxFixture.privateKey(first))
            try session.install(ours, secret: LinuxFixture.privateKey(first))
            try session.retire(ours, keeping: LinuxFixture.privateKey(first), old: nil)
            try session.install(ours, secret: LinuxFixture.privateKey(second))
        }
        for key in [first, second, foreign] { #expect(try await fixture.verify(LinuxFixture.key("alice", key)) == .proven) }
        // By the comment that ours have, and by the old key itself where somebody changed the comment.
        try await fixture.work { try $0.retire(ours, keeping: LinuxFixture.privateKey(second), old: nil) }
        #expect(try await fixture.verify(LinuxFixture.key("alice", first)).isRejected)
        try await host.expect("sed -i 's/keyturn-managed.*/renamed/' /home/alice/.ssh/authorized_keys")
        try await fixture.work { session in
            try session.install(ours, secret: LinuxFixture.privateKey(third))
            try session.retire(ours, keeping: LinuxFixture.privateKey(third), old: LinuxFixture.privateKey(second))
        }
        let text = try await host.expect(
            "cat /home/alice/.ssh/authorized_keys; stat -c '%U %G %a' /home/alice/.ssh/authorized_keys; ls -a /home/alice/.ssh")
        let expected = """
            # written by hand
            \(foreign.publicKey.line(comment: "somebody"))
            from="127.0.0.1",no-pty \(optioned.publicKey.line(comment: "with options"))
            \(third.publicKey.line(comment: "keyturn-managed:\(LinuxFixture.asset)"))
            alice alice 640
            .
            ..
            authorized_keys

            """
        #expect(text == expected)

        let before = try await host.expect("cat /home/alice/.ssh/authorized_keys")
        let all = Self.request("alice", .replaceAll)
        let saved = try await fixture.work { session -> [UInt8] in
            let saved = try session.saved(before: all)
            try session.install(all, secret: LinuxFixture.privateKey(first))
            try session.retire(all, keeping: LinuxFixture.privateKey(first), old: LinuxFixture.privateKey(third))
            switch saved {
            case .some(let secret): return secret.withBytes { Array($0) }
            case .none: return []
            }
        }
        #expect(String(decoding: saved, as: UTF8.self) == before)
        let rest = try await host.expect("cat /home/alice/.ssh/authorized_keys")
        #expect(rest == first.publicKey.line(comment: "keyturn-managed:\(LinuxFixture.asset)") + "\n")
        #expect(try await fixture.verify(LinuxFixture.key("alice", foreign)).isRejected)

        try await fixture.work { session in
            let append = Self.request("alice", .append)
            try session.install(append, secret: LinuxFixture.privateKey(second))
            try session.retire(append, keeping: LinuxFixture.privateKey(second), old: LinuxFixture.privateKey(first))
            let matches = try [first, second, third].map { try session.compare(append, with: LinuxFixture.privateKey($0)) }
            #expect(matches == [.same, .same, .different])
            #expect(try session.saved(before: append) == nil)
        }
        await host.stop()
    }

    @Test(
        "an account without the folder gets it, closed to others, and one whose file is a link or another's is refused untouched")
    func places() async throws {
        let names = ["fresh", "linked", "folder", "foreign", "homeless", "wide"]
        let host = try await TestHost.start(
            users: names.map { .init($0, password: "x") }, hostKeys: [.ed25519],
            setUp: """
                echo precious > /etc/precious; chmod 666 /etc/precious
                install -d -m 700 -o linked -g linked /home/linked/.ssh
                ln -s /etc/precious /home/linked/.ssh/authorized_keys
                mkdir /tmp/elsewhere; chmod 777 /tmp/elsewhere; ln -s /tmp/elsewhere /home/folder/.ssh
                install -d -m 700 -o foreign -g foreign /home/foreign/.ssh
                echo '# of root' > /home/foreign/.ssh/authorized_keys; chmod 644 /home/foreign/.ssh/authorized_keys
                rm -r /home/homeless
                """)
        let fixture = LinuxFixture(host)
        let key = try SSHKeyPair.generate(.ed25519)
        for (name, kind) in [
            ("linked", ConnectorFault.Kind.forbidden), ("folder", .forbidden), ("foreign", .forbidden),
            ("homeless", .unsupported),
        ] {
            for step in ["prepare", "install"] {
                let fault = await LinuxFixture.fault {
                    try await fixture.work { session in
                        let request = Self.request(name, .replaceAll)
                        if step == "prepare" {
                            try session.prepare(request)
                        } else {
                            try session.install(request, secret: LinuxFixture.privateKey(key))
                        }
                    }
                }
                // A home that is not there is found out on the way in.
                #expect(fault?.kind == kind, "\(name) \(step)")
                #expect(fault?.effect == ConnectorFault.Effect.none, "\(name) \(step)")
            }
        }
        #expect(
            try await host.expect("cat /etc/precious; ls -A /tmp/elsewhere; cat /home/foreign/.ssh/authorized_keys")
                == "precious\n# of root\n")
        for name in ["fresh", "wide"] {
            try await fixture.work { session in
                let request = Self.request(name, .replaceOurs)
                try session.prepare(request)
                try session.install(request, secret: LinuxFixture.privateKey(key))
            }
            let modes = try await host.expect("stat -c '%U %G %a' /home/\(name)/.ssh /home/\(name)/.ssh/authorized_keys")
            #expect(modes == "\(name) \(name) 700\n\(name) \(name) 600\n")
        }
        await host.stop()
    }

    @Test("a server that looks for keys elsewhere is noticed before a key is put where it never looks")
    func elsewhere() async throws {
        let host = try await TestHost.start(
            users: [.init("alice", password: "x")], hostKeys: [.ed25519], settings: ["AuthorizedKeysFile /etc/ssh/keys/%u"])
        let fixture = LinuxFixture(host)
        let fault = await LinuxFixture.fault { try await fixture.work { try $0.prepare(Self.request("alice", .replaceOurs)) } }
        #expect(fault?.kind == .unsupported && fault?.words.contains("/etc/ssh/keys/%u") == true)
        await host.stop()
    }
}
