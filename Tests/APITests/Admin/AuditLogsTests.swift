internal import API
internal import Audit
internal import Domain
internal import HTTPServer
internal import JSON
import Testing

@Suite("Lists of the audit")
struct AuditLogsTests {
    private let calls = "/api/v1/audits/service-access-logs/"
    private let log = "/api/v1/audits/audit-logs/"

    /// Fetches as the hot path writes them.
    private func record(_ vault: TestVault, _ outcomes: [AuditOutcome], in organization: OrganizationID = .default) async throws
        -> ApplicationID
    {
        let application = ApplicationID.random()
        for (place, outcome) in outcomes.enumerated() {
            try await vault.backend.audit.append(
                AuditEntry(
                    time: Timestamp(seconds: 1_700_000_000 + Int64(place)),
                    actor: .application(application, name: "billing", credential: application.retyped()),
                    address: "10.0.0.\(place)",
                    organization: organization, action: .fetch,
                    objects: [
                        AuditObject(kind: "account", id: "1", name: "root(root)"),
                        AuditObject(kind: "asset", id: "2", name: "web(10.1.1.1)"),
                    ], outcome: outcome, reason: outcome == .refused ? "signature" : "", request: .random(), latency: 7,
                    version: 3))
        }
        return application
    }

    @Test("a call stands there with JumpServer's fields and how it ended")
    func fields() async throws {
        let vault = try await TestVault.make()
        let application = try await record(vault, [.granted])
        let row = try #require(try await vault.send(.get, calls).json.array.flatMap { Array($0).first })
        #expect(row["service"]?.string == "billing")
        #expect(row["service_id"]?.string == application.description)
        #expect(row["asset"]?.string == "web(10.1.1.1)")
        #expect(row["account"]?.string == "root(root)")
        #expect(row["remote_addr"]?.string == "10.0.0.0")
        #expect(row["datetime"]?.string == "2023/11/14 22:13:20 +0000")
        #expect(row["outcome"]?.string == "granted")
        #expect(row["version"]?.int == 3 && row["latency"]?.int == 7)
    }

    @Test(
        "calls are filtered",
        arguments: [
            ("?outcome=refused", 1), ("?outcome__in=refused,granted", 3), ("?remote_addr=10.0.0.1", 1), ("?account=root", 3),
            ("?asset=none", 0), ("?service=bill", 3), ("?search=web", 3), ("?date_from=2023-11-14T22:13:22Z", 1),
            ("?date_to=2023/11/14%2022:13:20%20%2B0000", 1), ("?reason=sign", 1), ("?limit=2", 2), ("?limit=2&offset=2", 1),
        ])
    func filters(query: String, count: Int) async throws {
        let vault = try await TestVault.make()
        _ = try await record(vault, [.granted, .refused, .granted])
        let answer = try await vault.send(.get, calls + query)
        #expect(answer.status == 200)
        #expect(try answer.column("id").count == count, "\(answer.text)")
    }

    @Test(
        "filters that mean nothing are refused",
        arguments: [
            "?outcome=good", "?date_from=yesterday", "?service_id=7", "?scope=all", "?service__icontains=bill",
            "?action__in=secret.fetch",
        ])
    func wrong(query: String) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, calls + query).status == 400)
    }

    @Test("both lists are newest first, and oldest first where that is asked for, page by page")
    func order() async throws {
        let vault = try await TestVault.make()
        _ = try await record(vault, [.granted, .refused, .granted])
        let addresses = ["10.0.0.0", "10.0.0.1", "10.0.0.2"]
        for list in [calls, log + "?action=secret.fetch"] {
            let mark = list.contains("?") ? "&" : "?"
            for newest in ["", "\(mark)order=-datetime"] {
                #expect(
                    try await vault.send(.get, list + newest).column("remote_addr") == addresses.reversed(), "\(list)\(newest)")
            }
            let oldest = "\(list)\(mark)order=datetime"
            #expect(try await vault.send(.get, oldest).column("remote_addr") == addresses)
            #expect(try await vault.send(.get, oldest + "&limit=1&offset=2").column("remote_addr") == ["10.0.0.2"])
        }
    }

    @Test("an organization sees its own entries only, unless the whole server is asked for")
    func scope() async throws {
        let vault = try await TestVault.make()
        let other = try await vault.makeOrganization()
        _ = try await record(vault, [.granted, .granted], in: other)
        #expect(try await vault.send(.get, calls).column("id").isEmpty)
        #expect(try await vault.send(.get, calls, in: other.description).column("id").count == 2)
        #expect(try await vault.send(.get, calls + "?scope=server").column("id").count == 2)
    }

    @Test("each change stands in the audit twice: announced and done, with its object")
    func changes() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web")
        let id = try await vault.makeAccount("root", on: asset)
        let entries = try await vault.entries("action=account.create")
        #expect(entries.map { $0["phase"]?.string } == ["outcome", "intent"])
        for entry in entries {
            let object = entry["objects"]?.array.flatMap { Array($0).first }
            #expect(object?["id"]?.string == id)
            #expect(entry["user"]?.string == VaultTemplate.username)
            #expect(entry["hash"]?.string?.utf8.count == 64)
        }
        let request = try #require(entries.first?["request_id"]?.string)
        #expect(try await vault.send(.get, log + "?request_id=" + request).json.count == 2)
    }

    @Test("a refused change names its object and the true reason")
    func refusals() async throws {
        let vault = try await TestVault.make()
        let id = AccountID.random().description
        _ = try await vault.send(.delete, "/api/v1/accounts/accounts/\(id)/")
        let entry = try #require(try await vault.entries("action=account.delete&outcome=refused").first)
        #expect(entry["reason"]?.string == "not_found")
        #expect(entry["objects"]?.array.flatMap { Array($0).first }?["id"]?.string == id)
    }
}
