internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Account secrets")
struct AccountSecretsTests {
    private let path = "/api/v1/accounts/account-secrets/"

    @Test("a reveal without a fresh confirmation is 412, has no secret in it, and is audited with the version")
    func confirmation() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "tell-n0body")
        let refused = try await vault.send(.get, path + id + "/")
        #expect(refused.status == 412)
        #expect(try refused.string("type") == "user_confirm_required")
        #expect(try refused.string("code") == "password")
        #expect(!refused.text.contains("tell-n0body"))
        let entry = try #require(try await vault.entries("action=account.reveal").first)
        #expect(entry["outcome"]?.string == "refused")
        #expect(entry["reason"]?.string == "user_confirm_required")
        #expect(entry["version"]?.int == 1)
        #expect(entry["objects"]?.array.flatMap { Array($0).first }?["name"]?.string == "root(root)")
    }

    @Test("a wrong password confirms nothing, and is told in JumpServer's form")
    func wrongConfirmation() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "tell-n0body")
        let body = #"{"confirm_type":"password","secret_key":"not-mine"}"#
        let wrong = try await vault.send(.post, "/api/v1/authentication/confirm/", body)
        #expect(wrong.status == 400 && wrong.text == #"{"error":"Password is incorrect"}"#)
        #expect(try await vault.send(.get, path + id + "/").status == 412)
        #expect(try vault.audit().last { $0.action == "session.confirm" }?.outcome == "refused")
    }

    @Test("after confirming the secret is shown, and the audit says which version to whom")
    func reveal() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: #"q\"uo\\te"#)
        try await vault.confirm()
        let shown = try await vault.send(.get, path + id + "/")
        #expect(shown.status == 200)
        #expect(try shown.string("secret") == #"q"uo\te"#)
        #expect(try shown.string("id") == id)
        #expect(try shown.string("asset.name") == "web")
        #expect(try shown.int("version") == 1)
        let entry = try #require(try await vault.entries("action=account.reveal&outcome=granted").first)
        #expect(entry["version"]?.int == 1)
        #expect(entry["user"]?.string == VaultTemplate.username)
    }

    @Test("an account without a secret has null, and one that is not there is audited as such")
    func absent() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "")
        try await vault.confirm()
        let shown = try await vault.send(.get, path + id + "/")
        #expect(try shown.value("secret")?.isNull == true)
        #expect(try await vault.send(.get, path + AccountID.random().description + "/").status == 404)
        #expect(try await vault.entries("action=account.reveal&outcome=refused&reason=not_found").count == 1)
    }

    @Test("history shows earlier versions, newest first, without the current one")
    func histories() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "one")
        for secret in ["two", "three"] {
            _ = try await vault.send(.patch, "/api/v1/accounts/accounts/\(id)/", #"{"secret":"\#(secret)"}"#)
        }
        #expect(try await vault.send(.get, path + id + "/histories/").status == 412)
        try await vault.confirm()
        let all = try await vault.send(.get, path + id + "/histories/")
        #expect(try all.column("secret") == ["two", "one"])
        #expect(try all.int("0.version") == 2)
        #expect(try all.string("0.history_user") == VaultTemplate.username)
        let page = try await vault.send(.get, path + id + "/histories/?limit=1&offset=1")
        #expect(try page.column("secret") == ["one"])
        #expect(try page.int("count") == 2)
        let entry = try #require(try await vault.entries("action=account.reveal&outcome=granted").last)
        #expect(entry["objects"]?.array.flatMap { Array($0).last }?["id"]?.string == "2-1")
    }

    @Test("earlier secrets are ordered, filtered, searched and paged as all lists are; the current one is never among them")
    func historyList() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "one")
        for secret in ["two", "three", "four"] {
            _ = try await vault.send(.patch, "/api/v1/accounts/accounts/\(id)/", #"{"secret":"\#(secret)"}"#)
        }
        try await vault.confirm()
        func secrets(_ query: String) async throws -> [String] {
            try await vault.send(.get, path + id + "/histories/?" + query).column("secret")
        }
        #expect(try await secrets("order=version") == ["one", "two", "three"])
        #expect(try await secrets("ordering=-history_date,version") == ["three", "two", "one"])
        #expect(try await secrets("order=version&limit=1&offset=1") == ["two"])
        #expect(try await secrets("version=2") == ["two"])
        #expect(try await secrets("version__in=1,3,4") == ["three", "one"])
        #expect(try await secrets("secret_type=ssh_key").isEmpty)
        #expect(try await secrets("search=\(VaultTemplate.username)") == ["three", "two", "one"])
        // What is sealed is not looked into.
        #expect(try await secrets("search=two").isEmpty)
        let page = try await vault.send(.get, path + id + "/histories/?limit=2&search=\(VaultTemplate.username)")
        #expect(try page.int("count") == 3 && page.string("next")?.contains("offset=2") == true)
        #expect(try await vault.send(.get, path + id + "/histories/?version=x").status == 400)
        #expect(try await vault.send(.get, path + id + "/histories/?version__icontains=1").status == 400)
        let entry = try #require(try await vault.entries("action=account.reveal&outcome=granted").first)
        #expect(entry["objects"]?.array.flatMap { Array($0).last }?["id"]?.string == "3-2")
    }

    @Test("where secrets are shown to nobody, neither secret nor history is opened")
    func hidden() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "one")
        _ = try await vault.send(.patch, "/api/v1/accounts/accounts/\(id)/", #"{"secret":"two"}"#)
        _ = try await vault.send(.patch, "/api/v1/settings/setting/", #"{"SECURITY_DISABLE_VIEW_SECRET":true}"#)
        try await vault.confirm()
        #expect(try await vault.send(.get, path + id + "/").string("secret") == "<REDACTED>")
        #expect(try await vault.send(.get, path + id + "/histories/").column("secret") == ["<REDACTED>"])
        #expect(try await vault.entries("action=account.reveal&reason=redacted").count == 2)
    }

    @Test("a ciphertext that was moved or changed is an error, never a value")
    func damaged() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let (a, b) = (
            try await vault.makeAccount("a", on: asset, secret: "of-a"),
            try await vault.makeAccount("b", on: asset, secret: "of-b")
        )
        let (first, second) = (try #require(AccountID(a)), try #require(AccountID(b)))
        try await vault.backend.database.write { db in
            try db.execute(
                "UPDATE secret_versions SET secret = (SELECT secret FROM secret_versions WHERE account_id = ?) WHERE account_id = ?",
                [.id(second), .id(first)])
        }
        try await vault.confirm()
        let answer = try await vault.send(.get, path + a + "/")
        #expect(answer.status == 500)
        #expect(try answer.string("code") == "integrity")
        #expect(!answer.text.contains("of-b"))
        #expect(try await vault.send(.get, path + b + "/").string("secret") == "of-b")
    }

    @Test(
        "version numbers become short ranges, in whatever order they come",
        arguments: [([9, 8, 7, 3], "9-7,3"), ([1], "1"), ([], ""), ([5, 3, 1], "5,3,1"), ([1, 2, 5], "5,2-1")])
    func ranges(numbers: [Int64], text: String) {
        #expect(AccountSecretsResource.ranges(numbers) == text)
    }
}
