internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Organizations")
struct OrganizationsTests {
    private let path = "/api/v1/orgs/orgs/"

    @Test("a new organization has a data key of its own, a root node, and can be worked in")
    func create() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.send(.post, path, #"{"name":"Acme","comment":"c"}"#)
        #expect(made.status == 201)
        let id = try #require(try made.string("id"))
        #expect(try made.string("name") == "Acme")
        #expect(try made.value("is_default")?.bool == false)

        let nodes = try await vault.send(.get, "/api/v1/assets/nodes/", in: id)
        #expect(try nodes.column("full_value") == ["/Acme"])
        let typed = try #require(OrganizationID(id))
        let keys = try await vault.backend.database.read { try DataKeys.all(in: typed, on: $0) }
        #expect(keys.count == 1)
        #expect(try await vault.send(.get, path + id + "/", nil).string("comment") == "c")
        #expect(try await vault.send(.get, path).column("name") == ["Acme", "Default"])
    }

    @Test(
        "a name that is taken or means something else is refused at its field",
        arguments: ["Acme", "default", "ROOT", "system", "00000000-0000-0000-0000-00000000000a", ""])
    func names(name: String) async throws {
        let vault = try await TestVault.make()
        _ = try await vault.send(.post, path, #"{"name":"Acme"}"#)
        let refused = try await vault.send(.post, path, #"{"name":"\#(name)"}"#)
        #expect(refused.status == 400)
        #expect(try refused.value("name")?.array != nil)
    }

    @Test("what a reply shows can be sent back, and renaming renames the root node")
    func roundTrip() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.send(.post, path, #"{"name":"Acme"}"#)
        let id = try #require(try made.string("id"))
        #expect(try await vault.send(.put, path + id + "/", made.text).status == 200)
        #expect(try await vault.send(.patch, path + id + "/", #"{"name":"Better"}"#).string("name") == "Better")
        #expect(try await vault.send(.get, "/api/v1/assets/nodes/", in: id).column("value") == ["Better"])
        let own = try await vault.send(.get, path + OrganizationID.default.description + "/")
        #expect(try await vault.send(.put, path + OrganizationID.default.description + "/", own.text).status == 200)
        #expect(try await vault.send(.patch, path + id + "/", #"{"nmae":"x"}"#).status == 400)
    }

    @Test("the default organization and the system's own cannot be deleted, and the system's is not there at all")
    func protected() async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.delete, path + OrganizationID.default.description + "/").status == 409)
        #expect(try await vault.send(.delete, path + OrganizationID.system.description + "/").status == 404)
        #expect(try await vault.send(.get, path + OrganizationID.system.description + "/").status == 404)
        #expect(try await vault.send(.get, "/api/v1/assets/nodes/", in: OrganizationID.system.description).status == 404)
    }

    @Test("an organization with content goes only when forced, and its data keys go with it")
    func delete() async throws {
        let vault = try await TestVault.make()
        let id = try #require(try await vault.send(.post, path, #"{"name":"Acme"}"#).string("id"))
        let node = try await vault.send(.post, "/api/v1/assets/nodes/", #"{"value":"web"}"#, in: id)
        #expect(node.status == 201)
        let asset = #"{"name":"a","address":"b","platform":1,"labels":["env:prod"],"nodes":["\#(try node.string("id") ?? "")"]}"#
        #expect(try await vault.send(.post, "/api/v1/assets/hosts/", asset, in: id).status == 201)
        #expect(try await vault.send(.delete, path + id + "/").status == 409)
        #expect(try await vault.send(.get, path + id + "/").value("is_active")?.bool == true)

        #expect(try await vault.send(.delete, path + id + "/?force=true").status == 204)
        #expect(try await vault.send(.get, path + id + "/").status == 404)
        let typed = try #require(OrganizationID(id))
        let keys = try await vault.backend.database.read { try DataKeys.all(in: typed, on: $0) }
        #expect(keys.isEmpty)
        #expect(try await vault.send(.post, path, #"{"name":"Acme"}"#).status == 201)
    }
}
