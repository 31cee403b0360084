import Automation
import Connectors
import Domain
import TestSupport
import Testing

@testable import Storage

/// One row of Keyturn, and accounts of one name at several hosts of a real MariaDB.
@Suite("Accounts of MariaDB at several hosts")
struct SeveralHostsTests {
    @Test("a row's secret is not given to another account while the one that it stood for is there")
    func oneSecret() async throws {
        let server = try await MariaDBServer()
        for host in ["%", "10.%"] { try await server.sql("CREATE USER app@'\(host)' IDENTIFIED BY 'Old-secret-1!'") }
        let shop = try Workshop({ $0.connector = { $0 == "mariadb" ? MariaDB() : nil } })
        let asset = Asset(
            id: .random(), organization: .default, name: "real", address: "localhost", platform: .init(rawValue: 18),
            protocols: [AssetProtocol(name: "mariadb", port: Int(server.port))],
            specific: ["use_ssl": "true", "ca_cert": server.certificates.authority], dateCreated: Workshop.start,
            dateUpdated: Workshop.start)
        let app = Workshop.account(71, on: asset, name: "app")
        try shop.add(asset)
        try shop.add(
            Workshop.account(70, on: asset, name: MariaDBServer.administrator, privileged: true),
            secret: MariaDBServer.administratorPassword)
        try shop.add(app, secret: "Old-secret-1!")
        func stored() async throws -> [String] {
            try await server.sql(
                "SELECT Host, JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'app' ORDER BY Host"
            )
        }
        func change(_ parameters: [String: String]) async throws -> (outcome: RecordOutcome, changed: Int) {
            let before = try await stored()
            // Each other host is another account to the limit of logins, and each proof sees a wrong one refused.
            shop.clock.advance(seconds: 2 * 86_400)
            let order = Workshop.order { $0.parameters = parameters }
            let outcome = await shop.turning.turn(app.id, in: .default, order, by: Workshop.principal).outcome
            return (outcome, Set(try await stored()).subtracting(before).count)
        }
        #expect(try await change(["account_host": "%"]) == (RecordOutcome(.success, .proven), 1))
        let other = try await change(["account_host": "10.%"])
        #expect(other.outcome.status == .skipped && other.outcome.reason == .unsupported && other.changed == 0, "\(other)")
        #expect(other.outcome.words.contains("app@%"))
        #expect(try await change(["all_hosts": "true"]) == (RecordOutcome(.success, .proven), 2))
        // By now it stands for both.
        let less = try await change([:])
        #expect(less.outcome.status == .skipped && less.outcome.words.contains("app@10.%") && less.changed == 0, "\(less)")
        try await server.sql("DROP USER app@'10.%'")
        #expect(try await change([:]) == (RecordOutcome(.success, .proven), 1))
        // Another one that Keyturn has nothing to do with may come.
        try await server.sql("CREATE USER app@'10.%' IDENTIFIED BY 'Old-secret-1!'")
        #expect(try await change([:]) == (RecordOutcome(.success, .proven), 1))
    }
}
