internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Labels")
struct LabelsTests {
    private let path = "/api/v1/labels/labels/"

    @Test("a label is made, shown, changed and found again; the same pair again is refused")
    func life() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.send(.post, path, ##"{"name":"env","value":"prod","color":"#f00"}"##)
        #expect(made.status == 201)
        let id = try #require(try made.string("id"))
        #expect(try await vault.send(.put, path + id + "/", made.text).text == made.text)
        #expect(try await vault.send(.post, path, #"{"name":"env","value":"prod"}"#).value("value")?.array != nil)
        #expect(try await vault.send(.patch, path + id + "/", #"{"value":"test"}"#).string("color") == "#f00")
        #expect(try await vault.send(.get, path + "?name=env&value__icontains=ES").column("id") == [id])
        #expect(try await vault.send(.get, path + "?value__regex=.*").status == 400)
        #expect(try await vault.send(.delete, path + id + "/").status == 204)
        #expect(try await vault.send(.get, path + id + "/").status == 404)
    }

    @Test("several labels come as an array; what is wrong with one stands under its place")
    func bulk() async throws {
        let vault = try await TestVault.make()
        let made = try await vault.send(.post, path, #"[{"name":"a","value":"1"},{"name":"a","value":"2"}]"#)
        #expect(made.status == 201)
        #expect(try made.column("value") == ["1", "2"])
        let wrong = try await vault.send(.post, path, #"[{"name":"b","value":"1"},{"name":"b"},{"name":"c:d","value":"1"}]"#)
        #expect(wrong.status == 400)
        #expect(try wrong.json["1.value"] != nil)
        #expect(try wrong.json["2.name"] != nil)
        let taken = try await vault.send(.post, path, #"[{"name":"b","value":"1"},{"name":"a","value":"2"}]"#)
        #expect(try taken.json["1.value"] != nil)
        #expect(try await vault.send(.get, path + "?name=b").column("id").isEmpty)
        #expect(try await vault.send(.post, path, "[]").status == 400)
    }

    @Test("deleting a label takes it off the assets that have it")
    func detach() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.send(
            .post, "/api/v1/assets/hosts/", #"{"name":"web-1","address":"10.0.0.1","platform":1,"labels":["env:prod","tier:1"]}"#)
        #expect(try asset.value("labels.0")?.string == "env:prod")
        let label = try #require(try await vault.send(.get, path + "?name=env").column("id").first)
        #expect(try await vault.send(.delete, path + label + "/").status == 204)
        let after = try await vault.send(.get, "/api/v1/assets/hosts/" + (asset.string("id") ?? "") + "/")
        #expect(try after.value("labels")?.array.map { $0.compactMap(\.string) } == ["tier:1"])
    }
}
