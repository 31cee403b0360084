import Cryptography
import SSH
import TestSupport
import Testing

@Suite("SSH with RSA", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct ProgramSessionTests {
    @Test("an RSA key logs in at a host with default settings, in both forms", arguments: [TestKeyPair.Form.openSSH, .pem])
    func keys(form: TestKeyPair.Form) async throws {
        let key = try TestKeyPair.make(.rsa, bits: 2048, form: form)
        let host = try await TestHost.start(users: [.init("alice", keys: [key.publicKey])])
        let session = try await host.open(.key("alice", key.privateKey))
        #expect(session.authenticatedBy == "publickey")
        #expect(session.hostKey == host.hostKey)
        let result = try await session.result(
            "id -un; cat; echo problem >&2; exit 3", input: [.text("from "), .secretText("here")])
        #expect(result.text == "alice\nfrom here")
        #expect(result.errorText == "problem\n")
        #expect(result.status == 3)
        let ended = try await session.result("kill -9 $$")
        #expect(ended.status == nil)
        #expect(try await session.result("echo again").text == "again\n")
        await host.stop()
    }

    @Test("a host that has nothing but an RSA key takes passwords and every kind of key")
    func host() async throws {
        let ed25519 = try TestKeyPair.make(.ed25519)
        let ecdsa = try TestKeyPair.make(.ecdsa, bits: 384)
        let rsa = try TestKeyPair.make(.rsa, bits: 3072)
        let host = try await TestHost.start(
            users: [.init("alice", password: "the secret", keys: [ed25519.publicKey, ecdsa.publicKey, rsa.publicKey])],
            hostKeys: [.rsa])
        for login in [
            SSHLogin.password("alice", "the secret"), .key("alice", ed25519.privateKey), .key("alice", ecdsa.privateKey),
            .key("alice", rsa.privateKey),
        ] {
            let session = try await host.open(login)
            #expect(session.authenticatedBy == (login.method == .password ? "password" : "publickey"))
            #expect(session.hostKey == host.hostKey)
            #expect(try await session.result("id -un").text == "alice\n")
            session.close()
        }
        await host.stop()
    }
}
