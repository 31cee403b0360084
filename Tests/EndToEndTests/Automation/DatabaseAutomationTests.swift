import Foundation
import JSON
import TestSupport
import Testing

/// The whole way on a real PostgreSQL, with the mail that tells of it.
@Suite("Automation of a database")
struct DatabaseAutomationTests {
    private static let old = "an-Old-Secret-1"

    /// A configuration that sends mail to the sink.
    private func configuration(_ sink: MailSink, in directory: TemporaryDirectory) throws -> String {
        let password = try directory.write(MailSink.password + "\n", to: "smtp-password")
        _ = try ExternalProgram.run("chmod", ["600", password])
        return """
            notifications:
              email:
                server: localhost:\(sink.port)
                security: starttls
                certificate_authority: \(sink.certificateAuthority)
                username: \(MailSink.username)
                password_file: \(password)
                from: keyturn@example.org
            """
    }

    private func body(_ values: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self)
    }

    @Test("a role gets a new password that logs in, another one is created, and the recipients hear of it")
    func change() async throws {
        let database = try await PostgreSQLServer()
        try await database.sql("CREATE ROLE app LOGIN PASSWORD '\(Self.old)'")
        let sink = try MailSink(mode: "starttls")
        let directory = try TemporaryDirectory("secrets")
        let shop = try await Operations(configuration: configuration(sink, in: directory))
        let asset = try await shop.admin.create(
            "assets/databases",
            body([
                "name": "db1", "address": "localhost", "platform": 19, "db_name": "postgres", "pg_ssl_mode": "verify-full",
                "ca_cert": database.certificates.authority, "protocols": [["name": "postgresql", "port": Int(database.port)]],
            ])
        ).string("id")
        _ = try await shop.run(
            ["account", "create", "db1", PostgreSQLServer.superuser, "--privileged"], PostgreSQLServer.superuserPassword)
        _ = try await shop.run(["account", "create", "db1", "app"], Self.old)
        _ = try await shop.admin.create(
            "accounts/change-secret-automations",
            body([
                "name": "nightly", "accounts": ["app"], "assets": [asset], "secret_strategy": "random",
                "recipients": ["ops@example.org"],
            ]))
        let ran = try await shop.run(["task", "run", "nightly"])
        #expect(ran.contains("app") && ran.contains("success"), "\(ran)")
        let account = try #require(try await shop.account("app"))
        let password = try await shop.secret(account)
        #expect(try await logsIn(database, "app", password))
        #expect(try await !logsIn(database, "app", Self.old))

        _ = try await shop.admin.create(
            "accounts/push-account-automations",
            body(["name": "roles", "accounts": ["fresh"], "assets": [asset], "secret_strategy": "random"]))
        let pushed = try await shop.run(["task", "run", "roles"])
        #expect(pushed.contains("success"), "\(pushed)")
        let fresh = try #require(try await shop.account("fresh"))
        #expect(try await logsIn(database, "fresh", try await shop.secret(fresh)))

        let mail = try await mail(at: sink)
        #expect(mail.to == ["ops@example.org"] && mail.from == "keyturn@example.org")
        #expect(mail.subject.contains("nightly") && mail.text.contains("success: 1") && !mail.raw.contains(password))
        #expect(try await shop.server.stop() == .status(0))
    }

    @Test("a record is restored on the target too; a push leaves an account that is there, unless it is told to set its secret")
    func restore() async throws {
        let database = try await PostgreSQLServer()
        try await database.sql("CREATE ROLE app LOGIN PASSWORD '\(Self.old)'")
        let shop = try await Operations()
        _ = try await shop.admin.create(
            "assets/databases",
            body([
                "name": "db1", "address": "localhost", "platform": 19, "db_name": "postgres", "pg_ssl_mode": "verify-full",
                "ca_cert": database.certificates.authority, "protocols": [["name": "postgresql", "port": Int(database.port)]],
            ]))
        _ = try await shop.run(
            ["account", "create", "db1", PostgreSQLServer.superuser, "--privileged"], PostgreSQLServer.superuserPassword)
        _ = try await shop.run(["account", "create", "db1", "app"], Self.old)
        _ = try await shop.run(["task", "create", "change", "nightly", "--account", "app", "--asset", "db1"])
        _ = try await shop.run(["task", "run", "nightly"])
        let account = try #require(try await shop.account("app"))
        let password = try await shop.secret(account)
        #expect(try await logsIn(database, "app", password))

        let list = try JSONDocument.parse(try await shop.run(["task", "records", "nightly", "--json"]))
        let record = try #require(list.array?.first { _ in true }?["id"]?.string)
        let restored = try await shop.run(["task", "restore", record], shop.server.firstLogin.password)
        #expect(restored.contains("success"), "\(restored)")
        #expect(try await shop.secret(account) == Self.old)
        #expect(try await logsIn(database, "app", Self.old))
        #expect(try await !logsIn(database, "app", password))

        try await database.sql("ALTER ROLE app PASSWORD 'Theirs-secret-3'")
        #expect(try await shop.run(["account", "push", "db1/app"]).contains("success"))
        #expect(try await logsIn(database, "app", "Theirs-secret-3"))
        #expect(try await shop.run(["account", "push", "db1/app", "--on-existing", "set_secret"]).contains("success"))
        #expect(try await logsIn(database, "app", Self.old))
        #expect(try await !logsIn(database, "app", "Theirs-secret-3"))
        #expect(try await shop.server.stop() == .status(0))
    }

    private func logsIn(_ database: PostgreSQLServer, _ role: String, _ password: String) async throws -> Bool {
        let done = try await RunningProgram.run(
            "psql",
            [
                "-X", "-A", "-t", "-w", "-h", "127.0.0.1", "-p", "\(database.port)", "-U", role, "-d", "postgres", "-c",
                "SELECT 7",
            ],
            environment: ["PGPASSWORD": password, "PGSSLMODE": "require"])
        return done.succeeded && done.text == "7\n"
    }

    private func mail(at sink: MailSink) async throws -> MailSink.Mail {
        for _ in 0..<1200 {
            if let mail = try sink.mails().first { return mail }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ProgramFault.timedOut("a mail", output: "")
    }
}
