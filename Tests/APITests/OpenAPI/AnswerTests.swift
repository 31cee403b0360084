internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Server
import Testing

@Suite("Answers and their description")
struct AnswerTests {
    /// The description itself, and what is not of one organization, so that no thing of one is made there.
    private static let skipped = ["/api/docs/openapi.json", "/api/v1/orgs/orgs/{", "/api/v1/assets/platforms/{"]

    @Test("what every operation answers is as the description says, whether it grants, finds nothing, or refuses")
    func answers() async throws {
        let vault = try await TestVault.make()
        let other = try await vault.makeOrganization("Other").description
        let things = try await Things(vault, in: .default)
        try await vault.confirm()
        let check = SchemaCheck(try await vault.send(.get, "/api/docs/openapi.json").json)
        // Deletions last, for they take away what the others are about; the log-out behind them.
        let order = { (route: Route) in route.method != .delete ? 0 : route.path.description.hasSuffix("/auth/") ? 2 : 1 }
        let routes = vault.routes.sorted { order($0) < order($1) }
        var granted = 0
        for route in routes where !Self.skipped.contains(where: { route.path.description.hasPrefix($0) }) {
            let path = try things.path(of: route)
            func look(_ what: String, _ target: String, _ body: String?, in organization: String? = nil, token: String? = nil)
                async throws
            {
                let answer = try await vault.send(route.method, target, body, in: organization, token: token)
                let faults = try check.faults(route.method, route.path.description, status: answer.status, answer.bytes)
                #expect(faults.isEmpty, "\(what): \(route.method.rawValue) \(target) \(answer.status) \(answer.text.prefix(300))")
                if (200...299).contains(answer.status) { granted += 1 }
            }
            let needsBody = route.request != nil
            try await look("stranger", path, needsBody ? "{}" : nil, token: "")
            if needsBody { try await look("unknown field", path, #"{"no_such_field":1}"#) }
            if path != route.path.description { try await look("elsewhere", path, needsBody ? "{}" : nil, in: other) }
            let usual = try await things.body(for: route, path)
            let body = usual ?? Self.bodies(vault, host: things.host)[path]
            try await look("granted", path, body)
            if route.style == .list { try await look("page", path + "?limit=1", nil) }
        }
        #expect(granted > 80)
    }

    /// What makes one more of each kind.
    private static func bodies(_ vault: TestVault, host: String) -> [String: String] {
        let login = #"{"username":"\#(TestVault.username)","password":"\#(vault.password)"}"#
        var bodies = [
            "/api/v1/authentication/auth/": login, "/api/v1/authentication/tokens/": login,
            "/api/v1/assets/assets/": #"{"name":"s1","address":"h","platform":1}"#,
            "/api/v1/assets/hosts/": #"{"name":"s2","address":"h","platform":1}"#,
            "/api/v1/assets/databases/": #"{"name":"s3","address":"h","platform":17}"#,
            "/api/v1/assets/devices/": #"{"name":"s4","address":"h","platform":12}"#,
            "/api/v1/assets/nodes/": #"{"value":"s"}"#, "/api/v1/assets/zones/": #"{"name":"s"}"#,
            "/api/v1/labels/labels/": #"{"name":"s","value":"v"}"#, "/api/v1/orgs/orgs/": #"{"name":"S"}"#,
            "/api/v1/accounts/accounts/": #"{"asset":"\#(host)","username":"s","secret":"x"}"#,
            "/api/v1/accounts/integration-applications/": #"{"name":"s","accounts":{"type":"all"}}"#,
        ]
        for kind in AutomationTasksTests.kinds {
            bodies["/api/v1/accounts/\(kind)-automations/"] = #"{"name":"s","accounts":["thing"]}"#
        }
        return bodies
    }
}
