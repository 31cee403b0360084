internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

/// One of everything that belongs to an organization, found by the path of its collection.
struct Things {
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

    /// The asset that the account is on.
    var host: String { ids["/api/v1/assets/hosts/"] ?? "" }

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
