internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Kept secrets")
struct KeptSecretsTests {
    private static let list = "/api/v1/accounts/kept-secrets/"

    /// An account with versions 1 and 2 that was deleted by force while a change of it was open.
    private func deleted(_ vault: TestVault) async throws -> AccountID {
        let asset = try await vault.makeAsset("web")
        let text = try await vault.makeAccount("app", on: asset, secret: "kept-one")
        _ = try await vault.send(.patch, "/api/v1/accounts/accounts/\(text)/", #"{"secret":"kept-two"}"#)
        let id = try #require(AccountID(text))
        let keys = try vault.backend.keyring.keys()
        try await vault.backend.database.write { db in
            var memory = SecretTurn.Memory()
            memory.candidate = 2
            let change = OpenChange(
                id: .random(), organization: .default, account: id, asset: asset, identity: [1], kind: .change,
                plan: .init(isGenerated: true, checksConnection: true),
                request: .init(username: "app", secretType: .password, keyStrategy: "set", parameters: [:], worker: id), old: 1,
                startedBy: "test", dateOpened: .now, stage: .uncertain, memory: memory, dateUpdated: .now)
            try SecretChanges.insert(keys.authenticated(change), on: db)
        }
        #expect(try await vault.send(.delete, "/api/v1/accounts/accounts/\(id)/?force=true").status == 204)
        return id
    }

    @Test("what is kept is listed without a secret, of all accounts and of one")
    func listed() async throws {
        let vault = try await TestVault.make()
        let id = try await deleted(vault)
        for path in [Self.list, Self.list + "\(id)/"] {
            let all = try await vault.send(.get, path)
            #expect(all.status == 200 && !all.text.contains("kept-one") && !all.text.contains("kept-two"), "\(all.text)")
            #expect(try all.column("account") == ["\(id)", "\(id)"])
            #expect(try all.int("0.version") == 2 && all.string("0.asset_name") == "web" && all.string("0.username") == "app")
            #expect(try all.string("0.kept_by") == TestVault.username)
        }
        let page = try await vault.send(.get, Self.list + "?limit=1&offset=1")
        #expect(try page.int("count") == 2 && page.int("results.0.version") == 1)
        for (text, count) in [("WEB", 2), ("app", 2), ("10.0", 2), ("_", 0), ("other", 0)] {
            #expect(try await vault.send(.get, Self.list + "?limit=5&search=" + text).int("count") == Int64(count), "\(text)")
        }
        #expect(try await vault.send(.get, Self.list + "\(AccountID.random())/").status == 404)
    }

    @Test("the values need the permission and a fresh confirmation, and each reveal is on the record with its versions")
    func revealed() async throws {
        let vault = try await TestVault.make()
        let id = try await deleted(vault)
        let path = Self.list + "\(id)/secrets/"
        #expect(try await vault.send(.get, path, token: vault.auditorToken).status == 403)
        let refused = try await vault.send(.get, path)
        #expect(try refused.status == 412 && refused.string("type") == "user_confirm_required")
        #expect(!refused.text.contains("kept-one"))
        try await vault.confirm()
        let all = try await vault.send(.get, path)
        #expect(try all.column("secret") == ["kept-two", "kept-one"])
        #expect(try await vault.send(.get, path + "?limit=1&offset=1").column("secret") == ["kept-one"])
        let entries = try await vault.entries("action=account.reveal&outcome=granted")
        let objects = try #require(entries.last?["objects"]?.array.map(Array.init))
        #expect(objects.first?["name"]?.string == "web/app" && objects.last?["id"]?.string == "2-1")
        #expect(try await vault.entries("action=account.reveal&outcome=refused").count == 2)
        #expect(try await vault.send(.get, Self.list + "\(AccountID.random())/secrets/").status == 404)
    }

    @Test("where secrets are shown to nobody they are not opened")
    func hidden() async throws {
        let vault = try await TestVault.make()
        let id = try await deleted(vault)
        _ = try await vault.send(.patch, "/api/v1/settings/setting/", #"{"SECURITY_DISABLE_VIEW_SECRET":true}"#)
        try await vault.confirm()
        #expect(try await vault.send(.get, Self.list + "\(id)/secrets/").column("secret") == ["<REDACTED>", "<REDACTED>"])
    }
}
