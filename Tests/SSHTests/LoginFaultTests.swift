import Cryptography
import SSH
import TestSupport
import Testing

@Suite(
    "SSH logins that do not go well",
    .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LoginFaultTests {
    static func attempt(_ endpoint: SSHEndpoint, _ login: SSHLogin, limits: SSHLimits = .patient) async throws -> SSHFault {
        try await fault { _ = try SSHSession.open(endpoint, as: login, limits: limits) }
    }

    /// Hosts by the way that leads to them: one with nothing but an RSA key needs the program.
    static func keys(_ way: Way) -> [TestHost.KeyType] { way == .library ? [.ed25519, .ecdsa, .rsa] : [.rsa] }

    @Test("a wrong secret is rejected after one attempt, which the host counts once", arguments: Way.allCases)
    func rejected(way: Way) async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "right")], hostKeys: Self.keys(way))
        let found = try await Self.attempt(host.endpoint, .password("alice", "wrong"))
        #expect(found.kind == .rejected)
        #expect(!found.sent)
        #expect(!found.words.contains("wrong"))
        #expect(try await host.count(of: "Failed password for alice", awaiting: 1) == 1)

        let stranger = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        #expect(try await Self.attempt(host.endpoint, .key("alice", stranger.privateKey)).kind == .rejected)
        await host.stop()
    }

    @Test("a host with another key gets neither name nor secret", arguments: Way.allCases)
    func changedKey(way: Way) async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "right")], hostKeys: Self.keys(way))
        let before = host.endpoint
        #expect(try await host.open(.password("alice", "right")).hostKey == host.hostKey)
        let fresh = try await host.changeHostKey(way == .library ? .ed25519 : .rsa)
        let logged = try await host.settledLog()
        #expect(try await Self.attempt(before, .password("alice", "right")).kind == .hostKeyChanged(seen: fresh))
        let strict = SSHEndpoint(host: "127.0.0.1", port: host.port, acceptNew: false)
        #expect(try await Self.attempt(strict, .password("alice", "right")).kind == .hostKeyUnknown(seen: fresh))
        // The end of the session before may be told of late.
        let since = try await host.settledLog().dropFirst(logged.count).split(whereSeparator: \.isNewline)
        #expect(
            !since.contains { $0.contains("alice") && !$0.contains("isconnect") && !$0.contains("session closed") }, "\(since)")
        let trusting = SSHEndpoint(host: "127.0.0.1", port: host.port)
        let session = try await onOwnThread { try SSHSession.open(trusting, as: .password("alice", "right")) }
        #expect(session.hostKey == fresh)
        await host.stop()
    }

    @Test("a key of any type that the host has may be the pinned one", arguments: [TestHost.KeyType.ed25519, .ecdsa, .rsa])
    func pinnedType(type: TestHost.KeyType) async throws {
        let rsa = try TestKeyPair.make(.rsa, bits: 2048)
        let host = try await TestHost.start(users: [.init("alice", password: "right", keys: [rsa.publicKey])])
        let pin = try await host.expect("ssh-keygen -lf /etc/ssh/host_\(type.rawValue).pub | cut -d' ' -f2 | tr -d '\\n'")
        let endpoint = SSHEndpoint(host: "127.0.0.1", port: host.port, pinned: [pin], acceptNew: false)
        for login in [SSHLogin.password("alice", "right"), .key("alice", rsa.privateKey)] {
            let session = try await onOwnThread { try SSHSession.open(endpoint, as: login) }
            #expect(session.hostKey == pin)
            #expect(try await session.result("id -un").text == "alice\n")
        }
        await host.stop()
    }

    @Test("a host that wants a key and a password says so when it has got one of them", arguments: Way.allCases)
    func partial(way: Way) async throws {
        let key = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        let host = try await TestHost.start(
            users: [.init("alice", password: "right", keys: [key.publicKey])],
            settings: ["AuthenticationMethods publickey,password"])
        let found = try await Self.attempt(host.endpoint, .key("alice", key.privateKey))
        #expect(found.kind == .moreNeeded(methods: ["password"]))
        #expect(try await Self.attempt(host.endpoint, .password("alice", "right")).kind == .noCommonMethod)
        let stranger = try TestKeyPair.make(way == .library ? .ed25519 : .rsa, bits: way == .library ? nil : 2048)
        #expect(try await Self.attempt(host.endpoint, .key("alice", stranger.privateKey)).kind == .rejected)
        await host.stop()
    }

    @Test("a host that asks its questions itself gets the password as the answer to the first", arguments: Way.allCases)
    func questions(way: Way) async throws {
        let host = try await TestHost.start(
            users: [.init("alice", password: "right")], hostKeys: Self.keys(way),
            settings: ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"])
        let session = try await host.open(.password("alice", "right"))
        #expect(session.authenticatedBy == "keyboard-interactive")
        #expect(try await session.result("id -un").text == "alice\n")
        #expect(try await Self.attempt(host.endpoint, .password("alice", "wrong")).kind == .rejected)
        try await host.expect("chage -d 0 alice")
        let expired = try await Self.attempt(host.endpoint, .password("alice", "right"))
        #expect(expired.kind == .moreNeeded(methods: ["keyboard-interactive"]), "\(expired)")
        #expect(try await host.expect("getent shadow alice | cut -d: -f3") == "0\n")
        await host.stop()
    }

    @Test("a host that lets in without proof is seen to", arguments: Way.allCases)
    func none(way: Way) async throws {
        let host = try await TestHost.start(
            users: [.init("alice")], hostKeys: Self.keys(way), settings: ["PermitEmptyPasswords yes"], setUp: "passwd -d alice")
        let session = try await host.open(.password("alice", "anything"))
        #expect(session.authenticatedBy == "none")
        #expect(session.hostKey == host.hostKey)
        await host.stop()
    }

    @Test("a host that ends the connection for too many failures says nothing about the secret", arguments: Way.allCases)
    func tooMany(way: Way) async throws {
        let host = try await TestHost.start(
            users: [.init("alice", password: "right")], hostKeys: Self.keys(way), settings: ["MaxAuthTries 1"])
        #expect(try await Self.attempt(host.endpoint, .password("alice", "wrong")).kind == .lockedOut)
        await host.stop()
    }

    @Test("a host with which we have no cipher in common is told from one that is not there")
    func nothingInCommon() async throws {
        let host = try await TestHost.start(settings: ["Ciphers 3des-cbc"])
        #expect(try await Self.attempt(host.endpoint, .password("root", "x")).kind == .noCommonMethod)
        await host.stop()
        let port = Int(try FreePort.any())
        #expect(try await Self.attempt(SSHEndpoint(host: "127.0.0.1", port: port), .password("root", "x")).kind == .unreachable)
        #expect(try await Self.attempt(SSHEndpoint(host: "no-such-host.invalid"), .password("root", "x")).kind == .unreachable)
    }

    @Test("a private key that cannot be read is a fault of ours")
    func unreadable() async throws {
        let endpoint = SSHEndpoint(host: "127.0.0.1", port: 1)
        #expect(try await Self.attempt(endpoint, .key("root", Array("no key".utf8))).kind == .localFailure)
    }
}
