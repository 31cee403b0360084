import JSON
import TestSupport
import Testing

/// The whole way on a real host: from the task over the API to the login with the new password.
@Suite("Automation of a Linux host", .enabled(if: TestHost.obstacle == nil, "\(TestHost.obstacle ?? "")"))
struct HostAutomationTests {
    private static let old = "an-Old-Secret-1"

    private func start(_ host: TestHost, configuration: String? = nil) async throws -> (Operations, asset: String) {
        let shop = try await Operations(configuration: configuration)
        _ = try await shop.run(
            ["asset", "create", "web1", "--address", "127.0.0.1", "--platform", "Linux", "--protocol", "ssh:\(host.port)"])
        _ = try await shop.run(["account", "create", "web1", "root", "--privileged"], host.root.password)
        _ = try await shop.run(["account", "create", "web1", "deploy"], Self.old)
        return (shop, try #require(try await shop.first("/api/v1/assets/hosts/?name=web1")))
    }

    @Test("a change task gives the account a new password that logs in, and the old one does not any more")
    func change() async throws {
        let host = try await TestHost.start(users: [.init("deploy", password: Self.old)])
        let login = try PasswordLogin(at: host)
        #expect(try await login.succeeds("deploy", Self.old))
        let (shop, asset) = try await start(host)
        _ = try await shop.admin.create(
            "accounts/change-secret-automations",
            #"{"name":"nightly","accounts":["deploy"],"assets":["\#(asset)"],"secret_strategy":"random"}"#)
        let ran = try await shop.run(["task", "run", "nightly"])
        #expect(ran.contains("deploy") && ran.contains("success"), "\(ran)")
        #expect(try await shop.run(["task", "records", "nightly"]).contains("success"))
        let account = try #require(try await shop.account("deploy"))
        let first = try await shop.secret(account)
        #expect(first != Self.old)
        #expect(try await login.succeeds("deploy", first))
        #expect(try await !login.succeeds("deploy", Self.old))

        #expect(try await shop.run(["account", "verify", "web1/deploy"]).contains("success"))
        #expect(try await shop.run(["account", "rotate", "web1/deploy"]).contains("success"))
        let second = try await shop.secret(account)
        #expect(try await login.succeeds("deploy", second))
        #expect(try await !login.succeeds("deploy", first))
        try await requireOneEntryEach(shop)
        #expect(try await shop.server.stop() == .status(0))
        await host.stop()
    }

    /// Every account's part of an execution is announced once and told once, and nothing holds a secret.
    private func requireOneEntryEach(_ shop: Operations) async throws {
        let audit = try await AuditExport(shop.server)
        // The request that asked for the run names no asset.
        let turned = audit.entries("account.rotate", outcome: "granted").filter { entry in
            entry["objects"]?.array?.contains { $0["kind"]?.string == "asset" } ?? false
        }
        #expect(turned.count == 2)
        #expect(audit.entries("account.rotate", outcome: "failed").isEmpty)
        #expect(try await AuditExport.isWhole(shop.server))
    }

    @Test("a change costs two logins, and accounts that are the first of their host together cost it one refused login in all")
    func logins() async throws {
        let names = (1...6).map { "user\($0)" }
        let host = try await TestHost.start(users: names.map { .init($0, password: Self.old) } + [.init("deploy")])
        let (shop, asset) = try await start(host, configuration: "automation:\n  accounts_per_host: 6\n")
        for name in names { _ = try await shop.run(["account", "create", "web1", name], Self.old) }
        let accounts = names.map { #""\#($0)""# }.joined(separator: ",")
        _ = try await shop.admin.create(
            "accounts/change-secret-automations",
            #"{"name":"all","accounts":[\#(accounts)],"assets":["\#(asset)"],"secret_strategy":"random"}"#)
        #expect(try await shop.run(["task", "run", "all"]).contains("success"))
        #expect(try await shop.server.stop() == .status(0))
        #expect(try await host.count(of: "Accepted password for", awaiting: 2 * names.count) == 2 * names.count, "\(host.log)")
        #expect(try await host.count(of: "Failed password for", awaiting: 1) == 1, "\(host.log)")
        await host.stop()
    }

    @Test("a push creates an account on the host and in the vault, with a password or with a key; a removal takes it away")
    func push() async throws {
        let host = try await TestHost.start()
        let (shop, asset) = try await start(host)
        _ = try await shop.admin.create(
            "accounts/push-account-automations",
            #"""
            {"name":"people","accounts":["fresh"],"assets":["\#(asset)"],"secret_strategy":"random",
             "params":{"linux":{"shell":"/bin/bash"}}}
            """#)
        let pushed = try await shop.run(["task", "run", "people"])
        #expect(pushed.contains("fresh") && pushed.contains("success"), "\(pushed)")
        #expect(try await host.shell("getent passwd fresh").succeeded)
        let account = try #require(try await shop.account("fresh"))
        let password = try await shop.secret(account)
        #expect(try await PasswordLogin(at: host).succeeds("fresh", password))
        // What is on both sides is left alone.
        #expect(try await shop.run(["task", "run", "people"]).contains("success"))
        #expect(try await shop.secret(account) == password)

        _ = try await shop.admin.create(
            "accounts/push-account-automations",
            #"""
            {"name":"robots","accounts":["robot"],"assets":["\#(asset)"],"secret_strategy":"random","secret_type":"ssh_key"}
            """#)
        let keyed = try await shop.run(["task", "run", "robots"])
        #expect(keyed.contains("robot") && keyed.contains("success"), "\(keyed)")
        let key = try #require(try await shop.account("robot", "ssh_key"))
        #expect(try await shop.secret(key).hasPrefix("-----BEGIN OPENSSH PRIVATE KEY-----"))
        #expect(try await host.expect("cat ~robot/.ssh/authorized_keys").contains("ssh-ed25519"))

        _ = try await shop.admin.create(
            "accounts/remove-account-automations", #"{"name":"leavers","accounts":["fresh"],"assets":["\#(asset)"]}"#)
        #expect(try await shop.run(["task", "run", "leavers"]).contains("success"))
        #expect(try await !host.shell("getent passwd fresh").succeeded)
        #expect(try await shop.server.stop() == .status(0))
        await host.stop()
    }

    @Test("a key that came with a passphrase logs in, and does the work on its host")
    func protectedKey() async throws {
        let word = "a pass phrase"
        let pair = try TestKeyPair.make(.ed25519, passphrase: word)
        let host = try await TestHost.start(users: [
            .init("deploy", password: Self.old), .init("keeper", sudo: .withoutPassword, keys: [pair.publicKey]),
        ])
        let shop = try await Operations()
        _ = try await shop.run(
            ["asset", "create", "web1", "--address", "127.0.0.1", "--platform", "Linux", "--protocol", "ssh:\(host.port)"])
        let create = [
            "account", "create", "web1", "keeper", "--privileged", "--secret-type", "ssh_key", "--passphrase", "first-line",
        ]
        let key = String(decoding: pair.privateKey, as: UTF8.self)
        let refused = try await shop.server.client(create, input: Array(("wrong\n" + key).utf8))
        #expect(!refused.succeeded && refused.standardError.contains("passphrase"), "\(refused.standardError)")
        _ = try await shop.run(create, word + "\n" + key)
        #expect(try await shop.run(["account", "verify", "web1/keeper"]).contains("success"))
        _ = try await shop.run(["account", "create", "web1", "deploy"], Self.old)
        #expect(try await shop.run(["account", "rotate", "web1/deploy"]).contains("success"))
        let account = try #require(try await shop.account("deploy"))
        #expect(try await PasswordLogin(at: host).succeeds("deploy", try await shop.secret(account)))
        #expect(try await shop.server.stop() == .status(0))
        await host.stop()
    }

    @Test("a push that fails leaves no empty account in the vault, and says why")
    func failedPush() async throws {
        let host = try await TestHost.start()
        let (shop, asset) = try await start(host)
        await host.stop()
        _ = try await shop.admin.create(
            "accounts/push-account-automations",
            #"{"name":"people","accounts":["fresh"],"assets":["\#(asset)"],"secret_strategy":"random"}"#)
        let pushed = try await shop.server.client(["task", "run", "people"])
        #expect(!pushed.succeeded && pushed.text.contains("unreachable"), "\(pushed.text)")
        #expect(try await shop.account("fresh") == nil)
        #expect(try await shop.server.stop() == .status(0))
    }
}
