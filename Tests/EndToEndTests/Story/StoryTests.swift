import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// The story of the README, with the programs that people use.
@Suite("The story")
struct StoryTests {
    @Test("an account is registered, its secret fetched with curl, another address refused, and both stand in the audit")
    func story() async throws {
        let server = try await ServerProcess.start()
        let login = try await server.client(
            ["login", server.url, "--ca", server.firstLogin.caCertificate], input: Array(server.firstLogin.password.utf8))
        #expect(login.succeeded, "\(login.standardError)")
        for (arguments, input) in [
            (["asset", "create", "db1", "--address", "10.0.0.7", "--platform", "PostgreSQL"], ""),
            (["account", "create", "db1", "root", "--username", "postgres"], SmallVault.secret),
        ] {
            let made = try await server.client(arguments, input: Array(input.utf8))
            #expect(made.succeeded, "\(made.standardError)")
        }
        let file = server.directory.file("billing.json")
        let made = try await server.client(
            ["app", "create", "billing", "--all-accounts", "--ip", "127.0.0.1", "--credentials-file", file])
        #expect(made.succeeded, "\(made.standardError)")
        let credentials = try JSONDocument.parse(server.directory.read("billing.json"))
        let key = ApplicationKey(
            id: try #require(credentials["key_id"]?.string), secret: try #require(credentials["key_secret"]?.string))

        let fetched = try await Self.fetch(server, key, from: "127.0.0.1")
        #expect(fetched.status == 200)
        let body = try JSONDocument.parse(fetched.body)
        #expect(body["secret"]?.string == SmallVault.secret)
        #expect(body["id"]?.string == key.id)
        #expect(body["username"]?.string == "postgres" && body["asset"]?.string == "db1" && body["version"]?.int == 1)
        let refused = try await Self.fetch(server, key, from: "127.0.0.2")
        #expect(refused.status == 401)
        #expect(!refused.text.contains("address"), "the true reason is not the caller's: \(refused.text)")

        let audit = try await AuditExport(server)
        let decisions = audit.entries("secret.fetch")
        #expect(decisions.map { $0["outcome"]?.string } == ["granted", "refused"])
        #expect(decisions.map { $0["address"]?.string } == ["127.0.0.1", "127.0.0.2"])
        #expect(decisions.last?["reason"]?.string == "address not allowed for the application")
        #expect(try await AuditExport.isWhole(server))

        let successor = server.directory.file("next.json")
        let rotated = try await server.client(
            ["app", "credential", "rotate", "billing", key.id, "--overlap", "0", "--credentials-file", successor])
        #expect(rotated.succeeded, "\(rotated.standardError)")
        let next = try JSONDocument.parse(server.directory.read("next.json"))
        let newKey = ApplicationKey(
            id: try #require(next["key_id"]?.string), secret: try #require(next["key_secret"]?.string))
        #expect(try await Self.fetch(server, newKey, from: "127.0.0.1").status == 200)
        #expect(try await Self.fetch(server, key, from: "127.0.0.1").status == 401)

        #expect(try await server.stop() == .status(0))
        #expect(try await AuditExport.isWhole(server))
    }

    /// With `curl`, from an address.
    private static func fetch(_ server: ServerProcess, _ key: ApplicationKey, from address: String) async throws -> Curl.Answer {
        try await server.curl.request("GET", ApplicationKey.target, headers: key.headers(), from: address)
    }

    @Test("the client prints the secret, puts it into a command's environment, and sees the new one after a change")
    func client() async throws {
        let vault = try await SmallVault.start()
        let environment = ["KEYTURN_KEY_ID": vault.key.id, "KEYTURN_KEY_SECRET": vault.key.secret]
        let got = try await vault.server.client(["get", "db1", "root"], environment: environment)
        #expect(got.text == SmallVault.secret)
        let changed = try await vault.admin.call(
            .patch, "/api/v1/accounts/accounts/\(vault.account)/", #"{"secret":"another one"}"#)
        #expect(changed.status == 200)
        let ran = try await vault.server.client(
            ["run", "--env", "PGPASSWORD=db1/root", "--", "sh", "-c", "echo \"<$PGPASSWORD>\""], environment: environment)
        #expect(ran.text == "<another one>\n")
        let hidden = try await vault.server.client(["get", "db1", "nobody"], environment: environment)
        #expect(hidden.ending == .status(4) && hidden.output.isEmpty)
    }

    @Test("a secret that was replaced stays in the history, and is shown to those who confirm who they are")
    func history() async throws {
        let vault = try await SmallVault.start()
        _ = try await vault.admin.call(.patch, "/api/v1/accounts/accounts/\(vault.account)/", #"{"secret":"another one"}"#)
        let path = "/api/v1/accounts/account-secrets/\(vault.account)/"
        #expect(try await vault.admin.call(.get, path).status == 412)
        try await vault.admin.confirm(vault.server)
        let current = try await vault.admin.call(.get, path)
        #expect(current.string("secret") == "another one" && current.int("version") == 2)
        let earlier = try await vault.admin.call(.get, path + "histories/")
        #expect(earlier.text.contains(SmallVault.secret))
        let reveals = try await AuditExport(vault.server).entries("account.reveal")
        #expect(reveals.map { $0["outcome"]?.string } == ["refused", "granted", "granted"])
    }
}
