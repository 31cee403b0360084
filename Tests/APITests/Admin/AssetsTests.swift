internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Assets")
struct AssetsTests {
    private let assets = "/api/v1/assets/assets/"
    private let hosts = "/api/v1/assets/hosts/"
    private let databases = "/api/v1/assets/databases/"

    @Test("an asset gets what its platform gives and stands under the root")
    func defaults() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":"Linux"}"#)
        #expect(made.status == 201)
        #expect(try made.string("platform.name") == "Linux")
        #expect(try made.string("category.value") == "host")
        #expect(try made.string("protocols.0.name") == "ssh")
        #expect(try made.int("protocols.0.port") == 22)
        #expect(try made.value("nodes_display.0")?.string == "/Default")
        #expect(try made.value("is_active")?.bool == true)
        #expect(try made.string("created_by") == VaultTemplate.username)
        #expect(try made.string("org_name") == "Default")
        let again = try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.2","platform":1}"#)
        #expect(again.status == 400)
        #expect(try again.value("name.0")?.string == "This field must be unique.")
    }

    @Test("what a reply shows can be sent back as it is", arguments: ["/api/v1/assets/assets/", "/api/v1/assets/databases/"])
    func roundTrip(path: String) async throws {
        let vault = try await TestVault.make()
        let body = """
            {"name":"db-1","address":"db.example","platform":{"id":19},"labels":["env:prod"],"db_name":"shop","use_ssl":true,
             "pg_ssl_mode":{"value":"require","label":"x"},"protocols":[{"name":"postgresql","port":5433}],"comment":"c"}
            """
        let made = try await vault.send(.post, path, body)
        #expect(made.status == 201)
        #expect(try made.string("spec_info.pg_ssl_mode.value") == "require")
        let one = path + (try made.string("id") ?? "") + "/"
        let put = try await vault.send(.put, one, made.text)
        #expect(put.status == 200)
        let patched = try await vault.send(.patch, one, #"{"comment":"d"}"#)
        #expect(try patched.int("protocols.0.port") == 5433)
        #expect(try patched.string("spec_info.db_name") == "shop")
        #expect(try patched.value("labels.0")?.string == "env:prod")
        // A whole replacement sets back what it leaves out.
        let bare = try await vault.send(.put, one, #"{"name":"db-1","address":"db.example","platform":19}"#)
        #expect(try bare.string("spec_info.db_name") == "")
        #expect(try bare.int("protocols.0.port") == 5432)
        #expect(try bare.value("labels.0") == nil)
    }

    @Test(
        "a wrong field is named and nothing is stored",
        arguments: [
            (#"{"name":"x","address":"a","platform":99}"#, "platform"),
            (#"{"name":"x","address":"a","platform":19}"#, "platform"),
            (#"{"name":"x","address":"a b","platform":1}"#, "address"),
            (#"{"name":"","address":"a","platform":1}"#, "name"),
            (#"{"address":"a","platform":1}"#, "name"),
            (#"{"name":"x","address":"a","platform":1,"protocols":[{"name":"gopher"}]}"#, "protocols.0.name"),
            (#"{"name":"x","address":"a","platform":1,"protocols":[{"name":"ssh","port":70000}]}"#, "protocols.0.port"),
            (#"{"name":"x","address":"a","platform":1,"protocols":[{"name":"ssh"},{"name":"ssh"}]}"#, "protocols"),
            (#"{"name":"x","address":"a","platform":1,"nodes":["00000000-0000-0000-0000-000000000009"]}"#, "nodes"),
            (#"{"name":"x","address":"a","platform":1,"nodes_display":["/Default/none"]}"#, "nodes_display"),
            (#"{"name":"x","address":"a","platform":1,"labels":["nocolon"]}"#, "labels.0"),
            (#"{"name":"x","address":"a","platform":1,"labels":["00000000-0000-0000-0000-000000000009"]}"#, "labels"),
            (#"{"name":"x","address":"a","platform":1,"db_name":"shop"}"#, "db_name"),
            (#"{"name":"x","address":"a","platform":1,"client_key":"-----"}"#, "client_key"),
            (#"{"name":"x","address":"a","platform":1,"adress":"b"}"#, "adress"),
        ])
    func invalid(body: String, field: String) async throws {
        let vault = try await TestVault.make()
        let refused = try await vault.send(.post, hosts, body)
        #expect(refused.status == 400)
        #expect(try refused.json[field] != nil, "\(refused.text)")
        #expect(try await vault.send(.get, assets + "?limit=1").int("count") == 0)
        #expect(try await vault.send(.get, "/api/v1/labels/labels/?limit=1").int("count") == 0)
    }

    @Test("a view by category shows and changes only what is in it")
    func categories() async throws {
        let vault = try await TestVault.make()
        let host = try #require(
            try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":1}"#).string("id"))
        let database = try #require(
            try await vault.send(.post, databases, #"{"name":"db-1","address":"10.0.0.2","platform":17,"db_name":"d"}"#).string(
                "id"))
        #expect(try await vault.send(.get, assets).column("name") == ["db-1", "web-1"])
        #expect(try await vault.send(.get, hosts).column("name") == ["web-1"])
        #expect(try await vault.send(.get, databases).column("db_name") == ["d"])
        #expect(try await vault.send(.get, databases + host + "/").status == 404)
        #expect(try await vault.send(.patch, databases + host + "/", #"{"name":"x"}"#).status == 404)
        #expect(try await vault.send(.delete, databases + host + "/").status == 404)
        #expect(try await vault.send(.patch, assets + database + "/", #"{"platform":1}"#).status == 400)
        #expect(
            try await vault.send(.patch, databases + database + "/", #"{"platform":18}"#).string("platform.name") == "MariaDB")
    }

    @Test("lists filter by platform, node with what is below it, label, text, and page")
    func lists() async throws {
        let vault = try await TestVault.make()
        let web = try #require(try await vault.send(.post, "/api/v1/assets/nodes/", #"{"value":"web"}"#).string("id"))
        let front = try #require(
            try await vault.send(.post, "/api/v1/assets/nodes/\(web)/children/", #"{"value":"front"}"#).string("id"))
        let made = try await vault.send(
            .post, assets,
            """
            [{"name":"a","address":"10.0.0.1","platform":1,"nodes":["\(front)"],"labels":["env:prod"]},
             {"name":"b","address":"10.0.0.2","platform":{"pk":1},"nodes":[{"id":"\(web)"}],"labels":["env:prod","tier:1"]},
             {"name":"c","address":"10.1.0.3","platform":"MySQL","nodes_display":["/Default/web"]},
             {"name":"d","address":"10.1.0.4","platform":12,"is_active":false}]
            """)
        #expect(made.status == 201)
        #expect(try made.column("name") == ["a", "b", "c", "d"])
        for (query, names) in [
            ("platform=1", ["a", "b"]), ("platform=MySQL", ["c"]), ("category=device", ["d"]),
            ("is_active=true", ["a", "b", "c"]),
            ("node_id=\(web)", ["a", "b", "c"]), ("node=\(front)", ["a"]), ("node=\(web)&show_current_asset=1", ["b", "c"]),
            ("labels=env:prod", ["a", "b"]), ("labels=env:prod,tier:1", ["b"]), ("label=env:none", []),
            ("search=10.1.", ["c", "d"]),
            ("q=A", ["a"]), ("name__in=a,d", ["a", "d"]), ("address__startswith=10.0", ["a", "b"]),
            ("order=-name", ["d", "c", "b", "a"]),
            ("unknown=1", ["a", "b", "c", "d"]),
        ] {
            #expect(try await vault.send(.get, assets + "?" + query).column("name") == names, "\(query)")
        }
        let page = try await vault.send(.get, assets + "?limit=2&offset=2")
        #expect(try page.column("name") == ["c", "d"])
        #expect(try page.int("count") == 4)
        #expect(try page.value("next")?.isNull == true)
        #expect(try await vault.send(.get, assets + "?is_active=perhaps").status == 400)
        #expect(try await vault.send(.get, assets + "?address__regex=x").status == 400)
    }

    @Test("another organization's asset, node and label are not there, beside one's own that are")
    func scope() async throws {
        let vault = try await TestVault.make()
        let acme = try #require(try await vault.send(.post, "/api/v1/orgs/orgs/", #"{"name":"Acme"}"#).string("id"))
        let made = try await vault.send(
            .post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":1,"labels":["env:prod"]}"#)
        let id = try #require(try made.string("id"))
        let node = try #require(try made.string("nodes.0.id"))
        let label = try #require(try await vault.send(.get, "/api/v1/labels/labels/").column("id").first)
        #expect(try await vault.send(.get, hosts + id + "/").status == 200)
        #expect(try await vault.send(.get, hosts + id + "/", in: acme).status == 404)
        #expect(try await vault.send(.patch, hosts + id + "/", #"{"comment":"x"}"#, in: acme).status == 404)
        #expect(try await vault.send(.delete, hosts + id + "/", in: acme).status == 404)
        #expect(try await vault.send(.get, hosts, in: "Acme").column("id").isEmpty)
        for field in [#""nodes":["\#(node)"]"#, #""labels":["\#(label)"]"#] {
            let refused = try await vault.send(.post, hosts, #"{"name":"x","address":"a","platform":1,\#(field)}"#, in: acme)
            #expect(refused.status == 400)
        }
        #expect(try await vault.send(.delete, hosts + id + "/").status == 204)
        #expect(try await vault.send(.get, hosts + id + "/").status == 404)
    }

    @Test("an asset whose row was changed behind the server's back is neither shown nor changed, and can be deleted")
    func tampered() async throws {
        let vault = try await TestVault.make()
        let id = try #require(
            try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":1}"#).string("id"))
        _ = try await vault.backend.database.write { try $0.execute("UPDATE assets SET address = '10.6.6.6'", []) }
        #expect(try await vault.send(.get, hosts + id + "/").status == 500)
        #expect(try await vault.send(.patch, hosts + id + "/", #"{"comment":"x"}"#).status == 500)
        #expect(try await vault.send(.delete, hosts + id + "/").status == 204)
    }

    @Test("each change is on the record before and after, with the name of what was changed")
    func audited() async throws {
        let vault = try await TestVault.make()
        let id = try #require(
            try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":1,"labels":["env:prod"]}"#)
                .string("id"))
        _ = try await vault.send(.get, hosts + id + "/")
        _ = try await vault.send(.get, hosts + AssetID.random().description + "/")
        _ = try await vault.send(.delete, hosts + id + "/")
        let actions = try vault.audit().map { "\($0.action) \($0.outcome)" }
        #expect(
            actions.suffix(6) == [
                "asset.create open", "asset.create granted", "asset.view granted", "asset.view refused", "asset.delete open",
                "asset.delete granted",
            ])
        let bodies = try vault.auditBodies()
        #expect(
            bodies.contains {
                $0.contains("asset.create") && $0.contains("granted") && $0.contains("web-1") && $0.contains("env:prod")
            })
        #expect(bodies.contains { $0.contains("asset.delete") && $0.contains("web-1") })
    }

    @Test("a thousand assets come in one request, in transactions short enough for others to get in between")
    func bulk() async throws {
        let vault = try await TestVault.make()
        let body =
            "["
            + (0..<1000).map { #"{"name":"host-\#($0)","address":"10.0.0.1","platform":1,"labels":["env:prod"]}"# }
            .joined(separator: ",") + "]"
        let made = try await vault.send(.post, hosts, body)
        #expect(made.status == 201)
        #expect(try made.json.count == 1000)
        #expect(try await vault.send(.get, hosts + "?limit=1").int("count") == 1000)
        #expect(try await vault.send(.get, hosts).json.count == 1000)
        #expect(try vault.audit().count { $0.action == "asset.create" && $0.outcome == "granted" } == 16)
        #expect(
            try await vault.send(.post, hosts, "[" + Array(repeating: "{}", count: 1001).joined(separator: ",") + "]").status
                == 400)
    }

    @Test("a name that is taken is found before anything is made; what is found later tells what was made")
    func bulkRefused() async throws {
        let vault = try await TestVault.make()
        _ = try await vault.send(.post, hosts, #"{"name":"web-1","address":"10.0.0.1","platform":1}"#)
        func body(_ name: String, _ more: String = "") -> String {
            let items = (0..<100).map { place in
                #"{"name":"\#(place == 70 ? name : "new-\(place)")","address":"a","platform":1\#(place == 70 ? more : "")}"#
            }
            return "[" + items.joined(separator: ",") + "]"
        }
        for name in ["web-1", "new-3"] {
            let refused = try await vault.send(.post, hosts, body(name))
            #expect(refused.status == 400)
            #expect(try refused.json["70.name"] != nil)
            #expect(try await vault.send(.get, hosts + "?limit=1").int("count") == 1)
        }
        // Element 70 is in the second part of 64.
        let late = try await vault.send(.post, hosts, body("x", #","nodes":["\#(NodeID.random())"]"#))
        #expect(try late.json["70.nodes"] != nil)
        #expect(try late.value("non_field_errors.0")?.string == "The first 64 elements were created.")
        #expect(try await vault.send(.get, hosts + "?limit=1").int("count") == 65)
    }
}
