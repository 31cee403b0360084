internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Server
internal import Storage
import Testing

/// What holds for every operation of the catalogue, whoever adds one.
@Suite("Contract of all routes")
struct ContractTests {
    /// What is global rather than of one organization: anybody with the permission may name it from anywhere.
    private static let global = ["/api/v1/orgs/orgs/", "/api/v1/assets/platforms/"]

    @Test("without login every operation but the open ones is 401 and does nothing")
    func strangers() async throws {
        let vault = try await TestVault.make()
        var tried = 0
        for route in vault.routes {
            let path = route.path.filled { _ in AccountID.random().description }
            let answer = try await vault.send(route.method, path, route.request == nil ? nil : "{}", token: "")
            if route.guarding == .open {
                #expect(answer.status != 401 || route.path.description.contains("authentication"), "\(path)")
            } else {
                #expect(answer.status == 401, "\(route.method.rawValue) \(path)")
                tried += 1
            }
            let forged = try await vault.send(
                route.method, path, route.request == nil ? nil : "{}", token: String(repeating: "a", count: 36))
            if route.guarding != .open { #expect(forged.status == 401, "\(route.method.rawValue) \(path)") }
        }
        #expect(tried > 30)
    }

    @Test("with another organization's ids every operation is 404, beside its own where it is not")
    func tenants() async throws {
        let vault = try await TestVault.make()
        let mine = try await vault.makeOrganization("Mine")
        let other = try await vault.makeOrganization("Other")
        let things = try await Things(vault, in: mine)
        try await vault.confirm()
        // Deletions last, for they take the control away.
        let routes = vault.routes.sorted { ($0.method == .delete ? 1 : 0) < ($1.method == .delete ? 1 : 0) }
        for route in routes where route.path.description.contains("{") && !Self.isGlobal(route) {
            let path = try things.path(of: route)
            let body = try await things.body(for: route, path)
            let name = "\(route.method.rawValue) \(path)"
            #expect(try await vault.send(route.method, path, body, in: other.description).status == 404, "\(name) from elsewhere")
            guard route.method != .delete else { continue }
            let own = try await vault.send(route.method, path, body, in: mine.description)
            #expect([200, 201, 204, 410].contains(own.status), "\(name) from its own: \(own.status) \(own.text)")
        }
        for path in things.all {
            #expect(try await vault.send(.get, path, in: mine.description).status == 200, "\(path) survives")
            #expect(try await vault.send(.delete, path, in: mine.description).status == 204, "\(path) is its own to delete")
        }
    }

    @Test("a field that an operation does not know is refused by its name")
    func unknownFields() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        for route in vault.routes where route.request != nil && route.guarding != .open && !Self.isGlobal(route) {
            let path = try things.path(of: route)
            let answer = try await vault.send(route.method, path, #"{"no_such_field":1}"#)
            #expect(answer.status == 400, "\(route.method.rawValue) \(path): \(answer.status)")
            #expect(try answer.value("no_such_field")?.array != nil, "\(route.method.rawValue) \(path): \(answer.text)")
        }
    }

    @Test("every field that the description of a request lists is one that the operation reads or lets pass")
    func describedFields() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        for route in vault.routes {
            guard let schema = route.request, route.guarding != .open, !Self.isGlobal(route) else { continue }
            let path = try things.path(of: route)
            // An array fits none of the fields: what is known says what it expects, what is unknown says that.
            let body = "{" + schema.fields.map { #""\#($0.name)":[[]]"# }.joined(separator: ",") + "}"
            let answer = try await vault.send(route.method, path, body)
            for field in schema.fields {
                let messages = try answer.value(field.name)?.array.map { Array($0).compactMap(\.string) } ?? []
                #expect(!messages.contains("Unknown field."), "\(route.method.rawValue) \(path): \(field.name)")
            }
        }
    }

    @Test("every list gives a bare array, pages with a limit, and says where the next page is")
    func lists() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        try await vault.confirm()
        for route in vault.routes where route.style == .list {
            let path = try things.path(of: route)
            let whole = try await vault.send(.get, path)
            #expect(try whole.status == 200 && whole.json.array != nil, "\(path): \(whole.text.prefix(200))")
            let page = try await vault.send(.get, path + "?limit=1&offset=0")
            #expect(page.status == 200)
            let count = try #require(try page.int("count"), "\(path)")
            let results = try #require(try page.value("results")?.array, "\(path)")
            #expect(Array(results).count == min(1, Int(count)))
            #expect(try (page.string("next") != nil) == (count > 1), "\(path)")
            #expect(try page.value("previous")?.isNull == true)
            let behind = try await vault.send(.get, path + "?limit=1&offset=100000")
            #expect(try behind.value("results")?.count == 0)
        }
    }

    @Test("an auditor may look and change nothing")
    func auditor() async throws {
        let vault = try await TestVault.make()
        let allowed = Role.auditor.permissions
        for route in vault.routes {
            guard case .permission(let permission) = route.guarding, route.method != .get else { continue }
            #expect(!allowed.contains(permission) || permission == .ownSession, "\(route.method.rawValue) \(route.path)")
        }
        #expect(!allowed.contains(.revealAccount))
    }

    private static func isGlobal(_ route: Route) -> Bool { global.contains { route.path.description.hasPrefix($0) } }
}

/// One of everything that belongs to an organization, found by the path of its collection.
private struct Things {
    private let vault: TestVault
    private let organization: OrganizationID
    private var ids: [String: String] = [:]
    /// A second node, to be moved about.
    private var node = ""

    init(_ vault: TestVault, in organization: OrganizationID) async throws {
        self.vault = vault
        self.organization = organization
        let host = try await make("/api/v1/assets/hosts/", #"{"name":"thing","address":"10.0.0.1","platform":1}"#)
        let base = try await make(
            "/api/v1/assets/databases/", #"{"name":"base","address":"10.0.0.2","platform":17,"db_name":"d"}"#)
        let device = try await make("/api/v1/assets/devices/", #"{"name":"switch","address":"10.0.0.3","platform":12}"#)
        (ids["/api/v1/assets/assets/"], ids["/api/v1/assets/hosts/"]) = (host, host)
        (ids["/api/v1/assets/databases/"], ids["/api/v1/assets/devices/"]) = (base, device)
        let root = try await vault.send(.get, "/api/v1/assets/nodes/", in: organization.description).column("id").first ?? ""
        ids["/api/v1/assets/nodes/"] = try await make("/api/v1/assets/nodes/\(root)/children/", #"{"value":"thing"}"#)
        node = try await make("/api/v1/assets/nodes/\(root)/children/", #"{"value":"second"}"#)
        ids["/api/v1/assets/zones/"] = try await make("/api/v1/assets/zones/", #"{"name":"thing"}"#)
        ids["/api/v1/labels/labels/"] = try await make("/api/v1/labels/labels/", #"{"name":"thing","value":"x"}"#)
        let account = try await make(
            "/api/v1/accounts/accounts/", #"{"asset":"\#(host)","username":"thing","secret":"x","privileged":true}"#)
        (ids["/api/v1/accounts/accounts/"], ids["/api/v1/accounts/account-secrets/"]) = (account, account)
        ids["/api/v1/accounts/kept-secrets/"] = try await keep(account)
        ids["/api/v1/accounts/integration-applications/"] = try await make(
            "/api/v1/accounts/integration-applications/", #"{"name":"thing","accounts":{"type":"all"}}"#)
        try await makeTasks(of: account)
    }

    /// A task of each kind, with an execution that waits and a record of the account.
    private mutating func makeTasks(of account: String) async throws {
        for path in AutomationTasksTests.kinds {
            let strategy = ["push-account", "change-secret"].contains(path) ? #","secret_strategy":"random""# : ""
            let (tasks, executions) = ("/api/v1/accounts/\(path)-automations/", "/api/v1/accounts/\(path)-executions/")
            let task = try await make(tasks, #"{"name":"thing","accounts":["thing"]\#(strategy)}"#)
            ids[tasks] = task
            let run = try await vault.send(
                .post, executions, #"{"automation":"\#(task)"}"#, in: organization.description)
            let execution = try #require(try run.string("task"), "\(run.text)")
            ids[executions] = execution
            ids["/api/v1/accounts/\(path)-records/"] = try await vault.makeRecord(
                of: execution, account: account, in: organization
            ).description
        }
    }

    /// Keeps what an account has, as if it had been deleted by force while it was in doubt.
    private func keep(_ account: String) async throws -> String {
        let (id, organization) = (try #require(AccountID(account)), organization)
        try await vault.backend.database.write { db in
            guard let row = try Accounts.get(id, in: organization, on: db)?.value,
                let asset = try Assets.get(row.asset, in: organization, on: db)?.value
            else { return }
            try KeptSecrets.keep(row, on: asset, by: "test", at: .now, on: db)
        }
        return account
    }

    private func make(_ path: String, _ body: String) async throws -> String {
        let answer = try await vault.send(.post, path, body, in: organization.description)
        #expect(answer.status == 201, "\(path): \(answer.text)")
        return try #require(try answer.string("id"))
    }

    /// Each thing that can be deleted, those that hang on others first; not the node, which has nodes below it by then.
    var all: [String] {
        [
            "accounts/push-account-automations", "accounts/change-secret-automations", "accounts/verify-account-automations",
            "accounts/remove-account-automations", "accounts/accounts", "accounts/integration-applications", "labels/labels",
            "assets/databases", "assets/devices",
            "assets/hosts", "assets/zones",
        ]
        .map { "/api/v1/\($0)/" }.map { $0 + (ids[$0] ?? "") + "/" }
    }

    /// The path of a route with the ids of these things in it; a collection that nobody made anything in fails the test.
    func path(of route: Route) throws -> String {
        let text = route.path.description
        guard text.contains("{") else { return text }
        let collection = String(text.prefix { $0 != "{" })
        let id = try #require(ids[collection], "make one thing in \(collection) here")
        return route.path.filled { _ in id }
    }

    /// What a change sends: a replacement what was there, the rest as little as they take.
    func body(for route: Route, _ path: String) async throws -> String? {
        switch route.method {
        case .put where path.hasSuffix("/children/add/"): return #"{"nodes":["\#(node)"]}"#
        case .put: return try await vault.send(.get, path, in: organization.description).text
        case .patch: return "{}"
        case .post where path.hasSuffix("/children/"): return #"{"value":"another"}"#
        case .post where path.hasSuffix("/duplicate/"): return #"{"name":"copy \#(path.utf8.count)"}"#
        case .post where path.hasSuffix("/credentials/"): return #"{"name":"another"}"#
        default: return nil
        }
    }
}

extension PathTemplate {
    /// The path with a value in each named segment.
    func filled(_ value: (String) -> String) -> String {
        let parts = segments.map { segment in
            switch segment {
            case .fixed(let bytes): String(decoding: bytes, as: UTF8.self)
            case .named(let name): value(name)
            }
        }
        return "/" + parts.joined(separator: "/") + (description.hasSuffix("/") ? "/" : "")
    }
}
