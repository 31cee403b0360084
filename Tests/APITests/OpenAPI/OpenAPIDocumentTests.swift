internal import API
internal import Domain
internal import Foundation
internal import HTTPServer
internal import JSON
internal import Server
import Testing

@Suite("Description of the API")
struct OpenAPIDocumentTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/openapi.json")

    @Test("it is what docs/openapi.json says; KEYTURN_GOLDEN=write renews the file after a change that is meant")
    func golden() async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(.get, "/api/docs/openapi.json", token: "")
        #expect(answer.status == 200)
        if ProcessInfo.processInfo.environment["KEYTURN_GOLDEN"] == "write" { try Data(answer.bytes).write(to: Self.golden) }
        let expected = try Data(contentsOf: Self.golden)
        #expect(Data(answer.bytes) == expected, "the description changed")
    }

    @Test("it is JSON with an operation for every route, each with a name of its own and its permission")
    func complete() async throws {
        let vault = try await TestVault.make()
        let document = try await vault.send(.get, "/api/docs/openapi.json").json
        #expect(document["openapi"]?.string == "3.1.0")
        var names: Set<String> = []
        for route in vault.routes where route.path.description != "/api/docs/openapi.json" {
            let operation = document["paths"]?[route.path.description]?[route.method.rawValue.lowercased()]
            let name = try #require(operation?["operationId"]?.string, "\(route.method.rawValue) \(route.path)")
            #expect(names.insert(name).inserted, "\(name) twice")
            if case .permission(let permission) = route.guarding {
                #expect(operation?["x-permission"]?.string == permission.rawValue)
            }
        }
        #expect(document["paths"]?["/api/v1/accounts/integration-applications/account-secret/"] != nil)
    }

    @Test("every reference in it leads somewhere")
    func references() async throws {
        let vault = try await TestVault.make()
        let document = try await vault.send(.get, "/api/docs/openapi.json").json
        var found = 0
        func walk(_ value: JSONValue) {
            if let array = value.array { for element in array { walk(element) } }
            guard let members = value.object else { return }
            for member in members {
                if member.name == "$ref", let target = member.value.string {
                    found += 1
                    let place = target.split(separator: "/").dropFirst().reduce(JSONValue?.some(document)) { $0?[String($1)] }
                    #expect(place != nil, "\(target)")
                }
                walk(member.value)
            }
        }
        walk(document)
        #expect(found > 100)
    }

    @Test("schemas of one name are one schema")
    func names() async throws {
        let vault = try await TestVault.make()
        var fields: [String: [String]] = [:]
        for schema in vault.routes.flatMap({ [$0.request, $0.response] }).compactMap({ $0 }) {
            let names = schema.fields.map(\.name)
            #expect(fields[schema.name, default: names] == names, "\(schema.name)")
            fields[schema.name] = names
        }
    }
}
