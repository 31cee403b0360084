internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Server
internal import Storage
import Testing

@Suite("Lists")
struct ListTests {
    private let path = "/api/v1/labels/labels/"

    @Test("a list that is too long for one answer is refused rather than cut, and comes whole in pages")
    func long() async throws {
        let vault = try await TestVault.make()
        let keys = try vault.backend.keyring.keys()
        let count = 10_001
        try await vault.backend.database.writeInChunks(of: Array(0..<count)) { db, number in
            let label = Label(id: .random(), organization: .default, name: "n", value: "v\(number)", dateCreated: .now)
            try Labels.insert(keys.authenticated(label), on: db)
        }
        let whole = try await vault.send(.get, path)
        #expect(whole.status == 400)
        #expect(whole.text.contains("limit"))
        // A page has 1,000 rows at most, and the last one what is left.
        var page = try await vault.send(.get, path + "?limit=5000&offset=8001")
        #expect(try page.column("id").count == 1000)
        page = try await vault.send(.get, page.string("next") ?? "")
        #expect(try page.column("id").count == 1000)
        #expect(try page.int("count") == Int64(count))
        #expect(try page.value("next")?.isNull == true)
        #expect(try await vault.send(.get, path + "?value__startswith=v1000").column("value") == ["v1000", "v10000"])
    }

    @Test(
        "a page that cannot be read is refused",
        arguments: ["limit=-1", "limit=x", "offset=-1", "limit=1&limit=2", "offset=99999999999999999999"])
    func malformed(query: String) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, path + "?" + query).status == 400)
    }

    @Test("an offset beyond the end gives an empty page, whatever its size")
    func beyond() async throws {
        let vault = try await TestVault.make()
        let page = try await vault.send(.get, path + "?limit=10&offset=\(Int.max)")
        #expect(page.status == 200)
        #expect(try page.int("count") == 0)
    }
}
