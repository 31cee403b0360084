internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Lists and forged rows")
struct ForgedRowTests {
    enum Forgery: CaseIterable {
        case asset, application, account, credential, node, label, organization, task, execution, record

        var change: StaticString {
            switch self {
            case .asset: "UPDATE assets SET address = '10.6.6.6'"
            case .application: "UPDATE applications SET is_active = 1 - is_active"
            case .account: "UPDATE accounts SET username = 'toor'"
            case .credential: "UPDATE credentials SET is_active = 1 - is_active"
            case .node: "UPDATE nodes SET value = 'other'"
            case .label: "UPDATE labels SET value = 'other'"
            case .task: "UPDATE tasks SET is_active = 1 - is_active"
            case .execution: "UPDATE executions SET status = 'success'"
            case .record: "UPDATE records SET status = 'success'"
            case .organization: "UPDATE organizations SET is_active = 0 WHERE name = 'Acme'"
            }
        }

        func list(of application: String) -> String {
            let applications = "/api/v1/accounts/integration-applications/"
            return switch self {
            case .asset: "/api/v1/assets/assets/"
            case .application: applications
            case .account: "/api/v1/accounts/accounts/"
            case .credential: applications + application + "/credentials/"
            case .node: "/api/v1/assets/nodes/"
            case .label: "/api/v1/labels/labels/"
            case .task: "/api/v1/accounts/change-secret-automations/"
            case .execution: "/api/v1/accounts/change-secret-executions/"
            case .record: "/api/v1/accounts/change-secret-records/"
            case .organization: "/api/v1/orgs/orgs/"
            }
        }
    }

    @Test("a list with a row that was changed behind the server's back is refused as a whole", arguments: Forgery.allCases)
    func refused(forgery: Forgery) async throws {
        let vault = try await TestVault.make()
        _ = try await vault.makeOrganization("Acme")
        let label = try await vault.makeLabel("env", "prod")
        let asset = try await vault.makeAsset("web-1", labels: [label])
        let account = try await vault.makeAccount("root", on: asset)
        let task = try await vault.makeTask("rotate", more: #","assets":["\#(asset)"]"#)
        _ = try await vault.makeRecord(of: vault.run(task), account: account)
        let application = try #require(try await vault.makeApplication("shop").string("id"))
        let list = forgery.list(of: application)
        let genuine = try await vault.send(.get, list)
        #expect(genuine.status == 200)
        #expect(try genuine.json.count > 0)
        _ = try await vault.backend.database.write { try $0.execute(forgery.change, []) }
        #expect(try await vault.send(.get, list).status == 500)
        #expect(try await vault.send(.get, list + "?limit=10").status == 500)
        let last = try #require(try vault.audit().last)
        #expect(last.outcome == "failed")
    }
}
