import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// Tasks with the programs that people use, on a platform that nothing can work on: what is refused is told as what is done.
@Suite("Tasks from the command line")
struct TaskStoryTests {
    @Test("a task is defined, tried dry, run, watched and listed, and each step stands in the audit")
    func story() async throws {
        let server = try await ServerProcess.start()
        func run(_ arguments: [String], _ input: String = "") async throws -> String {
            let outcome = try await server.client(arguments, input: Array(input.utf8))
            #expect(outcome.succeeded, "\(arguments): \(outcome.standardError)")
            return outcome.text
        }
        _ = try await run(
            ["login", server.url, "--ca", server.firstLogin.caCertificate], server.firstLogin.password)
        _ = try await run(["asset", "create", "pc1", "--address", "10.0.0.7", "--platform", "Other"])
        _ = try await run(["account", "create", "pc1", "deploy"], "an old secret")
        let made = try JSONDocument.parse(
            try await run([
                "task", "create", "change", "nightly", "--account", "@ALL", "--asset", "pc1", "--crontab", "0 3 * * *",
                "--timezone",
                "Europe/Berlin", "--json",
            ]))
        #expect(made["date_next_run"]?.string != nil)
        // System accounts are for whoever says again who they are.
        let system = try JSONDocument.parse(
            try await run(
                ["task", "create", "push", "services", "--account", "www-data", "--asset", "pc1", "--include-system", "--json"],
                server.firstLogin.password))
        #expect(system["include_system"]?.bool == true && system["include_privileged"]?.bool == false)
        #expect(try await run(["task", "list"]).contains("nightly"))
        let plan = try await run(["task", "dry-run", "nightly"])
        #expect(plan.contains("deploy") && plan.contains("unsupported_platform"))
        #expect(try await run(["task", "run", "nightly"]).contains("skipped"))
        #expect(try await run(["task", "watch", "nightly"]).contains("unsupported_platform"))
        let records = try await run(["task", "records", "nightly"])
        #expect(records.contains("deploy") && !records.contains("an old secret"))
        #expect(try await run(["account", "rotate", "pc1/deploy"]).contains("unsupported_platform"))
        let shown = try await run(["task", "show", "nightly", "--json"])
        #expect(try JSONDocument.parse(shown)["last_execution"]?.string != nil)
        _ = try await run(["task", "delete", "nightly", "--yes"])
        #expect(try await !run(["task", "list"]).contains("nightly"))
        #expect(try await run(["task", "records", "--kind", "change"]).contains("deploy"))
        let actions = try await AuditExport(server)
        #expect(!actions.entries("automation.create").isEmpty && !actions.entries("automation.run").isEmpty)
        #expect(!actions.entries("automation.delete").isEmpty)
        #expect(!actions.entries("account.rotate").isEmpty)
        let metrics = try await Administrator(server).call(.get, "/metrics").text
        #expect(metrics.contains("keyturn_tasks_overdue 0") && metrics.contains("keyturn_accounts_uncertain 0"))
        #expect(metrics.contains(#"keyturn_changes_total{kind="change_secret",outcome="skipped"} 2"#))
        #expect(try await server.stop() == .status(0))
    }
}
