import Cryptography
import Foundation
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

    @Test("neither arguments, nor environment, nor files show a secret, and nothing is left behind")
    func traces() async throws {
        let host = try await TestHost.start(users: [.init("alice", password: "canary-5d1f")], hostKeys: [.rsa])
        // Of sessions before, whose end may take a moment.
        let (left, earlier) = (try sessionDirectories(), Set(try sshChildren()))
        let session = try await host.open(.password("alice", "canary-5d1f"))
        let clients = try sshChildren().filter { !earlier.contains($0) }
        #expect(clients.count == 1)
        for client in clients {
            for name in ["cmdline", "environ"] {
                let text = try String(decoding: Data(contentsOf: URL(filePath: "/proc/\(client)/\(name)")), as: UTF8.self)
                #expect(!text.isEmpty)
                #expect(!text.contains("canary-5d1f"))
            }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(client)/fd").count
            #expect(open < 16)
        }
        let places = try sessionDirectories().subtracting(left)
        #expect(places.count == 1)
        for place in places {
            let mode = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: place) {
                let type = try FileManager.default.attributesOfItem(atPath: place + "/" + name)[.type] as? FileAttributeType
                #expect(type == .typeSocket)
            }
        }
        session.close()
        #expect(try sshChildren().filter { !earlier.contains($0) }.isEmpty)
        await host.stop()
    }

    private func sshChildren() throws -> [Int32] {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        let children = threads.flatMap { thread in
            ((try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8)) ?? "").split(separator: " ")
        }
        return children.compactMap { Int32($0) }.filter { child in
            (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) == "ssh\n"
        }
    }

    private func sessionDirectories() throws -> Set<String> {
        let parent = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? "/tmp"
        let names = try FileManager.default.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix("keyturn-ssh-") }
        return Set(names.map { parent + "/" + $0 })
    }
}
