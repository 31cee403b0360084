internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Applications")
struct ApplicationsTests {
    private let path = "/api/v1/accounts/integration-applications/"

    @Test("creating shows the secret this once; its first key is named like the application and works at once")
    func create() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.makeApplication("billing")
        #expect(made.status == 201, "\(made.text)")
        let (id, secret) = (try #require(try made.string("id")), try #require(try made.string("secret")))
        #expect(secret.utf8.count == 36 && secret.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0 & 0xDF) })
        #expect(try made.column("ip_group").isEmpty && made.string("ip_group.0") == "*")
        #expect(vault.backend.policies.snapshot?.credentialCount == 1)
        let keys = try await vault.send(.get, path + id + "/credentials/")
        #expect(try keys.column("id") == [id])
        let others = [
            try await vault.send(.get, path), try await vault.send(.get, path + id + "/"), keys,
            try await vault.send(.patch, path + id + "/", #"{"comment":"x"}"#),
        ]
        for answer in others { #expect(answer.status == 200 && !answer.text.contains(secret)) }
    }

    @Test(
        "wrong fields are named",
        arguments: [
            (#""name":"a""#, "accounts"), (#""name":"a","accounts":{}"#, "accounts"), (#""accounts":{"type":"all"}"#, "name"),
            (#""name":"a","accounts":{"type":"all"},"ip_group":["10.0.0.1/8"]"#, "ip_group"),
            (#""name":"a","accounts":{"type":"all"},"ip_group":null"#, "ip_group"),
            (#""name":"a","accounts":{"type":"attrs","attrs":[{"name":"name","match":"regex","value":"."}]}"#, "accounts"),
            (#""name":"a","accounts":{"type":"attrs","attrs":[{"name":"secret","value":"x"}]}"#, "accounts"),
            (#""name":"a","accounts":{"type":"all"},"rate_limit":0"#, "rate_limit"),
            (#""name":"a","accounts":{"type":"all"},"owner":"x""#, "owner"),
            (#""name":"taken","accounts":{"type":"all"}"#, "name"),
        ])
    func wrong(fields: String, name: String) async throws {
        let vault = try await TestVault.make()
        _ = try await vault.makeApplication("taken")
        let answer = try await vault.send(.post, path, "{\(fields)}")
        #expect(answer.status == 400)
        #expect(try answer.json[name]?.array != nil, "\(answer.text)")
    }

    @Test("an empty address list is stored and denies")
    func emptyNetworks() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.makeApplication("none", more: #","ip_group":[]"#)
        #expect(made.status == 201)
        #expect(try made.value("ip_group")?.count == 0)
    }

    @Test("PATCH keeps what is absent, PUT does not; what a reply shows can be sent back")
    func change() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.makeApplication("a", more: #","ip_group":["10.0.0.0/8"],"rate_limit":5"#)
        let id = try #require(try made.string("id"))
        let patched = try await vault.send(.patch, path + id + "/", #"{"is_active":false}"#)
        #expect(try patched.string("ip_group.0") == "10.0.0.0/8")
        #expect(try patched.int("rate_limit") == 5)
        #expect(try await vault.send(.put, path + id + "/", patched.text).text.contains(#""is_active":false"#))
        let put = try await vault.send(.put, path + id + "/", #"{"name":"a","accounts":{"type":"all"}}"#)
        #expect(try put.string("ip_group.0") == "*")
        #expect(try put.value("rate_limit")?.isNull == true)
        #expect(try await vault.send(.put, path + id + "/", #"{"name":"a"}"#).status == 400)
    }

    @Test("deleting an application takes its keys out of the policies at once")
    func delete() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        #expect(vault.backend.policies.snapshot?.credentialCount == 1)
        #expect(try await vault.send(.delete, path + id + "/").status == 204)
        #expect(vault.backend.policies.snapshot?.credentialCount == 0)
        #expect(try await vault.send(.delete, path + id + "/").status == 404)
        #expect(try await vault.send(.get, path + id + "/credentials/").status == 404)
    }

    @Test("what JumpServer showed again and again is gone, and the answer says what to use")
    func gone() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        for name in ["secret", "refresh-secret"] {
            let answer = try await vault.send(.get, path + id + "/" + name + "/")
            #expect(answer.status == 410)
            #expect(try answer.string("detail")?.contains("rotate") == true)
        }
    }

    @Test("the accounts that a filter shows are counted and listed")
    func amounts() async throws {
        let vault = try await TestVault.make()
        let (web, db) = (try await vault.makeAsset("web"), try await vault.makeAsset("db", address: "192.168.1.9", platform: 17))
        for name in ["root", "app"] { try await vault.makeAccount(name, on: web) }
        try await vault.makeAccount("root", on: db)
        let filters: [(String, Int64)] = [
            (#"{"type":"all"}"#, 3), (#"{"type":"attrs","attrs":[{"name":"username","match":"exact","value":"root"}]}"#, 2),
            (#"{"type":"attrs","attrs":[{"name":"asset","match":"m2m","value":["\#(web)"]}]}"#, 2),
            (#"{"type":"attrs","attrs":[{"name":"address","match":"ip_in","value":"192.168.0.0/16"}]}"#, 1),
            (#"{"type":"ids","ids":["\#(AccountID.random())"]}"#, 0),
        ]
        for (place, (filter, count)) in filters.enumerated() {
            let made = try await vault.makeApplication("a\(place)", accounts: filter)
            #expect(try made.int("accounts_amount") == count, "\(filter)")
            let id = try #require(try made.string("id"))
            let list = try await vault.send(.get, "/api/v1/accounts/accounts/?limit=10&integrationapplication=" + id)
            #expect(try list.int("count") == count, "\(filter)")
        }
    }
}

@Suite("Credentials of applications")
struct CredentialsTests {
    private let path = "/api/v1/accounts/integration-applications/"

    @Test("a further key has its own id, networks and expiry, and its secret is shown once")
    func create() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        let body = #"{"name":"ci","ip_group":["10.0.0.0/8"],"is_strict":true,"date_expires":"2999-01-01T00:00:00Z"}"#
        let made = try await vault.send(.post, path + id + "/credentials/", body)
        #expect(made.status == 201, "\(made.text)")
        let key = try #require(try made.string("id"))
        #expect(key != id)
        #expect(try made.string("secret")?.utf8.count == 36)
        #expect(try made.string("date_expires") == "2999/01/01 00:00:00 +0000")
        #expect(vault.backend.policies.snapshot?.credentialCount == 2)
        let shown = try await vault.send(.get, path + id + "/credentials/" + key + "/")
        #expect(try shown.value("secret") == nil)
        #expect(try shown.value("is_strict")?.bool == true)
        let past = try await vault.send(
            .post, path + id + "/credentials/", #"{"name":"x","date_expires":"2001-01-01T00:00:00Z"}"#)
        #expect(past.status == 400)
    }

    @Test("keys are filtered, searched, ordered and paged")
    func lists() async throws {
        let vault = try await TestVault.make()
        let keys = path + (try #require(try await vault.makeApplication("a").string("id"))) + "/credentials/"
        for body in [#"{"name":"ci","is_strict":true}"#, #"{"name":"backup","is_active":false}"#] {
            #expect(try await vault.send(.post, keys, body).status == 201)
        }
        let names = try await vault.send(.get, keys).column("name")
        #expect(names.count == 3)
        #expect(try await vault.send(.get, keys + "?order=name").column("name") == names.sorted())
        #expect(try await vault.send(.get, keys + "?order=-name").column("name") == names.sorted().reversed())
        #expect(try await vault.send(.get, keys + "?order=-date_created").column("name").count == 3)
        #expect(try await vault.send(.get, keys + "?search=BACK").column("name") == ["backup"])
        #expect(try await vault.send(.get, keys + "?is_strict=true").column("name") == ["ci"])
        #expect(try await vault.send(.get, keys + "?is_active=false&is_strict=false").column("name") == ["backup"])
        #expect(try await vault.send(.get, keys + "?name__in=ci,backup&order=name").column("name") == ["backup", "ci"])
        let page = try await vault.send(.get, keys + "?limit=1&offset=1&order=name")
        #expect(try page.column("name") == [names.sorted()[1]] && page.int("count") == 3 && page.string("next") != nil)
        #expect(try await vault.send(.get, keys + "?name__regex=.").status == 400)
        #expect(try await vault.send(.get, keys + "?is_strict=perhaps").status == 400)
    }

    @Test("switching off, changing and deleting a key act at once")
    func change() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        let key = path + id + "/credentials/" + id + "/"
        let off = try await vault.send(.patch, key, #"{"is_active":false,"name":"old"}"#)
        #expect(off.status == 200, "\(off.text)")
        #expect(try off.value("is_active")?.bool == false)
        #expect(try await vault.send(.put, key, off.text).string("name") == "old")
        #expect(try await vault.send(.delete, key).status == 204)
        #expect(vault.backend.policies.snapshot?.credentialCount == 0)
        #expect(try await vault.send(.get, key).status == 404)
    }

    @Test(
        "rotating makes a new key with the old one's settings, which goes on for the overlap",
        arguments: [(nil, 3600), (0, 0), (60, 60)] as [(Int?, Int64)])
    func rotate(overlap: Int?, seconds: Int64) async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        let old = path + id + "/credentials/" + id + "/"
        _ = try await vault.send(.patch, old, #"{"is_strict":true,"ip_group":["10.0.0.1"]}"#)
        let before = Timestamp.now.seconds
        let made = try await vault.send(.post, old + "rotate/", overlap.map { #"{"overlap":\#($0)}"# })
        #expect(made.status == 201, "\(made.text)")
        #expect(try made.string("secret")?.utf8.count == 36)
        #expect(try made.value("is_strict")?.bool == true)
        #expect(try made.string("ip_group.0") == "10.0.0.1")
        #expect(try made.string("replaces.id") == id)
        let end = try #require(WireDate.parse(try await vault.send(.get, old).string("date_expires") ?? ""))
        #expect((before...Timestamp.now.seconds + 1).contains(end.seconds - seconds))
        #expect(vault.backend.policies.snapshot?.credentialCount == 2)
        if seconds == 0 { #expect(try await vault.send(.post, old + "rotate/").status == 409) }
    }

    @Test("a key is reached through its own application only")
    func ownership() async throws {
        let vault = try await TestVault.make()
        let a = try #require(try await vault.makeApplication("a").string("id"))
        let b = try #require(try await vault.makeApplication("b").string("id"))
        for method in [HTTPServer.Method.get, .patch, .delete] {
            let answer = try await vault.send(method, path + a + "/credentials/" + b + "/", method == .patch ? "{}" : nil)
            #expect(answer.status == 404)
        }
        #expect(try await vault.send(.post, path + a + "/credentials/" + b + "/rotate/").status == 404)
        #expect(vault.backend.policies.snapshot?.credentialCount == 2)
    }

    @Test("an application has a bounded number of keys")
    func bound() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.makeApplication("a").string("id"))
        var statuses: [Int] = []
        for number in 1...50 {
            statuses.append(try await vault.send(.post, path + id + "/credentials/", #"{"name":"\#(number)"}"#).status)
        }
        #expect(statuses.dropLast().allSatisfy { $0 == 201 })
        #expect(statuses.last == 409)
    }
}
