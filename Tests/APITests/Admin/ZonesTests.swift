internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Zones")
struct ZonesTests {
    private let path = "/api/v1/assets/zones/"
    private let hosts = "/api/v1/assets/hosts/"

    private func makeZone(_ name: String, _ vault: TestVault) async throws -> String {
        let made = try await vault.send(.post, path, #"{"name":"\#(name)","comment":"c"}"#)
        #expect(made.status == 201, "\(made.text)")
        return try #require(try made.string("id"))
    }

    private func makeHost(_ name: String, _ more: String, _ vault: TestVault, platform: Int = 1) async throws -> Answer {
        let body = #"{"name":"\#(name)","address":"10.0.0.1","platform":\#(platform)\#(more)}"#
        let made = try await vault.send(.post, hosts, body)
        #expect(made.status == 201, "\(made.text)")
        return made
    }

    @Test("a zone is made, shown, changed and found; the same name again is refused")
    func life() async throws {
        let vault = try await TestVault.make()
        let id = try await makeZone("dmz", vault)
        let shown = try await vault.send(.get, path + id + "/")
        #expect(try shown.string("name") == "dmz" && shown.int("assets_amount") == 0)
        #expect(try await vault.send(.put, path + id + "/", shown.text).status == 200)
        #expect(try await vault.send(.post, path, #"{"name":"dmz"}"#).value("name")?.array != nil)
        #expect(try await vault.send(.patch, path + id + "/", #"{"name":"lab"}"#).string("comment") == "c")
        #expect(try await vault.send(.get, path + "?name=lab").column("id") == [id])
        #expect(try await vault.send(.get, path, token: vault.auditorToken).status == 200)
        #expect(try await vault.send(.post, path, #"{"name":"x"}"#, token: vault.auditorToken).status == 403)
        #expect(try await vault.send(.delete, path + id + "/").status == 204)
        #expect(try await vault.send(.get, path + id + "/").status == 404)
    }

    @Test(
        "an asset takes its zone by id or object, under its old name too, shows it, and loses it by null",
        arguments: [#","zone":"ID""#, #","zone":{"id":"ID","name":"x"}"#, #","zone":{"pk":"ID"}"#, #","domain":"ID""#])
    func asset(form: String) async throws {
        let vault = try await TestVault.make()
        let zone = try await makeZone("dmz", vault)
        let made = try await makeHost("web-1", form.replacing("ID", with: zone), vault)
        #expect(try made.string("zone.id") == zone && made.string("zone.name") == "dmz")
        let one = hosts + (try #require(try made.string("id"))) + "/"
        #expect(try await vault.send(.put, one, made.text).string("zone.id") == zone)
        #expect(try await vault.send(.patch, one, #"{"comment":"x"}"#).string("zone.id") == zone)
        #expect(try await vault.send(.patch, one, #"{"zone":null}"#).value("zone")?.isNull == true)
        #expect(try await vault.send(.patch, one, #"{"zone":"\#(AssetID.random())"}"#).value("zone")?.array != nil)
    }

    @Test("lists are filtered by zone; gateways have a list of their own, and the zone names them")
    func lists() async throws {
        let vault = try await TestVault.make()
        let zone = try await makeZone("dmz", vault)
        let inside = try #require(try await makeHost("web-1", #","zone":"\#(zone)""#, vault).string("id"))
        let outside = try #require(try await makeHost("web-2", "", vault).string("id"))
        let gateway = try #require(try await makeHost("jump", #","zone":"\#(zone)""#, vault, platform: 10).string("id"))
        for list in [hosts, "/api/v1/assets/assets/"] {
            let found = Set(try await vault.send(.get, list + "?zone=\(zone)").column("id"))
            #expect(found == [inside, gateway] && !found.contains(outside))
        }
        #expect(try await vault.send(.get, "/api/v1/assets/gateways/").column("id") == [gateway])
        let shown = try await vault.send(.get, path + zone + "/")
        #expect(try shown.string("gateways.0.id") == gateway && shown.string("gateways.0.name") == "jump")
        #expect(try shown.int("assets_amount") == 1)
    }

    @Test("a zone in use is not deleted")
    func inUse() async throws {
        let vault = try await TestVault.make()
        let zone = try await makeZone("dmz", vault)
        let host = hosts + (try #require(try await makeHost("web-1", #","zone":"\#(zone)""#, vault).string("id"))) + "/"
        #expect(try await vault.send(.delete, path + zone + "/").status == 409)
        #expect(try await vault.send(.get, host).string("zone.id") == zone)
        #expect(try await vault.send(.delete, host).status == 204)
        #expect(try await vault.send(.delete, path + zone + "/").status == 204)
    }

    @Test("an asset that is moved to another zone, or out of its zone, is paused until somebody who may reveal confirms it")
    func moved() async throws {
        let vault = try await TestVault.make()
        let (first, second) = (try await makeZone("a", vault), try await makeZone("b", vault))
        let made = try await makeHost("web-1", #","zone":"\#(first)""#, vault)
        let id = try #require(try made.string("id"))
        let asset = try #require(AssetID(id))
        try await vault.makeAccount("app", on: asset)
        let trust = "/api/v1/assets/assets/\(asset)/trust/"
        try await vault.confirm()
        for edit in [#"{"zone":"\#(second)"}"#, #"{"zone":null}"#] {
            #expect(try await vault.send(.get, trust).value("is_paused")?.bool == false)
            #expect(try await vault.send(.patch, hosts + "\(asset)/", edit).status == 200)
            #expect(try await vault.send(.get, trust).value("is_paused")?.bool == true)
            #expect(try await vault.send(.post, trust + "confirm/").status == 200)
        }
    }

    @Test("what becomes a gateway of a zone is paused until it is confirmed, however it becomes one", arguments: [true, false])
    func newGateway(isMadeSo: Bool) async throws {
        let vault = try await TestVault.make()
        let zone = try await makeZone("dmz", vault)
        let made = try await makeHost("jump", isMadeSo ? #","zone":"\#(zone)""# : "", vault, platform: 10)
        let id = try #require(try made.string("id"))
        let trust = "/api/v1/assets/assets/\(id)/trust/"
        if !isMadeSo {
            #expect(try await vault.send(.get, trust).value("is_paused")?.bool == false)
            #expect(try await vault.send(.patch, hosts + id + "/", #"{"zone":"\#(zone)"}"#).status == 200)
        }
        #expect(try await vault.send(.get, trust).value("is_paused")?.bool == true)
        // Host keys alone do not end it: that takes who may reveal.
        let pinned = try await vault.send(.put, trust, #"{"systems":["ssh-host-key:SHA256:abc"]}"#)
        #expect(try pinned.status == 200 && pinned.value("is_paused")?.bool == true)
        try await vault.confirm()
        #expect(try await vault.send(.post, trust + "confirm/").value("is_paused")?.bool == false)
    }

    @Test(
        "an asset whose zone was changed behind the server's back is not shown",
        arguments: ["UPDATE zones SET name = 'forged'", "UPDATE assets SET zone_id = NULL"] as [StaticString])
    func forged(change: StaticString) async throws {
        let vault = try await TestVault.make()
        let zone = try await makeZone("dmz", vault)
        let host = hosts + (try #require(try await makeHost("web-1", #","zone":"\#(zone)""#, vault).string("id"))) + "/"
        #expect(try await vault.send(.get, host).status == 200)
        _ = try await vault.backend.database.write { try $0.execute(change, []) }
        let after = try await vault.send(.get, host)
        #expect(after.status == 500 && !after.text.contains("forged"))
    }
}
