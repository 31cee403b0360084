import Cryptography
import SSH
import TestSupport
import Testing

@Suite("SSH sessions", .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct SSHSessionTests {
    @Test("passwords, Ed25519 and ECDSA keys log in, and the session says by what and to whom")
    func login() async throws {
        let ed25519 = try TestKeyPair.make(.ed25519)
        let ecdsa = try TestKeyPair.make(.ecdsa)
        let pem = try TestKeyPair.make(.ecdsa, form: .pkcs8)
        let host = try await TestHost.start(users: [
            .init("alice", password: "pass word'\"$", keys: [ed25519.publicKey, ecdsa.publicKey, pem.publicKey])
        ])
        for (login, method) in [
            (SSHLogin.password("alice", "pass word'\"$"), "password"), (.key("alice", ed25519.privateKey), "publickey"),
            (.key("alice", ecdsa.privateKey), "publickey"), (.key("alice", pem.privateKey), "publickey"),
        ] {
            let session = try await host.open(login)
            #expect(session.authenticatedBy == method)
            #expect(session.hostKey == host.hostKey)
            let result = try await session.result(
                "id -un; cat; echo problem >&2; exit 3", input: [.text("from "), .secretText("here")])
            #expect(result.text == "alice\nfrom here")
            #expect(result.errorText == "problem\n")
            #expect(result.status == 3)
            session.close()
        }
        await host.stop()
    }
}
