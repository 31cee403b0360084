internal import API
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Tasks")
struct AutomationTasksTests {
    static let kinds = ["push-account", "change-secret", "verify-account", "remove-account"]
    private let path = "/api/v1/accounts/change-secret-automations/"

    private static func path(_ kind: String) -> String { "/api/v1/accounts/\(kind)-automations/" }
    private static func body(_ kind: String, _ name: String = "nightly") -> String {
        let strategy = ["push-account", "change-secret"].contains(kind) ? #","secret_strategy":"random""# : ""
        return #"{"name":"\#(name)","accounts":["@ALL"]\#(strategy)}"#
    }

    @Test("a task that names an asset or a node that is gone can be switched off, corrected and copied; nothing new may be gone")
    func goneReferences() async throws {
        let vault = try await TestVault.make()
        let (asset, other) = (try await vault.makeAsset("web-1"), try await vault.makeAsset("web-2"))
        let made = try await vault.send(.post, "/api/v1/assets/nodes/", #"{"value":"n"}"#)
        let node = try #require(try made.string("id"))
        let id = try await vault.makeTask("t", more: #","assets":["\#(asset)","\#(other)"],"nodes":["\#(node)"]"#)
        let task = "/api/v1/accounts/change-secret-automations/\(id)/"
        #expect(try await vault.send(.delete, "/api/v1/assets/assets/\(asset)/").status == 204)
        #expect(try await vault.send(.delete, "/api/v1/assets/nodes/\(node)/").status == 204)
        let off = try await vault.send(.patch, task, #"{"is_active":false}"#)
        #expect(try off.status == 200 && off.value("is_active")?.bool == false, "\(off.text)")
        #expect(try await vault.send(.post, task + "duplicate/").status == 201)
        #expect(try await vault.send(.patch, task + "asset/remove/", #"{"assets":["\#(asset)"]}"#).status == 200)
        // What it does not name any more cannot be named anew.
        let again = try await vault.send(.patch, task + "asset/add/", #"{"assets":["\#(asset)"]}"#)
        #expect(try again.status == 400 && again.string("assets.0") == "There is no such asset.")
        #expect(try await vault.send(.patch, task, #"{"assets":["\#(other)"],"nodes":[]}"#).status == 200)
    }

    @Test("a task of each kind is defined, shown, replaced by its own answer, and deleted", arguments: kinds)
    func lifecycle(kind: String) async throws {
        let vault = try await TestVault.make()
        let path = Self.path(kind)
        let made = try await vault.send(.post, path, Self.body(kind))
        #expect(made.status == 201, "\(made.text)")
        let id = try #require(try made.string("id"))
        let shown = try await vault.send(.get, path + id + "/")
        #expect(shown.text == made.text)
        let replaced = try await vault.send(.put, path + id + "/", shown.text)
        #expect(replaced.status == 200, "\(replaced.text)")
        #expect(try replaced.value("accounts.0")?.string == "@ALL")
        #expect(try await vault.send(.get, path).column("id") == [id])
        for other in Self.kinds where other != kind {
            #expect(try await vault.send(.get, Self.path(other) + id + "/").status == 404)
            #expect(try await vault.send(.delete, Self.path(other) + id + "/").status == 404)
            #expect(try await vault.send(.get, Self.path(other)).column("id").isEmpty)
        }
        #expect(try await vault.send(.post, path, Self.body(kind)).value("name.0")?.string == "This field must be unique.")
        #expect(try await vault.send(.delete, path + id + "/").status == 204)
        #expect(try await vault.send(.get, path + id + "/").status == 404)
    }

    @Test(
        "wrong fields are named",
        arguments: [
            (#""name":"a","secret_strategy":"random""#, "accounts"),
            (#""name":"a","accounts":["@ANON"],"secret_strategy":"random""#, "accounts.0"),
            (#""name":"a","accounts":[]"#, "secret_strategy"),
            (#""name":"a","accounts":[],"secret_strategy":"odd""#, "secret_strategy"),
            (#""name":"a","accounts":[],"secret_strategy":"specific""#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"random","secret":"x""#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"specific","secret":"a\nb""#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"specific","secret":"short","password_rules":{"length":12}"#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"specific","secret":"seven77""#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"specific","secret_type":"ssh_key","secret":"no key""#, "secret"),
            (#""name":"a","accounts":[],"secret_strategy":"random","password_rules":{"length":7}"#, "password_rules.length"),
            (#""name":"a","accounts":[],"secret_strategy":"random","secret_type":"token""#, "secret_type"),
            (#""name":"a","accounts":[],"secret_strategy":"random","crontab":"61 * * * *""#, "crontab"),
            (#""name":"a","accounts":[],"secret_strategy":"random","crontab":"* * * * *""#, "crontab"),
            (#""name":"a","accounts":[],"secret_strategy":"random","is_periodic":true,"interval":null"#, "crontab"),
            (#""name":"a","accounts":[],"secret_strategy":"random","interval":0"#, "interval"),
            (#""name":"a","accounts":[],"secret_strategy":"random","timezone":"Europe/Atlantis""#, "timezone"),
            (#""name":"a","accounts":[],"secret_strategy":"random","timezone":"../../etc/passwd""#, "timezone"),
            (#""name":"a","accounts":[],"secret_strategy":"random","recipients":["nobody"]"#, "recipients.0"),
            (#""name":"a","accounts":[],"secret_strategy":"random","recipients":["a@b\r\nRCPT TO:<c@d>"]"#, "recipients.0"),
            (#""name":"a","accounts":[],"secret_strategy":"random","params":{"linux":[]}"#, "params"),
            (#""name":"a","accounts":[],"secret_strategy":"random","assets":["00000000-0000-0000-0000-000000000009"]"#, "assets"),
            (#""name":"a","accounts":[],"secret_strategy":"random","nodes":["00000000-0000-0000-0000-000000000009"]"#, "nodes"),
        ])
    func wrong(fields: String, name: String) async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(.post, path, "{\(fields)}")
        #expect(answer.status == 400)
        #expect(try answer.json[name]?.array != nil, "\(answer.text)")
        #expect(!answer.text.contains("passwd") && !answer.text.contains("short\""))
    }

    @Test("a specific secret is taken, never shown, and stays through changes until the strategy is another")
    func secret() async throws {
        let vault = try await TestVault.make()
        let body = #"{"name":"s","accounts":["a"],"secret_strategy":"specific","secret":"Tr0ub4dor&3"}"#
        let made = try await vault.send(.post, path, body)
        #expect(made.status == 201 && !made.text.contains("Tr0ub4dor"))
        let id = try #require(try made.string("id"))
        let changed = try await vault.send(.patch, path + id + "/", #"{"comment":"x"}"#)
        #expect(try changed.value("has_secret")?.bool == true)
        let copy = try await vault.send(.post, path + id + "/duplicate/")
        #expect(copy.status == 201, "\(copy.text)")
        #expect(try copy.string("name") == "s copy")
        #expect(try copy.value("has_secret")?.bool == true && copy.value("is_active")?.bool == false)
        let random = try await vault.send(.patch, path + id + "/", #"{"secret_strategy":"random"}"#)
        #expect(try random.value("has_secret")?.bool == false)
        #expect(try await vault.send(.patch, path + id + "/", #"{"secret_strategy":"specific"}"#).status == 400)
        #expect(try vault.auditBodies().allSatisfy { !$0.contains("Tr0ub4dor") })
    }

    @Test(
        "a specific secret without rules is checked against what the platforms take, and nothing more; the answer says what is wrong"
    )
    func platforms() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("ora", platform: 20)
        let host = try await vault.makeAsset("web")
        func answer(_ secret: String, _ assets: [AssetID], _ name: String = "s") async throws -> Answer {
            let ids = assets.map { #""\#($0)""# }.joined(separator: ",")
            let body =
                #"{"name":"\#(name)","accounts":["a"],"assets":[\#(ids)],"secret_strategy":"specific","secret":"\#(secret)"}"#
            return try await vault.send(.post, path, body)
        }
        let short = try await answer("Short-7", [host])
        #expect(short.status == 400)
        #expect(try short.string("secret.0")?.contains("at least 8 characters") == true, "\(short.text)")
        let long = try await answer(String(repeating: "a", count: 129), [])
        #expect(try long.status == 400 && long.string("secret.0")?.contains("at most 128") == true, "\(long.text)")
        // A line of words is as good a password as any where the target takes it.
        #expect(try await answer("correct horse battery staple", [host], "words").status == 201)
        let foreign = try await answer("correct horse battery staple, and more", [host, asset])
        #expect(foreign.status == 400)
        let words = try foreign.string("secret.0") ?? ""
        #expect(words.contains("at most 30") && words.contains("do not allow"), "\(words)")
        #expect(try await answer("Plain_words_8", [host, asset], "plain").status == 201)
        // Whoever gives rules is held to those.
        let ruled =
            #"{"name":"r","accounts":["a"],"assets":["\#(host)"],"secret_strategy":"specific","secret":"correct horse battery","#
            + #""password_rules":{"length":8}}"#
        #expect(try await vault.send(.post, path, ruled).string("secret.0")?.contains("do not allow") == true)
        let changed = try #require(try await vault.send(.get, path + "?name=plain").column("id").first)
        #expect(try await vault.send(.patch, path + changed + "/", #"{"secret":"9-is-first"}"#).status == 400)
    }

    @Test("a specific secret that was checked against other rules is asked for again when the rules change")
    func newRules() async throws {
        let vault = try await TestVault.make()
        let body =
            #"{"name":"s","accounts":["a"],"secret_strategy":"specific","secret":"Tr0ub4dor&3","password_rules":{"length":8}}"#
        let task = path + (try #require(try await vault.send(.post, path, body).string("id"))) + "/"
        let stricter = #""password_rules":{"length":20}"#
        #expect(try await vault.send(.patch, task, "{\(stricter)}").value("secret.0")?.string?.contains("again") == true)
        let long = try await vault.send(.patch, task, #"{"secret":"Tr0ub4dor&3",\#(stricter)}"#)
        #expect(long.status == 400, "\(long.text)")
        #expect(try await vault.send(.get, task).value("password_rules.length")?.int == 8)
        #expect(try await vault.send(.patch, task, #"{"secret":"Tr0ub4dor&3-and-more!",\#(stricter)}"#).status == 200)
        // What is not about the rules, or says them again, needs no secret.
        #expect(try await vault.send(.patch, task, #"{"comment":"x"}"#).status == 200)
        #expect(try await vault.send(.patch, task, "{\(stricter)}").status == 200)
    }

    @Test("the secret that a task sets on privileged accounts is changed only by somebody who says again who they are")
    func confirmedSecret() async throws {
        let vault = try await TestVault.make()
        try await vault.confirm()
        let body =
            #"{"name":"p","accounts":["root"],"secret_strategy":"specific","secret":"Tr0ub4dor&3","include_privileged":true}"#
        let task = path + (try #require(try await vault.send(.post, path, body).string("id"))) + "/"
        let login = #"{"username":"\#(TestVault.username)","password":"\#(vault.password)"}"#
        let token = try #require(try await vault.send(.post, "/api/v1/authentication/auth/", login, token: "").string("token"))
        let change = #"{"secret":"Known-to-me-1!"}"#
        #expect(try await vault.send(.patch, task, change, token: token).status == 412)
        #expect(try await vault.send(.patch, task, #"{"comment":"x"}"#, token: token).status == 200)
        #expect(try await vault.send(.patch, task, change).status == 200)
    }

    @Test(
        "an asset that is damaged, or has an account that is, is refused by name; the others are planned, and the task is shown",
        arguments: [
            "UPDATE accounts SET secret_type = 'odd' WHERE username = 'odd'",
            "UPDATE assets SET protocols = x'FF' WHERE name = 'b'",
            "UPDATE assets SET address = '10.6.6.6' WHERE name = 'b'",
        ] as [StaticString])
    func damagedAsset(damage: StaticString) async throws {
        let vault = try await TestVault.make()
        let (good, bad) = (try await vault.makeAsset("a"), try await vault.makeAsset("b"))
        for asset in [good, bad] {
            try await vault.makeAccount("admin", on: asset, more: #","privileged":true"#)
            try await vault.makeAccount("deploy", on: asset)
        }
        try await vault.makeAccount("odd", on: bad)
        let task =
            path + (try await vault.makeTask("t", accounts: #"["deploy"]"#, more: #","assets":["\#(good)","\#(bad)"]"#)) + "/"
        _ = try await vault.backend.database.write { try $0.execute(damage, []) }
        let answer = try await vault.send(.post, task + "dry-run/")
        let works = Array(try #require(try answer.value("works")?.array, "\(answer.text)"))
        #expect(works.count == 2 && works.contains { $0["asset"]?["id"]?.string == "\(good)" && $0["reason"]?.string == nil })
        #expect(works.contains { $0["asset"]?["id"]?.string == "\(bad)" && $0["reason"]?.string == "damaged_row" })
        #expect(try await vault.send(.get, task).value("assets")?.count == 2)
        #expect(try await vault.send(.get, path).status == 200)
    }

    @Test("a task that touches privileged accounts needs a fresh confirmation, when it is made and when its work is changed")
    func confirmation() async throws {
        let vault = try await TestVault.make()
        let body = #"{"name":"p","accounts":["root"],"secret_strategy":"random","include_privileged":true}"#
        #expect(try await vault.send(.post, path, body).status == 412)
        let plain = try await vault.makeTask("plain")
        #expect(try await vault.send(.patch, path + plain + "/", #"{"include_system":true}"#).status == 412)
        try await vault.confirm()
        #expect(try await vault.send(.post, path, body).status == 201)
        #expect(try await vault.send(.patch, path + plain + "/", #"{"include_system":true}"#).status == 200)
    }

    @Test("a schedule is shown with its next run, and switching off and on plans it anew")
    func schedule() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeTask("n", more: #","is_periodic":true,"crontab":"0 3 * * SUN","timezone":"Europe/Berlin""#)
        let shown = try await vault.send(.get, path + id + "/")
        #expect(try shown.string("crontab") == "0 3 * * sun")
        #expect(try shown.value("interval")?.isNull == true)
        let next = try #require(try shown.string("date_next_run").flatMap { WireDate.parse($0) })
        #expect(next > .now && CivilTime(next).date.weekday == 0 && [1, 2].contains(CivilTime(next).hour))
        let off = try await vault.send(.patch, path + id + "/", #"{"is_active":false}"#)
        #expect(try off.value("date_next_run")?.isNull == true)
        let on = try await vault.send(.patch, path + id + "/", #"{"is_active":true}"#)
        #expect(try on.string("date_next_run") == shown.string("date_next_run"))
        #expect(try on.value("is_overdue")?.bool == false)
    }

    @Test("assets and nodes are added and taken away one by one")
    func parts() async throws {
        let vault = try await TestVault.make()
        let (first, second) = (try await vault.makeAsset("a"), try await vault.makeAsset("b"))
        let root = try #require(try await vault.send(.get, "/api/v1/assets/nodes/").column("id").first)
        let id = try await vault.makeTask("t", more: #","assets":["\#(first)"]"#)
        let added = try await vault.send(.patch, path + id + "/asset/add/", #"{"assets":["\#(second)","\#(first)"]}"#)
        #expect(try added.value("assets")?.count == 2)
        for (query, names) in [
            ("?order=name", ["a", "b"]), ("?order=-name", ["b", "a"]), ("?search=B", ["b"]), ("?name=a", ["a"]),
        ] {
            #expect(try await vault.send(.get, path + id + "/assets/" + query).column("name") == names, "\(query)")
        }
        let removed = try await vault.send(.patch, path + id + "/asset/remove/", #"{"assets":[{"id":"\#(first)"}]}"#)
        #expect(try removed.value("assets")?.count == 1)
        #expect(
            try await vault.send(.patch, path + id + "/nodes/?action=add", #"{"nodes":["\#(root)"]}"#).value("nodes")?.count == 1)
        #expect(
            try await vault.send(.patch, path + id + "/nodes/?action=remove", #"{"nodes":["\#(root)"]}"#).value("nodes")?.count
                == 0)
        #expect(try await vault.send(.patch, path + id + "/nodes/?action=burn", "{}").status == 400)
    }

    @Test("a dry run says who would do what to which account, and why not, and changes nothing")
    func dryRun() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web-1")
        try await vault.makeAccount("admin", on: asset, more: #","privileged":true"#)
        try await vault.makeAccount("deploy", on: asset)
        let id = try await vault.makeTask("t", more: #","assets":["\#(asset)"]"#)
        let plan = try await vault.send(.post, path + id + "/dry-run/")
        #expect(plan.status == 200, "\(plan.text)")
        #expect(try plan.int("total") == 2)
        let works = Array(try #require(try plan.value("works")?.array))
        #expect(works.compactMap { $0["username"]?.string } == ["admin", "deploy"])
        #expect(works.map { $0["refused"]?.bool } == [true, false])
        #expect(works.first?["reason"]?.string == "privileged" && works.first?["detail"]?.string?.isEmpty == false)
        #expect(works.last?["does"]?.string == "change_secret" && works.last?["reason"]?.string == nil)
        #expect(try await vault.send(.get, "/api/v1/accounts/change-secret-executions/").column("id").isEmpty)
    }
}
