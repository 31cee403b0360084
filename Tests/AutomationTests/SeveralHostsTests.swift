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

    /// A server with two assets that lead to it, each with a worker of its own, and the accounts `app` and `app2` of the vault, one on each.
    private struct TwoAssets {
        let server: MariaDBServer
        let shop: Workshop
        let accounts: [Account]

        init(hosts: [String], secret: String?) async throws {
            let server = try await MariaDBServer()
            for host in hosts { try await server.sql("CREATE USER app@'\(host)' IDENTIFIED BY 'Old-secret-1!'") }
            let shop = try Workshop({ $0.connector = { $0 == "mariadb" ? MariaDB() : nil } })
            var accounts: [Account] = []
            for (number, name) in ["real-1", "real-2"].enumerated() {
                let asset = Asset(
                    id: .random(), organization: .default, name: name, address: "localhost", platform: .init(rawValue: 18),
                    protocols: [AssetProtocol(name: "mariadb", port: Int(server.port))],
                    specific: ["use_ssl": "true", "ca_cert": server.certificates.authority], dateCreated: Workshop.start,
                    dateUpdated: Workshop.start)
                try shop.add(asset)
                let (worker, app) = (UInt64(70 + 10 * number), UInt64(71 + 10 * number))
                try shop.add(
                    Workshop.account(worker, on: asset, name: MariaDBServer.administrator, privileged: true),
                    secret: MariaDBServer.administratorPassword)
                let account = Workshop.account(app, on: asset, name: "app")
                try shop.add(account, secret: secret)
                accounts.append(account)
            }
            (self.server, self.shop, self.accounts) = (server, shop, accounts)
        }

        func stored() async throws -> Set<String> {
            Set(
                try await server.sql(
                    "SELECT Host, JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'app'"))
        }

        /// Changes, or pushes, the account of one of the assets; with how many accounts of the server got another password.
        func work(
            _ number: Int, _ parameters: [String: String], pushes: Bool = false
        ) async throws -> (outcome: RecordOutcome, changed: Int) {
            let before = try await stored()
            shop.clock.advance(seconds: 2 * 86_400)
            let order = Workshop.order { $0.parameters = parameters }
            let (turning, id) = (shop.turning, accounts[number].id)
            let outcome =
                pushes
                ? await turning.push(id, in: .default, order, by: Workshop.principal).outcome
                : await turning.turn(id, in: .default, order, by: Workshop.principal).outcome
            return (outcome, try await stored().subtracting(before).count)
        }
    }

    @Test("rows of two assets that lead to one server, and have an account in common, are not changed one without the other")
    func inCommon() async throws {
        let two = try await TwoAssets(hosts: ["%", "10.%"], secret: "Old-secret-1!")
        #expect(try await two.work(0, ["all_hosts": "true"]) == (RecordOutcome(.success, .proven), 2))
        for parameters in [["account_host": "%"], ["account_host": "10.%"], [:], ["all_hosts": "true"]] {
            let other = try await two.work(1, parameters)
            #expect(other.outcome.status == .skipped && other.outcome.reason == .sameTarget && other.changed == 0, "\(other)")
            #expect(other.outcome.words.contains("\(two.accounts[0].id)"), "\(other)")
        }
        // The first goes on.
        #expect(try await two.work(0, ["all_hosts": "true"]) == (RecordOutcome(.success, .proven), 2))
    }

    @Test(
        "rows of two assets that mean different hosts' accounts of one server are changed each by itself, until they would mean one"
    )
    func apart() async throws {
        let two = try await TwoAssets(hosts: ["%", "10.%"], secret: "Old-secret-1!")
        #expect(try await two.work(0, ["account_host": "%"]) == (RecordOutcome(.success, .proven), 1))
        // Nobody can log in from there, so nothing proves it; it is changed all the same.
        let other = try await two.work(1, ["account_host": "10.%"])
        #expect(other.outcome.reason != .sameTarget && other.changed == 1, "\(other)")
        let both = try await two.work(0, ["all_hosts": "true"])
        #expect(both.outcome.reason == .sameTarget && both.changed == 0, "\(both)")
    }

    @Test("a row whose account a push has made is known by its host, so that the next change is not another host's account's")
    func pushed() async throws {
        let two = try await TwoAssets(hosts: [], secret: nil)
        #expect(try await two.work(0, ["account_host": "%"], pushes: true) == (RecordOutcome(.success, .proven), 1))
        let again = try await two.work(1, [:], pushes: true)
        #expect(again.outcome.reason == .sameTarget && again.changed == 0, "\(again)")
        try await two.server.sql("CREATE USER app@'10.%' IDENTIFIED BY 'Old-secret-1!'")
        let other = try await two.work(0, ["account_host": "10.%"])
        #expect(other.outcome.status == .skipped && other.outcome.words.contains("app@%") && other.changed == 0, "\(other)")
        #expect(try await two.work(0, ["account_host": "%"]) == (RecordOutcome(.success, .proven), 1))
    }
}
