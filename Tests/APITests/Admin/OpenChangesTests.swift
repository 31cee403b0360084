internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Edits while a secret is being changed")
struct OpenChangesTests {
    private static let accounts = "/api/v1/accounts/accounts/"
    private static let assets = "/api/v1/assets/assets/"

    /// An account whose change is open: version 2 may be live on the target.
    private func doubted(_ vault: TestVault) async throws -> (account: AccountID, asset: AssetID) {
        let asset = try await vault.makeAsset("web")
        let id = try #require(AccountID(try await vault.makeAccount("app", on: asset)))
        let keys = try vault.backend.keyring.keys()
        try await vault.backend.database.write { db in
            var account = try keys.verified(Accounts.get(id, in: .default, on: db))
            account.stages.pending = 1
            _ = try Accounts.update(keys.authenticated(account), on: db)
            try SentSecrets.insert(1, of: id, in: .default, at: .now, on: db)
            var memory = SecretTurn.Memory()
            memory.candidate = 1
            let change = OpenChange(
                id: .random(), organization: .default, account: id, asset: asset, identity: [1], kind: .change,
                plan: .init(isGenerated: true, checksConnection: true),
                request: .init(username: "app", secretType: .password, keyStrategy: "set", parameters: [:], worker: id), old: nil,
                startedBy: "test", dateOpened: .now, stage: .uncertain, memory: memory, dateUpdated: .now)
            try SecretChanges.insert(keys.authenticated(change), on: db)
        }
        return (id, asset)
    }

    @Test("overwriting, renaming, clearing and deleting the account, re-addressing and deleting its asset are 409")
    func conflicts() async throws {
        let vault = try await TestVault.make()
        let (account, asset) = try await doubted(vault)
        let requests: [(HTTPServer.Method, String, String?)] = [
            (.patch, Self.accounts + "\(account)/", #"{"secret":"mine"}"#),
            (.patch, Self.accounts + "\(account)/", #"{"name":"b"}"#),
            (.delete, Self.accounts + "\(account)/", nil),
            (.patch, Self.accounts + "clear-secret/", #"{"account_ids":["\#(account)"]}"#),
            (.patch, Self.assets + "\(asset)/", #"{"address":"10.6.6.6"}"#),
            (.patch, Self.assets + "\(asset)/", #"{"name":"b"}"#),
            (.delete, Self.assets + "\(asset)/", nil),
        ]
        for (method, path, body) in requests {
            let answer = try await vault.send(method, path, body)
            #expect(answer.status == 409, "\(method) \(path) \(answer.text)")
        }
        #expect(try await vault.send(.patch, Self.accounts + "\(account)/", #"{"comment":"harmless"}"#).status == 200)
        #expect(try await vault.send(.patch, Self.assets + "\(asset)/", #"{"comment":"harmless"}"#).status == 200)
        let shown = try await vault.send(.get, Self.accounts + "\(account)/")
        #expect(try shown.string("change") == "uncertain")
    }

    @Test("a dry run names the account whose change is open, and everything on an asset that waits for a confirmation")
    func dryRun() async throws {
        let vault = try await TestVault.make()
        let (_, asset) = try await doubted(vault)
        try await vault.makeAccount("admin", on: asset, more: #","privileged":true"#)
        try await vault.makeAccount("free", on: asset)
        func reasons(_ kind: String, _ more: String = "") async throws -> [String: String] {
            let body =
                #"{"name":"\#(kind) \#(UInt32.random(in: 0 ... .max))","accounts":["app","free"],"assets":["\#(asset)"]\#(more)}"#
            let path = "/api/v1/accounts/\(kind)-automations/"
            let id = try #require(try await vault.send(.post, path, body).string("id"))
            let answer = try await vault.send(.post, path + id + "/dry-run/")
            let works = try #require(try answer.value("works")?.array)
            return Dictionary(works.map { ($0["username"]?.string ?? "", $0["reason"]?.string ?? "-") }) { $1 }
        }
        let random = #","secret_strategy":"random""#
        #expect(try await reasons("change-secret", random) == ["app": "busy", "free": "-"])
        #expect(try await reasons("push-account", random) == ["app": "busy", "free": "-"])
        #expect(try await reasons("verify-account") == ["app": "-", "free": "-"])
        #expect(try await vault.send(.patch, Self.assets + "\(asset)/?force=true", #"{"address":"10.6.6.6"}"#).status == 200)
        #expect(try await reasons("change-secret", random) == ["app": "paused", "free": "paused"])
        #expect(try await reasons("verify-account") == ["app": "paused", "free": "paused"])
    }

    @Test(
        "an account that is being removed is in doubt in every read of it, alone and in a list, without a pending version and also if the row is damaged",
        arguments: [true, false])
    func removal(isWhole: Bool) async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let (app, other) = (try await vault.makeAccount("app", on: asset), try await vault.makeAccount("other", on: asset))
        let (id, keys) = (try #require(AccountID(app)), try vault.backend.keyring.keys())
        let quiet = try await vault.send(.get, Self.accounts + "\(app)/")
        #expect(try quiet.value("change")?.isNull == true)
        try await vault.backend.database.write { db in
            let change = OpenChange(
                id: .random(), organization: .default, account: id, asset: asset, identity: [1], kind: .remove,
                plan: .init(isGenerated: false, checksConnection: true, isRemoval: true),
                request: .init(
                    username: "app", secretType: .password, keyStrategy: "set", parameters: [:], worker: id, mark: "m",
                    isSecretSeen: true), old: 1, startedBy: "test", dateOpened: .now, stage: .uncertain,
                memory: SecretTurn.Memory(), dateUpdated: .now)
            try SecretChanges.insert(keys.authenticated(change), on: db)
            if !isWhole { try db.execute("UPDATE secret_changes SET fields = x'00'", []) }
        }
        let shown = try await vault.send(.get, Self.accounts + "\(app)/")
        #expect(try shown.string("change") == "uncertain")
        let list = try await vault.send(.get, Self.accounts)
        #expect(list.text.ranges(of: #""change":"uncertain""#).count == 1, "\(list.text)")
        #expect(try await vault.send(.get, Self.accounts + "\(other)/").value("change")?.isNull == true)
    }

    @Test("forcing gives the change up and keeps every value")
    func forced() async throws {
        let vault = try await TestVault.make()
        let (account, _) = try await doubted(vault)
        let answer = try await vault.send(.patch, Self.accounts + "\(account)/?force=true", #"{"secret":"mine"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.value("change")?.isNull == true && answer.int("version") == 2)
        let (open, history) = try await vault.backend.database.read { db in
            (
                try SecretChanges.of(account, in: .default, on: db) == nil,
                try SecretVersions.list(of: account, in: .default, on: db).rows.map(\.number)
            )
        }
        #expect(open && history == [2, 1])
    }

    @Test("a damaged change stands in the way like any other, and can be forced", arguments: [true, false])
    func damaged(ofAsset: Bool) async throws {
        let vault = try await TestVault.make()
        let (account, asset) = try await doubted(vault)
        try await vault.backend.database.write { try $0.execute("UPDATE secret_changes SET fields = x'00'", []) }
        let path = ofAsset ? Self.assets + "\(asset)/" : Self.accounts + "\(account)/"
        #expect(try await vault.send(.delete, path).status == 409)
        #expect(try await vault.send(.patch, Self.accounts + "\(account)/", #"{"name":"b"}"#).status == 409)
        #expect(try await vault.send(.patch, Self.assets + "\(asset)/", #"{"address":"10.6.6.6"}"#).status == 409)
        #expect(try await vault.send(.delete, path + "?force=true").status == 204)
        let kept = try await vault.backend.database.read { try KeptSecrets.all(in: .default, on: $0) }
        #expect(kept.map(\.account) == [account])
    }

    @Test("who stands in for an asset lets its open changes go on at once", arguments: [true, false])
    func hastened(byPin: Bool) async throws {
        let vault = try await TestVault.make()
        let (account, asset) = try await doubted(vault)
        let keys = try vault.backend.keyring.keys()
        let later = Timestamp.now.adding(seconds: 3600)
        try await vault.backend.database.write { db in
            guard case .success(let row)? = try SecretChanges.found(of: account, in: .default, on: db) else { return }
            var change = try keys.verified(row)
            change.memory.notBefore = later
            _ = try SecretChanges.update(keys.authenticated(change), on: db)
        }
        let trust = Self.assets + "\(asset)/trust/"
        if byPin {
            #expect(try await vault.send(.put, trust, #"{"systems":["ssh-host-key:SHA256:abc"]}"#).status == 200)
        } else {
            try await vault.confirm()
            #expect(try await vault.send(.post, trust + "confirm/").status == 200)
        }
        let due = try await vault.backend.database.read { try SecretChanges.due(at: .now, limit: 10, on: $0) }
        #expect(due.count == 1)
        // It still authenticates, and is the same change.
        #expect(try due.map { try keys.verified($0.get()).account } == [account])
    }

    @Test("values of an account or asset that is deleted by force outlive it", arguments: [true, false])
    func forcedDeletion(ofAsset: Bool) async throws {
        let vault = try await TestVault.make()
        let (account, asset) = try await doubted(vault)
        let path = ofAsset ? Self.assets + "\(asset)/" : Self.accounts + "\(account)/"
        #expect(try await vault.send(.delete, path + "?force=true").status == 204)
        #expect(try await vault.send(.get, path).status == 404)
        let kept = try await vault.backend.database.read { try KeptSecrets.all(in: .default, on: $0) }
        #expect(kept.map(\.account) == [account] && kept.first?.assetName == "web" && kept.first?.username == "app")
    }
}

@Suite("Trust of assets")
struct AssetTrustsTests {
    private static let assets = "/api/v1/assets/assets/"

    @Test(
        "an edit of where secrets go pauses the asset until somebody who may reveal confirms it",
        arguments: [
            #"{"address":"10.6.6.6"}"#, #"{"protocols":[{"name":"ssh","port":2222}]}"#, #"{"platform":2}"#,
        ])
    func paused(edit: String) async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        try await vault.makeAccount("app", on: asset)
        let path = Self.assets + "\(asset)/trust/"
        #expect(try await vault.send(.get, path).value("is_paused")?.bool == false)
        let edited = try await vault.send(.patch, Self.assets + "\(asset)/", edit)
        #expect(edited.status == 200, "\(edited.text)")
        #expect(try await vault.send(.get, path).value("is_paused")?.bool == true)
        #expect(try await vault.send(.post, path + "confirm/").status == 412)
        #expect(try await vault.send(.get, path).value("is_paused")?.bool == true)
        try await vault.confirm()
        let confirmed = try await vault.send(.post, path + "confirm/")
        #expect(try confirmed.status == 200 && confirmed.value("is_paused")?.bool == false)
        #expect(try confirmed.string("confirmed_by") == TestVault.username)
    }

    @Test("an edit of anything else pauses nothing")
    func harmless() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        try await vault.makeAccount("app", on: asset)
        #expect(try await vault.send(.patch, Self.assets + "\(asset)/", #"{"comment":"x","name":"web-2"}"#).status == 200)
        #expect(try await vault.send(.get, Self.assets + "\(asset)/trust/").value("is_paused")?.bool == false)
    }

    @Test("pins are set and cleared under a permission of their own, and it is on the record")
    func pins() async throws {
        let vault = try await TestVault.make()
        let path = Self.assets + "\(try await vault.makeAsset("web"))/trust/"
        let set = try await vault.send(.put, path, #"{"policy":"strict","systems":["ssh-host-key:SHA256:abc"]}"#)
        #expect(set.status == 200, "\(set.text)")
        #expect(try set.string("policy") == "strict" && set.string("systems.0") == "ssh-host-key:SHA256:abc")
        #expect(try await vault.send(.put, path, #"{"systems":[]}"#).value("systems.0") == nil)
        #expect(try await vault.send(.put, path, #"{"policy":"never"}"#).status == 400)
        #expect(try await vault.send(.put, path, "{}", token: vault.auditorToken).status == 403)
        let entries = try await vault.entries("action=hostkey.clear")
        #expect(entries.count >= 4)
    }
}
