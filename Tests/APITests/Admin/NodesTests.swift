internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Nodes")
struct NodesTests {
    private let path = "/api/v1/assets/nodes/"

    private func node(_ vault: TestVault, _ name: String, under parent: String? = nil) async throws -> String {
        let made =
            if let parent {
                try await vault.send(.post, path + parent + "/children/", #"{"value":"\#(name)"}"#)
            } else {
                try await vault.send(.post, path, #"{"value":"\#(name)"}"#)
            }
        #expect(made.status == 201)
        return try #require(try made.string("id"))
    }

    @Test("nodes are made below the root, below another node, and along a full path")
    func create() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        let front = try await node(vault, "front", under: web)
        let shown = try await vault.send(.get, path + front + "/")
        #expect(try shown.string("full_value") == "/Default/web/front")
        #expect(try shown.string("key") == "1:1:1")
        #expect(try shown.string("parent.name") == "web")
        #expect(try shown.string("org_name") == "Default")

        let deep = try await vault.send(.post, path, #"{"full_value":"/Default/web/back/cache"}"#)
        #expect(deep.status == 201)
        #expect(try deep.string("key") == "1:1:2:1")
        let all = try await vault.send(.get, path + web + "/children/?all=1")
        #expect(Set(try all.column("value")) == ["front", "back", "cache"])
        #expect(Set(try await vault.send(.get, path + web + "/children/").column("value")) == ["front", "back"])
        #expect(try await vault.send(.post, path, #"{"full_value":"/Other/x"}"#).status == 400)
    }

    @Test("a name is free once on each level, and holds no slash")
    func names() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        #expect(try await vault.send(.post, path, #"{"value":"web"}"#).value("value")?.array != nil)
        #expect(try await vault.send(.post, path, #"{"value":"a/b"}"#).status == 400)
        #expect(try await vault.send(.post, path + web + "/children/", #"{"value":"web"}"#).status == 201)
        #expect(try await vault.send(.post, path + web + "/children/", "{}").string("value") == "New node")
        #expect(try await vault.send(.post, path + web + "/children/", "{}").string("value") == "New node 2")
    }

    @Test("a moved node takes all below it along, with keys that fit")
    func move() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        let front = try await node(vault, "front", under: web)
        let cache = try await node(vault, "cache", under: front)
        let other = try await node(vault, "other")
        let moved = try await vault.send(.patch, path + front + "/", #"{"parent":{"id":"\#(other)"}}"#)
        #expect(try moved.string("full_value") == "/Default/other/front")
        let below = try await vault.send(.get, path + cache + "/")
        #expect(try below.string("key") == moved.string("key").map { $0 + ":1" })
        #expect(try below.string("full_value") == "/Default/other/front/cache")
        #expect(try await vault.send(.put, path + web + "/children/add/", #"{"nodes":["\#(front)"]}"#).status == 204)
        #expect(try await vault.send(.get, path + cache + "/").string("full_value") == "/Default/web/front/cache")
    }

    @Test("a node cannot go below itself, and the root stays where and what it is")
    func refusedMoves() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        let front = try await node(vault, "front", under: web)
        #expect(try await vault.send(.patch, path + web + "/", #"{"parent":"\#(front)"}"#).status == 400)
        #expect(try await vault.send(.patch, path + web + "/", #"{"parent":"\#(web)"}"#).status == 400)
        let root = try #require(try await vault.send(.get, path + "?key=1").column("id").first)
        #expect(try await vault.send(.patch, path + root + "/", #"{"parent":"\#(front)"}"#).status == 409)
        #expect(try await vault.send(.patch, path + root + "/", #"{"value":"x"}"#).status == 409)
        #expect(try await vault.send(.delete, path + root + "/").status == 409)
    }

    @Test("a node is deleted only when it is empty")
    func delete() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        let front = try await node(vault, "front", under: web)
        #expect(try await vault.send(.delete, path + web + "/").status == 409)
        #expect(try await vault.send(.delete, path + front + "/").status == 204)
        #expect(try await vault.send(.delete, path + web + "/").status == 204)
        #expect(try await vault.send(.delete, path + web + "/").status == 404)
    }

    @Test("another organization's node is not there, not even as a parent")
    func scope() async throws {
        let vault = try await TestVault.make()
        let acme = try #require(try await vault.send(.post, "/api/v1/orgs/orgs/", #"{"name":"Acme"}"#).string("id"))
        let web = try await node(vault, "web")
        #expect(try await vault.send(.get, path + web + "/").status == 200)
        #expect(try await vault.send(.get, path + web + "/", in: acme).status == 404)
        #expect(try await vault.send(.patch, path + web + "/", #"{"value":"x"}"#, in: acme).status == 404)
        #expect(try await vault.send(.delete, path + web + "/", in: acme).status == 404)
        #expect(try await vault.send(.post, path, #"{"value":"x","parent":"\#(web)"}"#, in: acme).status == 400)
    }

    @Test("a node whose row was changed behind the server's back is neither shown nor changed")
    func tampered() async throws {
        let vault = try await TestVault.make()
        let web = try await node(vault, "web")
        let other = try await node(vault, "other")
        let (id, parent) = (try #require(NodeID(web)), try #require(NodeID(other)))
        _ = try await vault.backend.database.write {
            try $0.execute("UPDATE nodes SET parent_id = ? WHERE id = ?", [.id(parent), .id(id)])
        }
        #expect(try await vault.send(.get, path + web + "/").status == 500)
        #expect(try await vault.send(.patch, path + web + "/", #"{"value":"better"}"#).status == 500)
        #expect(try await vault.send(.get, path + other + "/").status == 200)
    }
}
