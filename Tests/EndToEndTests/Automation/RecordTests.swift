import Foundation
import JSON
import TestSupport
import Testing

/// What records tell of work on a real PostgreSQL.
@Suite("Records of a database")
struct RecordTests {
    private func start(_ database: PostgreSQLServer) async throws -> Operations {
        let shop = try await Operations()
        let body: [String: Any] = [
            "name": "db1", "address": "localhost", "platform": 19, "db_name": "postgres", "pg_ssl_mode": "verify-full",
            "ca_cert": database.certificates.authority, "protocols": [["name": "postgresql", "port": Int(database.port)]],
        ]
        _ = try await shop.admin.create(
            "assets/databases", String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self))
        _ = try await shop.run(
            ["account", "create", "db1", PostgreSQLServer.superuser, "--privileged"], PostgreSQLServer.superuserPassword)
        return shop
    }

    private func record(_ shop: Operations, _ task: String) async throws -> JSONValue {
        let list = try JSONDocument.parse(try await shop.run(["task", "records", task, "--json"]))
        return try #require(list.array?.first { _ in true })
    }

    private func steps(_ record: JSONValue, _ field: String) -> [String] {
        record["steps"]?.array?.map { $0[field]?.string ?? "-" } ?? []
    }

    @Test("each step has its code, its time and, where it did not end as asked, its reason; an error is told of errors only")
    func steps() async throws {
        let database = try await PostgreSQLServer()
        let shop = try await start(database)
        for name in ["app", "leaver"] {
            try await database.sql("CREATE ROLE \(name) LOGIN PASSWORD 'an-Old-Secret-1'")
            _ = try await shop.run(["account", "create", "db1", name], "an-Old-Secret-1")
        }
        _ = try await shop.run(["task", "create", "change", "nightly", "--account", "app", "--asset", "db1"])
        _ = try await shop.run(["task", "run", "nightly"])
        let changed = try await record(shop, "nightly")
        let codes = ["check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close"]
        #expect(steps(changed, "code") == codes)
        #expect(steps(changed, "reason") == codes.map { _ in "-" })
        let dates = steps(changed, "date")
        #expect(dates == dates.sorted() && dates.allSatisfy { $0.count == 25 }, "\(dates)")
        #expect(changed["error"]?.string == "" && changed["remark"]?.string == "")

        _ = try await shop.run(["task", "create", "remove", "leavers", "--account", "leaver", "--asset", "db1"])
        let ran = try await shop.run(["task", "run", "leavers"])
        let removed = try await record(shop, "leavers")
        #expect(removed["error"]?.string == "", "\(ran)")
        #expect(removed["remark"]?.string == "It is not on the target any more.")
        #expect(steps(removed, "code") == ["check", "preflight", "remember", "install", "promote", "close"])

        try await database.sql("DROP ROLE app")
        let failed = try await shop.server.client(["task", "run", "nightly"])
        #expect(!failed.succeeded)
        let record = try await record(shop, "nightly")
        #expect(record["remark"]?.string == "" && record["error"]?.string?.contains("not on the target") == true, "\(record)")
        #expect(steps(record, "code") == ["check", "preflight", "close"])
        #expect(steps(record, "reason") == ["-", "not_on_target", "not_on_target"])
        #expect(try await shop.server.stop() == .status(0))
    }

    @Test("a specific secret that the platform takes logs in, whatever is in it; one that is too short never gets there")
    func specific() async throws {
        let database = try await PostgreSQLServer()
        try await database.sql("CREATE ROLE app LOGIN PASSWORD 'an-Old-Secret-1'")
        let shop = try await start(database)
        _ = try await shop.run(["account", "create", "db1", "app"], "an-Old-Secret-1")
        let create = ["task", "create", "change", "own", "--account", "app", "--asset", "db1", "--specific-secret"]
        let short = try await shop.server.client(create, input: Array("Short-7".utf8))
        #expect(!short.succeeded && short.standardError.contains("at least 8 characters"), "\(short.standardError)")
        let secret = #"it's "my" \p%ss: wörd$(id) ;--"#
        _ = try await shop.run(create, secret)
        #expect(try await shop.run(["task", "run", "own"]).contains("success"))
        let account = try #require(try await shop.account("app"))
        #expect(try await shop.secret(account) == secret)
        let done = try await RunningProgram.run(
            "psql",
            [
                "-X", "-A", "-t", "-w", "-h", "127.0.0.1", "-p", "\(database.port)", "-U", "app", "-d", "postgres", "-c",
                "SELECT 7",
            ],
            environment: ["PGPASSWORD": secret, "PGSSLMODE": "require"])
        #expect(done.succeeded && done.text == "7\n", "\(done.standardError)")
        #expect(try await shop.server.stop() == .status(0))
    }
}
