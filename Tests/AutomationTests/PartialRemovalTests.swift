import Automation
import Connectors
import Domain
import TestSupport
import Testing

@testable import Storage

/// A removal of an account that is there under several hosts, of which some were removed before the answer was lost.
@Suite("Removing several accounts of MariaDB", .serialized)
struct PartialRemovalTests {
    private static let started = Task { try await MariaDBServer() }

    private struct Scene {
        let shop: Workshop
        let server: MariaDBServer
        let proxy: CuttingProxy
        let app: Account

        /// In doubt after its one try, of which the server has seen nothing.
        init(_ name: String) async throws {
            server = try await started.value
            for host in ["%", "10.1.%", "10.2.%"] {
                try await server.sql("CREATE USER \(name)@'\(host)' IDENTIFIED BY 'Old-secret-1!'")
            }
            proxy = try CuttingProxy(to: server.port, at: ["DROP USER"], .before)
            shop = try Workshop({
                $0.connector = { $0 == "mariadb" ? MariaDB() : nil }
                $0.stepLimit = .seconds(60)
                $0.limits.reapplications = 0
            })
            let asset = Asset(
                id: .random(), organization: .default, name: "real", address: "127.0.0.1", platform: .init(rawValue: 18),
                protocols: [AssetProtocol(name: "mariadb", port: Int(proxy.port))], dateCreated: Workshop.start,
                dateUpdated: Workshop.start)
            app = Workshop.account(41, on: asset, name: name)
            try shop.add(asset)
            try shop.add(
                Workshop.account(40, on: asset, name: MariaDBServer.administrator, privileged: true),
                secret: MariaDBServer.administratorPassword)
            try shop.add(app, secret: "Old-secret-1!")
            let order = Workshop.order { $0.parameters = ["all_hosts": "true"] }
            let report = await shop.turning.remove(app.id, in: .default, order, by: Workshop.principal)
            #expect(report.outcome.status == .uncertain, "\(report)")
            #expect(proxy.count == 1)
            proxy.arm(nil)
        }

        func settle() async throws -> RecordOutcome? {
            var parts = shop.turning.parts
            parts.limits.reapplications = 2
            shop.clock.advance(seconds: 60)
            let reports = try await Settlement(SecretTurning(parts)).pass()
            #expect(try await shop.database.read { try SecretChanges.nextDue(on: $0) } == nil, "\(reports)")
            return reports.last?.outcome
        }

        func hosts() async throws -> [String] {
            try await server.sql("SELECT Host FROM mysql.global_priv WHERE User = '\(app.username)' ORDER BY Host")
        }
    }

    @Test("the rest of them is removed, by itself")
    func rest() async throws {
        let scene = try await Scene("partly")
        try await scene.server.sql("DROP USER partly@'10.1.%'")
        #expect(try await scene.settle()?.status == .success)
        #expect(try await scene.hosts() == [])
        #expect(try !scene.shop.stored(scene.app.id).isActive)
    }

    @Test("where one was made anew, or another one came, none is removed, and the removal ends", arguments: ["10.1.%", "10.3.%"])
    func replaced(host: String) async throws {
        let name = host == "10.1.%" ? "anew" : "more"
        let scene = try await Scene(name)
        // The server tells them apart by the second.
        try await Task.sleep(for: .milliseconds(1100))
        try await scene.server.sql("DROP USER \(name)@'10.1.%'; CREATE USER \(name)@'\(host)' IDENTIFIED BY 'Old-secret-1!'")
        let outcome = try await scene.settle()
        #expect(outcome?.status == .failed && outcome?.reason == .replaced, "\(String(describing: outcome))")
        #expect(try await scene.hosts() == ["%", "10.2.%", host].sorted())
        #expect(try scene.shop.stored(scene.app.id).isActive)
    }
}
