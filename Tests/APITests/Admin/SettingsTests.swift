internal import API
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Settings")
struct SettingsTests {
    @Test("a changed setting is stored, shown and in force, and both reading and changing are audited")
    func change() async throws {
        let vault = try await TestVault.make()
        let before = try await vault.send(.get, "/api/v1/settings/setting/")
        #expect(before.status == 200)
        #expect(try before.value("SECURITY_DISABLE_VIEW_SECRET")?.bool == false)

        let after = try await vault.send(.patch, "/api/v1/settings/setting/", #"{"SECURITY_DISABLE_VIEW_SECRET":true}"#)
        #expect(after.status == 200)
        #expect(try after.value("SECURITY_DISABLE_VIEW_SECRET")?.bool == true)
        #expect(vault.backend.settings.hidesSecrets)

        let actions = try vault.audit().map { "\($0.action) \($0.outcome)" }
        #expect(actions.suffix(3) == ["setting.view granted", "setting.change open", "setting.change granted"])
    }

    @Test("a setting that was never set has its default; one whose row was taken away is a fault, not its default")
    func missing() async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.backend.database.read { try Settings.get("SECURITY_DISABLE_VIEW_SECRET", on: $0) } == nil)
        #expect(
            try await vault.send(.patch, "/api/v1/settings/setting/", #"{"SECURITY_DISABLE_VIEW_SECRET":true}"#).status == 200)
        let connection = try vault.backend.database.makeConfinedConnection(writable: true)
        try connection.execute("DELETE FROM settings WHERE name = 'SECURITY_DISABLE_VIEW_SECRET'", [])
        #expect(try await vault.send(.get, "/api/v1/settings/setting/").status == 500)
        #expect(
            try await vault.send(.patch, "/api/v1/settings/setting/", #"{"APPLICATION_NOT_FOUND_AS_404":true}"#).status == 500)
        #expect(vault.backend.settings.hidesSecrets)
    }

    @Test("the limit of the history holds from the next write on: so many of the newest versions stay, with the current one")
    func historyLimit() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeAccount("root", on: vault.makeAsset("web"), secret: "v1")
        func write(_ numbers: ClosedRange<Int>) async throws {
            for number in numbers {
                let body = #"{"secret":"v\#(number)"}"#
                #expect(try await vault.send(.patch, "/api/v1/accounts/accounts/\(id)/", body).status == 200)
            }
        }
        try await vault.confirm()
        let history = "/api/v1/accounts/account-secrets/\(id)/histories/"
        try await write(2...6)
        #expect(try await vault.send(.get, history).column("secret") == ["v5", "v4", "v3", "v2", "v1"])
        let limit = #"{"HISTORY_ACCOUNT_CLEAN_LIMIT":3}"#
        #expect(try await vault.send(.patch, "/api/v1/settings/setting/", limit).status == 200)
        try await write(7...8)
        // Without the current one, which the history does not show.
        #expect(try await vault.send(.get, history).column("secret") == ["v7", "v6"])
        for wrong in ["0", "1000", "-1", "2.5"] {
            let refused = try await vault.send(.patch, "/api/v1/settings/setting/", #"{"HISTORY_ACCOUNT_CLEAN_LIMIT":\#(wrong)}"#)
            #expect(refused.status == 400 && refused.text.contains("HISTORY_ACCOUNT_CLEAN_LIMIT"), "\(wrong): \(refused.text)")
        }
    }

    @Test("a request without a login is refused")
    func stranger() async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, "/api/v1/settings/setting/", token: "").status == 401)
        #expect(try await vault.send(.get, "/api/v1/settings/setting/", token: String(repeating: "a", count: 36)).status == 401)
    }
}
