internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Lists and forged rows")
struct ForgedRowTests {
    enum Forgery: CaseIterable {
        case asset, application, account, credential, node, label, zone, organization, task, execution, record

        var change: StaticString {
            switch self {
            case .asset: "UPDATE assets SET address = '10.6.6.6'"
            case .application: "UPDATE applications SET is_active = 1 - is_active"
            case .account: "UPDATE accounts SET username = 'toor'"
            case .credential: "UPDATE credentials SET is_active = 1 - is_active"
            case .node: "UPDATE nodes SET value = 'other'"
            case .label: "UPDATE labels SET value = 'other'"
            case .zone: "UPDATE zones SET name = 'other'"
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
            case .zone: "/api/v1/assets/zones/"
            case .task: "/api/v1/accounts/change-secret-automations/"
            case .execution: "/api/v1/accounts/change-secret-executions/"
            case .record: "/api/v1/accounts/change-secret-records/"
            case .organization: "/api/v1/orgs/orgs/"
            }
        }
    }

    @Test(
        "names that a list shows of other things are verified too",
        arguments: [
            "UPDATE assets SET name = 'forged'", "UPDATE labels SET value = 'forged'", "UPDATE nodes SET value = 'forged'",
            "UPDATE organizations SET name = 'forged' WHERE name = 'Default'",
            "UPDATE accounts SET username = 'forged' WHERE username = 'root'",
            "UPDATE applications SET accounts = '{\"type\":\"ids\",\"ids\":[]}'",
        ] as [StaticString])
    func related(change: StaticString) async throws {
        let vault = try await TestVault.make()
        let label = try await vault.makeLabel("env", "prod")
        let node = try #require(NodeID(try await vault.send(.get, "/api/v1/assets/nodes/").string("0.id") ?? ""))
        let asset = try await vault.makeAsset("web-1", nodes: [node], labels: [label])
        let root = try await vault.makeAccount("root", on: asset)
        try await vault.makeAccount("app", on: asset, more: #","su_from":"\#(root)","labels":["env:prod"]"#)
        let application = try #require(try await vault.makeApplication("shop").string("id"))
        let lists = [
            "/api/v1/accounts/accounts/?username=app&integrationapplication=\(application)&node_id=\(node)",
            "/api/v1/assets/assets/",
            "/api/v1/accounts/integration-applications/\(application)/credentials/",
        ]
        func answers() async throws -> [Answer] {
            var answers: [Answer] = []
            for list in lists { answers.append(try await vault.send(.get, list)) }
            return answers
        }
        #expect(try await answers().map(\.status) == [200, 200, 200])
        _ = try await vault.backend.database.write { try $0.execute(change, []) }
        let after = try await answers()
        #expect(after.contains { $0.status == 500 }, "\(after.map(\.text))")
        #expect(after.allSatisfy { !$0.text.contains("forged") })
        #expect(after[0].status == 500, "accounts show all of these")
    }

    @Test("an organization's row that was changed, and that a header names, is written down")
    func organization() async throws {
        let vault = try await TestVault.make()
        let id = try await vault.makeOrganization("Acme")
        _ = try await vault.backend.database.write {
            try $0.execute("UPDATE organizations SET is_active = 0 WHERE name = 'Acme'", [])
        }
        #expect(try await vault.send(.get, "/api/v1/assets/assets/", in: id.description).status == 500)
        let last = try #require(try vault.audit().last)
        #expect(last.action == "asset.view" && last.outcome == "failed")
        #expect(try #require(vault.auditBodies().last).contains("integrity"))
    }

    /// One of two rows, changed so that it can still be read, and so that it cannot.
    static let damages: [(Forgery, StaticString)] = [
        (.task, "UPDATE tasks SET is_active = 1 - is_active WHERE id = (SELECT min(id) FROM tasks)"),
        (.task, "UPDATE tasks SET what = '{' WHERE id = (SELECT min(id) FROM tasks)"),
        (.execution, "UPDATE executions SET task_name = 'forged' WHERE id = (SELECT min(id) FROM executions)"),
        (.execution, "UPDATE executions SET what = '{' WHERE id = (SELECT min(id) FROM executions)"),
        (.record, "UPDATE records SET detail = 'forged' WHERE id = (SELECT min(id) FROM records)"),
        (.record, "UPDATE records SET reason = 'odd' WHERE id = (SELECT min(id) FROM records)"),
    ]

    @Test(
        "of tasks, executions and records a damaged row is left out of a page, counted, and named in the audit",
        arguments: damages)
    func leftOut(forgery: Forgery, change: StaticString) async throws {
        let vault = try await TestVault.make()
        let account = try await vault.makeAccount("root", on: vault.makeAsset("web-1"))
        var tasks: [String] = []
        for name in ["one", "two"] {
            let task = try await vault.makeTask(name)
            tasks.append(task)
            _ = try await vault.makeRecord(of: vault.run(task), account: account)
        }
        let list = forgery.list(of: "")
        #expect(try await vault.send(.get, list + "?limit=10").int("count") == 2)
        _ = try await vault.backend.database.write { try $0.execute(change, []) }
        let page = try await vault.send(.get, list + "?limit=10")
        #expect(page.status == 200 && !page.text.contains("forged"), "\(page.text)")
        #expect(try page.column("id").count == 1)
        #expect(try page.int("damaged") == 1)
        #expect(try #require(vault.auditBodies().last).contains("left out 1 damaged"))
        // What cannot say that something is missing is refused.
        #expect(try await vault.send(.get, list).status == 500)
        guard forgery == .task else { return }
        let path = list + (try #require(tasks.min())) + "/"
        #expect(try await vault.send(.get, path).status >= 500)
        #expect(try await vault.send(.delete, path).status == 204)
        #expect(try await vault.send(.get, list).column("id").count == 1)
    }

    /// Those of which a page can tell that something is left out are tested above.
    static let refusing = Forgery.allCases.filter { ![.task, .execution, .record].contains($0) }

    @Test("a list with a row that was changed behind the server's back is refused as a whole", arguments: refusing)
    func refused(forgery: Forgery) async throws {
        let vault = try await TestVault.make()
        _ = try await vault.makeOrganization("Acme")
        let label = try await vault.makeLabel("env", "prod")
        let asset = try await vault.makeAsset("web-1", labels: [label])
        let account = try await vault.makeAccount("root", on: asset)
        #expect(try await vault.send(.post, "/api/v1/assets/zones/", #"{"name":"dmz"}"#).status == 201)
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
