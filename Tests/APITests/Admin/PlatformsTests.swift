internal import API
internal import HTTPServer
internal import JSON
import Testing

@Suite("Platforms")
struct PlatformsTests {
    private let path = "/api/v1/assets/platforms/"

    @Test("platforms are listed as a bare array, filtered, searched and paged")
    func list() async throws {
        let vault = try await TestVault.make()
        let all = try await vault.send(.get, path)
        #expect(try all.json.array?.underestimatedCount == 30)
        #expect(try await vault.send(.get, path + "?category=device").column("name") == ["General", "Cisco", "Huawei", "H3C"])
        #expect(try await vault.send(.get, path + "?search=postgres").column("name") == ["PostgreSQL"])
        let page = try await vault.send(.get, path + "?limit=2&offset=2&order=-id")
        #expect(try page.column("name") == ["Website", "ClickHouse"])
        #expect(try page.int("count") == 30)
        #expect(try page.string("next") == path + "?limit=2&order=-id&offset=4")
        #expect(try page.string("previous") == path + "?limit=2&order=-id&offset=0")
    }

    @Test(
        "platforms have the filters and orders of every list",
        arguments: [
            ("?name__startswith=my&order=name", ["MySQL"]), ("?id__in=1,17", ["Linux", "MySQL"]),
            ("?category__exact=device&order=-name&limit=2", ["Huawei", "H3C"]),
            ("?category=device&ordering=category,-id&limit=1", ["H3C"]), ("?type__icontains=POSTGRES", ["PostgreSQL"]),
            ("?nothing=known&search=redis", ["Redis", "Redis6+"]),
        ])
    func listFilters(query: String, names: [String]) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, path + query).column("name") == names, "\(query)")
    }

    @Test("a filter of platforms that cannot be meant is refused by its name", arguments: ["name__regex", "id__icontains", "id"])
    func wrongFilters(name: String) async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(.get, path + "?\(name)=x")
        #expect(answer.status == 400 && answer.text.contains("\"\(name)\""), "\(answer.text)")
    }

    @Test("a platform shows its choices with labels and its protocols with ports")
    func get() async throws {
        let vault = try await TestVault.make()
        let linux = try await vault.send(.get, path + "1/")
        #expect(try linux.string("name") == "Linux")
        #expect(try linux.string("category.value") == "host")
        #expect(try linux.string("category.label") == "Host")
        #expect(try linux.int("protocols.0.port") == 22)
        for id in ["0", "31", "x", "99999999999999999999"] {
            #expect(try await vault.send(.get, path + id + "/").status == 404)
        }
        #expect(try await vault.send(.post, path, "{}").headers["Allow"] == "GET, HEAD")
    }
}
