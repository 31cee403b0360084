import Foundation
import JSON
import TestSupport
import Testing

/// What failed is tried again when its cause is gone, and a program elsewhere hears of both, from a whole server.
@Suite("Retries, and the webhook that tells of them")
struct RetryTests {
    private static func configuration(_ sink: WebhookSink, in directory: TemporaryDirectory) throws -> String {
        let key = try directory.write(WebhookSink.key + "\n", to: "webhook-key")
        _ = try ExternalProgram.run("chmod", ["600", key])
        return """
            notifications:
              webhook:
                url: \(sink.url)
                secret_file: \(key)
                certificate_authority: \(sink.certificateAuthority)
            """
    }

    @Test("a failed record is retried after the cause is gone, and the signed webhook tells of both executions")
    func retry() async throws {
        let database = try await PostgreSQLServer()
        let sink = try WebhookSink()
        let directory = try TemporaryDirectory("webhook")
        let shop = try await Operations(configuration: Self.configuration(sink, in: directory))
        _ = try await shop.admin.create(
            "assets/databases",
            Self.body([
                "name": "db1", "address": "localhost", "platform": 19, "db_name": "postgres", "pg_ssl_mode": "verify-full",
                "ca_cert": database.certificates.authority, "protocols": [["name": "postgresql", "port": Int(database.port)]],
            ]))
        _ = try await shop.run(
            ["account", "create", "db1", PostgreSQLServer.superuser, "--privileged"], PostgreSQLServer.superuserPassword)
        _ = try await shop.run(["account", "create", "db1", "app"], "an-Old-Secret-1")
        _ = try await shop.run(["task", "create", "change", "nightly", "--account", "app", "--asset", "db1"])

        // There is no such role yet.
        let failed = try await shop.server.client(["task", "run", "nightly"])
        #expect(!failed.succeeded && failed.text.contains("failed"), "\(failed.text) \(failed.standardError)")
        let list = try JSONDocument.parse(try await shop.run(["task", "records", "nightly", "--json"]))
        let record = try #require(list.array?.first { _ in true })
        #expect(record["reason"]?["value"]?.string == "not_on_target" || record["reason"]?.string == "not_on_target", "\(list)")
        let id = try #require(record["id"]?.string)
        // As long as the cause is there, a retry fails as well.
        #expect(try await !shop.server.client(["task", "retry", id]).succeeded)

        try await database.sql("CREATE ROLE app LOGIN PASSWORD 'an-Old-Secret-1'")
        let retried = try await shop.run(["task", "retry", id])
        #expect(retried.contains("success"), "\(retried)")
        let account = try #require(try await shop.account("app"))
        let password = try await shop.secret(account)
        #expect(password != "an-Old-Secret-1")
        #expect(try await Self.logsIn(database, password))
        #expect(try await !Self.logsIn(database, "an-Old-Secret-1"))

        let messages = try await Self.messages(from: sink, executions: 3)
        #expect(messages.allSatisfy { $0.isSigned }, "\(messages.map(\.id))")
        #expect(Set(messages.map(\.id)).count == 3 && messages.allSatisfy { $0.content["type"]?.string == "execution.finished" })
        let statuses = messages.map { $0.content["data"]?["status"]?.string ?? "" }
        #expect(statuses.filter { $0 == "failed" }.count == 2 && statuses.filter { $0 == "success" }.count == 1, "\(statuses)")
        for message in messages {
            #expect(!message.body.contains(password) && !message.body.contains("an-Old-Secret-1"))
        }
        #expect(try await shop.server.stop() == .status(0))
    }

    private static func body(_ values: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self)
    }

    private static func logsIn(_ database: PostgreSQLServer, _ password: String) async throws -> Bool {
        try await RunningProgram.run(
            "psql",
            [
                "-X", "-A", "-t", "-w", "-h", "127.0.0.1", "-p", "\(database.port)", "-U", "app", "-d", "postgres", "-c",
                "SELECT 1",
            ],
            environment: ["PGPASSWORD": password, "PGSSLMODE": "require"]
        ).succeeded
    }

    /// One message for each execution, within the time that the outbox takes.
    private static func messages(from sink: WebhookSink, executions: Int) async throws -> [WebhookSink.Message] {
        for _ in 0..<1200 {
            let messages = try sink.messages()
            if messages.count >= executions { return messages }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ProgramFault.timedOut("the webhook", output: "\(try sink.messages().map(\.body))")
    }
}
