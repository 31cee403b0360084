internal import API
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
internal import TestSupport
import Testing

@Suite("Accounts")
struct AccountsTests {
    private let path = "/api/v1/accounts/accounts/"

    @Test("a created account comes back without its secret, and so do detail and list")
    func create() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        try await vault.makeLabel("env", "prod")
        let body =
            #"{"asset":{"id":"\#(asset)"},"username":" root ","secret":"pl4in-s3cret","secret_type":{"value":"password"},"labels":["env:prod"]}"#
        let made = try await vault.send(.post, path, body)
        #expect(made.status == 201, "\(made.text)")
        #expect(try made.string("name") == "root")
        #expect(try made.string("username") == "root")
        #expect(try made.string("secret_type.value") == "password")
        #expect(try made.string("asset.name") == "web")
        #expect(try made.value("has_secret")?.bool == true)
        #expect(try made.int("version") == 1)
        #expect(try made.string("labels.0") == "env:prod")
        #expect(try made.string("org_name") == "Default")
        let id = try #require(try made.string("id"))
        let shown = try await vault.send(.get, path + id + "/")
        #expect(shown.text == made.text)
        let list = try await vault.send(.get, path)
        for answer in [made, shown, list] { #expect(!answer.text.contains("pl4in-s3cret")) }
        #expect(try list.column("id") == [id])
    }

    @Test(
        "wrong fields are named",
        arguments: [
            (#""username":"a;b""#, "username"), (#""username":"a'b""#, "username"), (#""username":"a\nb""#, "username"),
            (#""username":"a","secret":7"#, "secret"), (#""username":"a","secret":"{{ x }}""#, "secret"),
            (#""username":"a","secret":"a\u0000b""#, "secret"),
            (#""username":"a","secret_type":"ssh_key","secret":"x""#, "secret"),
            (#""username":"a","secret_type":"magic""#, "secret_type"), (#""username":"a","passphrase":"x""#, "passphrase"),
            (#""username":"a","secret":"x","passphrase":"x""#, "passphrase"),
            (#""username":"a","secret_type":"ssh_key","passphrase":"x""#, "passphrase"),
            (#""username":"a","secret_type":"ssh_key","secret":"x","passphrase":"x""#, "secret"),
            (#""username":"a","push_now":true"#, "push_now"), (#""username":"a","colour":"red""#, "colour"),
            (#""username":"a","labels":["nosuch"]"#, "labels.0"), (#""username":"""#, "name"),
            (#""username":"a","comment":null"#, "comment"),
            (#""username":"a","su_from":"00000000-0000-0000-0000-000000000009""#, "su_from"),
        ])
    func wrong(fields: String, name: String) async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let answer = try await vault.send(.post, path, #"{"asset":"\#(asset)",\#(fields)}"#)
        #expect(answer.status == 400)
        #expect(try answer.json[name]?.array != nil, "\(answer.text)")
        #expect(try await vault.send(.get, path).column("id").isEmpty)
    }

    @Test("a private key is taken as it is, and an unknown asset is named")
    func keys() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let key = #"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"#
        let body = #"{"asset":"\#(asset)","username":"k","secret_type":"ssh_key","secret":"\#(key)"}"#
        #expect(try await vault.send(.post, path, body).status == 201)
        let nowhere = try await vault.send(.post, path, #"{"asset":"\#(AssetID.random())","username":"k"}"#)
        #expect(nowhere.status == 400)
        #expect(try nowhere.value("asset")?.array != nil)
    }

    @Test(
        "a protected key is unlocked and kept without its passphrase; where that is wrong or missing, the answer names its field")
    func protectedKeys() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let word = "a pass phrase \u{E9}"
        let forms: [TestKeyPair] = [
            try .make(.ed25519, passphrase: word), try .make(.rsa, bits: 2048, form: .pem, passphrase: word),
            try .make(.ecdsa, form: .pkcs8, passphrase: word),
        ]
        func body(_ name: String, _ pair: TestKeyPair, _ passphrase: String?) -> String {
            let key = String(decoding: pair.privateKey, as: UTF8.self).replacing("\n", with: "\\n")
            let more = passphrase.map { #","passphrase":"\#($0)""# } ?? ""
            return #"{"asset":"\#(asset)","username":"\#(name)","secret_type":"ssh_key","secret":"\#(key)"\#(more)}"#
        }
        try await vault.confirm()
        func kept(_ id: String) async throws -> SSHKeyPair {
            let text = try await vault.send(.get, "/api/v1/accounts/account-secrets/\(id)/").string("secret") ?? ""
            var bytes = Array(text.utf8)
            return try SSHKeyPair.read(Secret(moving: &bytes))
        }
        for (number, pair) in forms.enumerated() {
            for wrong in ["no", nil] {
                let refused = try await vault.send(.post, path, body("k\(number)", pair, wrong))
                #expect(refused.status == 400)
                #expect(try refused.value("passphrase")?.array != nil && refused.value("secret") == nil, "\(refused.text)")
            }
            let made = try await vault.send(.post, path, body("k\(number)", pair, word))
            #expect(made.status == 201 && !made.text.contains(word), "\(made.text)")
            let key = try await kept(try #require(try made.string("id")))
            let line = key.publicKey.line().split(separator: " ")
            #expect(pair.publicKey.split(separator: " ").prefix(2) == line.prefix(2) && line.count >= 2)
        }
        let many = "[\(body("l0", forms[0], word)),\(body("l1", forms[0], "no"))]"
        let refused = try await vault.send(.post, path, many)
        #expect(try refused.status == 400 && refused.json["1.passphrase"]?.array != nil, "\(refused.text)")
        let list = try await vault.send(.post, path, "[\(body("l0", forms[0], word)),\(body("l1", forms[2], word))]")
        #expect(list.status == 201, "\(list.text)")
        // A change: another key, with the passphrase of its own.
        let id = try #require(try list.string("0.id"))
        #expect(try await vault.send(.patch, path + id + "/", body("l0", forms[1], "no")).value("passphrase")?.array != nil)
        #expect(try await vault.send(.patch, path + id + "/", body("l0", forms[1], word)).int("version") == 2)
        #expect(try await kept(id).kind == .rsa)
        #expect(try vault.auditBodies().allSatisfy { !$0.contains(word) && !$0.contains("PRIVATE KEY") })
    }

    @Test("no more protected keys are unlocked for one request than that it stays a short one")
    func manyProtectedKeys() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        func one(_ number: Int) -> String {
            #"{"asset":"\#(asset)","username":"k\#(number)","secret_type":"ssh_key","secret":"-","passphrase":"x"}"#
        }
        let answer = try await vault.send(.post, path, "[" + (0..<33).map(one).joined(separator: ",") + "]")
        #expect(answer.status == 400 && answer.text.contains("32"), "\(answer.text)")
    }

    @Test("a second account of the same name or user name is refused at its field, and a name that nobody asked for gives way")
    func unique() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        try await vault.makeAccount("root", on: asset)
        let same = try await vault.send(.post, path, #"{"asset":"\#(asset)","username":"root"}"#)
        #expect(same.status == 400)
        #expect(try same.value("username")?.array != nil, "\(same.text)")
        let named = try await vault.send(.post, path, #"{"asset":"\#(asset)","name":"root","username":"other"}"#)
        #expect(try named.value("name")?.array != nil, "\(named.text)")
        let token = try await vault.send(.post, path, #"{"asset":"\#(asset)","username":"root","secret_type":"token"}"#)
        #expect(token.status == 201)
        let name = try #require(try token.string("name"))
        #expect(name.hasPrefix("root_") && name.count == 9)
    }

    @Test("PATCH keeps what is absent, PUT does not, and neither changes user name or asset")
    func change() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let id = try await vault.makeAccount("root", on: asset, more: #","privileged":true,"comment":"c""#)
        let patched = try await vault.send(.patch, path + id + "/", #"{"is_active":false}"#)
        #expect(patched.status == 200, "\(patched.text)")
        #expect(try patched.value("privileged")?.bool == true)
        #expect(try patched.value("is_active")?.bool == false)
        #expect(try patched.string("comment") == "c")
        let whole = try await vault.send(.put, path + id + "/", #"{"asset":"\#(asset)","username":"root"}"#)
        #expect(try whole.value("privileged")?.bool == false)
        #expect(try whole.value("is_active")?.bool == true)
        #expect(try whole.string("comment") == "")
        #expect(try whole.value("has_secret")?.bool == true)
        #expect(try await vault.send(.put, path + id + "/", whole.text).status == 200)
        let renamed = try await vault.send(.patch, path + id + "/", #"{"username":"toor"}"#)
        #expect(try renamed.value("username")?.array != nil)
        let moved = try await vault.send(.patch, path + id + "/", #"{"asset":"\#(AssetID.random())"}"#)
        #expect(try moved.value("asset")?.array != nil)
        let typed = try await vault.send(.patch, path + id + "/", #"{"secret_type":"token"}"#)
        #expect(try typed.value("secret_type")?.array != nil)
    }

    @Test("a changed secret is a new version, an equal one too, and a blank one changes nothing")
    func versions() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let id = try await vault.makeAccount("root", on: asset, secret: "one")
        #expect(try await vault.send(.patch, path + id + "/", #"{"secret":"two"}"#).int("version") == 2)
        #expect(try await vault.send(.patch, path + id + "/", #"{"secret":"two"}"#).int("version") == 3)
        #expect(try await vault.send(.patch, path + id + "/", #"{"secret":""}"#).int("version") == 3)
        #expect(try await vault.send(.patch, path + id + "/", #"{"secret":null}"#).int("version") == 3)
        let changes = try await vault.entries("action=account.change&outcome=granted")
        #expect(changes.compactMap { $0["version"]?.int }.sorted() == [2, 3])
    }

    @Test("clearing takes the secret away and keeps its value in history; an unknown id is refused")
    func clear() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let id = try await vault.makeAccount("root", on: asset)
        let cleared = try await vault.send(.patch, path + "clear-secret/", #"{"account_ids":["\#(id)"]}"#)
        #expect(try cleared.int("cleared") == 1)
        #expect(try await vault.send(.get, path + id + "/").value("has_secret")?.bool == false)
        try await vault.confirm()
        let past = try await vault.send(.get, "/api/v1/accounts/account-secrets/\(id)/histories/")
        #expect(try past.string("0.secret") == "s3cret")
        #expect(
            try await vault.send(.patch, path + "clear-secret/", #"{"account_ids":["\#(AccountID.random())"]}"#).status == 400)
    }

    @Test("accounts to switch from are of the same asset and do not form a ring; deleting one frees those that came from it")
    func switching() async throws {
        let vault = try await TestVault.make()
        let (asset, other) = (try await vault.makeAsset("web"), try await vault.makeAsset("db"))
        let user = try await vault.makeAccount("user", on: asset)
        let stranger = try await vault.makeAccount("user", on: other)
        let root = try await vault.makeAccount("root", on: asset, more: #","su_from":"\#(user)""#)
        #expect(try await vault.send(.get, path + root + "/").string("su_from.username") == "user")
        #expect(try await vault.send(.patch, path + root + "/", #"{"su_from":"\#(stranger)"}"#).status == 400)
        #expect(try await vault.send(.patch, path + user + "/", #"{"su_from":"\#(root)"}"#).status == 400)
        #expect(try await vault.send(.patch, path + user + "/", #"{"su_from":"\#(user)"}"#).status == 400)
        #expect(try await vault.send(.delete, path + user + "/").status == 204)
        #expect(try await vault.send(.get, path + user + "/").status == 404)
        #expect(try await vault.send(.get, path + root + "/").value("su_from")?.isNull == true)
    }

    @Test("an array creates many, in order and each named in the audit; a wrong one is named by its place")
    func bulk() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let items = (0..<150).map { #"{"asset":"\#(asset)","username":"u\#($0)","secret":"s\#($0)"}"# }
        let made = try await vault.send(.post, path, "[" + items.joined(separator: ",") + "]")
        #expect(made.status == 201, "\(made.text.prefix(300))")
        #expect(try made.column("username") == (0..<150).map { "u\($0)" })
        let named = try await vault.entries("action=account.create&outcome=granted").compactMap {
            $0["objects"]?.array.map { Array($0).count }
        }
        #expect(named.reduce(0, +) == 150)
        let wrong = try await vault.send(
            .post, path, #"[{"asset":"\#(asset)","username":"x"},{"asset":"\#(asset)","username":"a;b"}]"#)
        #expect(try wrong.json["1.username"]?.array != nil, "\(wrong.text)")
        let taken = try await vault.send(
            .post, path, #"[{"asset":"\#(asset)","username":"y"},{"asset":"\#(asset)","username":"u7"}]"#)
        #expect(try taken.json["1.username"]?.array != nil, "\(taken.text)")
        #expect(try await vault.send(.get, path + "?limit=1").int("count") == 150)
    }

    @Test(
        "lists are filtered, searched, ordered and paged",
        arguments: [
            ("?username=root", ["root"]), ("?username__in=root,app", ["app", "root"]), ("?privileged=true", ["root"]),
            ("?search=DB&limit=10", ["app"]), ("?asset_name=web&order=-username", ["root", "guest"]),
            ("?has_secret=false", ["guest"]),
            ("?platform=MySQL", ["app"]), ("?platform=17", ["app"]), ("?category=database", ["app"]),
            ("?name__startswith=gu", ["guest"]),
            ("?limit=1&offset=1&order=username", ["guest"]), ("?draw=1&username=", ["app", "guest", "root"]),
        ])
    func filters(query: String, expected: [String]) async throws {
        let vault = try await TestVault.make()
        let (web, db) = (try await vault.makeAsset("web"), try await vault.makeAsset("db", platform: 17))
        try await vault.makeAccount("root", on: web, more: #","privileged":true"#)
        try await vault.makeAccount("guest", on: web, secret: "")
        try await vault.makeAccount("app", on: db)
        let answer = try await vault.send(.get, path + query)
        #expect(answer.status == 200)
        #expect(try answer.column("username") == expected)
    }

    @Test(
        "a filter that cannot be meant is refused rather than left out",
        arguments: ["?privileged=perhaps", "?name__regex=.", "?asset_id=7"])
    func wrongFilters(query: String) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, path + query).status == 400)
    }

    @Test(
        "a filter of JumpServer's list that is not here is refused: left out it would show accounts that were not meant",
        arguments: ["attr_rules=W10=", "risk=weak_password", "latest_updated=1", "long_time_no_change_secret=1"])
    func foreignFilters(filter: String) async throws {
        let vault = try await TestVault.make()
        try await vault.makeAccount("root", on: vault.makeAsset("web"))
        let answer = try await vault.send(.get, path + "?limit=10&" + filter)
        let name = filter.prefix { $0 != "=" }
        #expect(try answer.status == 400 && answer.string("\(name).0") == "This filter is not offered.", "\(answer.text)")
        #expect(try await vault.send(.get, path + "?unheard_of=1").status == 200)
    }

    @Test("another organization's account is not there, whatever is tried")
    func scope() async throws {
        let vault = try await TestVault.make()
        let other = try await vault.makeOrganization()
        let asset = try await vault.makeAsset("web", in: other)
        let id = try await vault.makeAccount("root", on: asset, in: other)
        for method in [HTTPServer.Method.get, .patch, .delete] {
            #expect(try await vault.send(method, path + id + "/", method == .patch ? "{}" : nil).status == 404)
        }
        #expect(try await vault.send(.post, path, #"{"asset":"\#(asset)","username":"x"}"#).status == 400)
        #expect(try await vault.send(.get, path).column("id").isEmpty)
        #expect(try await vault.send(.get, path + id + "/", in: other.description).status == 200)
    }

    @Test("a row that was tampered with is neither shown nor changed into a good one")
    func tampered() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let id = try await vault.makeAccount("root", on: asset)
        try await vault.backend.database.write { db in
            try db.execute("UPDATE accounts SET privileged = 1 WHERE username = ?", [.text("root")])
        }
        #expect(try await vault.send(.get, path + id + "/").status == 500)
        #expect(try await vault.send(.patch, path + id + "/", #"{"comment":"x"}"#).status == 500)
        #expect(try await vault.send(.get, path + id + "/").status == 500)
    }
}
