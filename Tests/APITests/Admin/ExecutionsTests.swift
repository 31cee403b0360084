internal import API
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Executions and records")
struct ExecutionsTests {
    private let executions = "/api/v1/accounts/change-secret-executions/"
    private let records = "/api/v1/accounts/change-secret-records/"

    /// Runs the closure while the server carries executions out.
    private static func whileExecuting(_ vault: TestVault, _ body: () async throws -> Void) async throws {
        let tasks = vault.backend.tasks
        let running = Task { try await tasks.runExecutions() }
        try await body()
        running.cancel()
        _ = try? await running.value
    }

    private func end(of id: String, _ vault: TestVault, at path: String? = nil) async throws -> Answer {
        for _ in 0..<6000 {
            let answer = try await vault.send(.get, (path ?? executions) + id + "/")
            if try !["pending", "running"].contains(answer.string("status.value") ?? "") { return answer }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await vault.send(.get, (path ?? executions) + id + "/")
    }

    @Test("a task that is run tells how it went: status, summary, records and a log")
    func run() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web-1")
        try await vault.makeAccount("admin", on: asset, secret: "topmost", more: #","privileged":true"#)
        let task = try await vault.makeTask("t", more: #","assets":["\#(asset)"]"#)
        let execution = try await vault.run(task)
        let body = #"{"automation":"\#(task)"}"#
        #expect(try await vault.send(.post, executions, body).status == 409)
        try await Self.whileExecuting(vault) {
            let ended = try await end(of: execution, vault)
            #expect(try ended.string("status.value") == "success")
            #expect(try ended.int("summary.skipped") == 1 && ended.int("progress.done") == 1)
            #expect(try ended.string("trigger.value") == "manual" && ended.string("author") == TestVault.username)
            #expect(try ended.string("snapshot.secret_strategy") == "random")
        }
        let list = try await vault.send(.get, records + "?execution=\(execution)")
        #expect(try list.string("0.reason") == "privileged" && list.string("0.asset.name") == "web-1")
        let log = try await vault.send(.get, executions + execution + "/log/")
        #expect(log.status == 200 && log.text.contains("web-1/admin: skipped") && !log.text.contains("topmost"))
        #expect(try await vault.send(.get, "/api/v1/accounts/push-account-executions/" + execution + "/").status == 404)
    }

    @Test("a waiting execution is canceled, twice without harm, and never run afterwards")
    func cancel() async throws {
        let vault = try await TestVault.make()
        let execution = try await vault.run(vault.makeTask("t"))
        for _ in 0..<2 {
            let answer = try await vault.send(.post, executions + execution + "/cancel/")
            #expect(try answer.status == 200 && answer.string("status.value") == "canceled")
        }
        try await Self.whileExecuting(vault) {
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await vault.send(.get, executions + execution + "/").string("status.value") == "canceled")
        }
    }

    @Test("an execution is not stopped from another organization, nor as one of another kind: it runs to its end")
    func foreignCancel() async throws {
        let vault = try await TestVault.make()
        let other = try await vault.makeOrganization().description
        let execution = try await vault.run(vault.makeTask("t"))
        #expect(try await vault.send(.post, executions + execution + "/cancel/", in: other).status == 404)
        let kind = "/api/v1/accounts/push-account-executions/"
        #expect(try await vault.send(.post, kind + execution + "/cancel/").status == 404)
        try await Self.whileExecuting(vault) {
            let ended = try await end(of: execution, vault)
            #expect(try ended.string("status.value") == "success")
        }
        let refused = try vault.audit().filter { $0.action == "automation.run" && $0.outcome == "refused" }
        #expect(refused.count == 2)
    }

    @Test("a record whose account is gone is not tried again, proved or put back, and the answer says why")
    func accountGone() async throws {
        let vault = try await TestVault.make()
        let account = try await vault.makeAccount("deploy", on: vault.makeAsset("web-1"))
        let record = try await vault.makeRecord(of: vault.run(vault.makeTask("t")), account: account).description
        #expect(try await vault.send(.delete, "/api/v1/accounts/accounts/\(account)/").status == 204)
        try await vault.confirm()
        for action in ["execute", "verify", "restore"] {
            let answer = try await vault.send(.post, records + action + "/", #"{"record_ids":["\#(record)"]}"#)
            #expect(try answer.status == 409 && answer.string("detail") == "The account deploy of a is not there any more.")
        }
    }

    @Test("a task that is switched off is not run, and one of another kind is not found")
    func refused() async throws {
        let vault = try await TestVault.make()
        let off = try await vault.makeTask("off", more: #","is_active":false"#)
        #expect(try await vault.send(.post, executions, #"{"automation":"\#(off)"}"#).status == 409)
        #expect(
            try await vault.send(.post, "/api/v1/accounts/push-account-executions/", #"{"automation":"\#(off)"}"#).status == 400)
    }

    @Test("a record's secrets are shown after a confirmation only, and the reveal is on the record")
    func secret() async throws {
        let vault = try await TestVault.make()
        let account = try await vault.makeAccount("deploy", on: vault.makeAsset("web-1"), secret: "first-value")
        _ = try await vault.send(.patch, "/api/v1/accounts/accounts/\(account)/", #"{"secret":"second-value"}"#)
        let record = try await vault.makeRecord(of: vault.run(vault.makeTask("t")), account: account).description
        let shown = try await vault.send(.get, records + record + "/")
        #expect(try shown.int("old_version") == 1 && shown.int("new_version") == 2 && !shown.text.contains("-value"))
        let path = records + record + "/secret/"
        #expect(try await vault.send(.get, path).status == 412)
        #expect(try await vault.send(.get, path, token: vault.auditorToken).status == 403)
        try await vault.confirm()
        let revealed = try await vault.send(.get, path)
        #expect(try revealed.string("old_secret") == "first-value" && revealed.string("new_secret") == "second-value")
        let outcomes = try vault.audit().filter { $0.action == "account.reveal" }.map(\.outcome)
        #expect(outcomes == ["refused", "refused", "granted"])
    }

    @Test("records are tried again with the same version, proved, put back after a confirmation, and set aside")
    func actions() async throws {
        let vault = try await TestVault.make()
        let account = try await vault.makeAccount("deploy", on: vault.makeAsset("web-1"))
        let execution = try await vault.run(vault.makeTask("t"))
        let record = try await vault.makeRecord(of: execution, account: account).description
        let body = #"{"record_ids":["\#(record)"]}"#
        let again = try await vault.send(.post, records + "execute/", body)
        #expect(again.status == 201, "\(again.text)")
        let retry = try await vault.send(.get, executions + (try #require(try again.string("task"))) + "/")
        #expect(try retry.string("snapshot.selection.0.account") == account && retry.int("snapshot.selection.0.version") == 1)
        let proof = try await vault.send(.post, records + "verify/", body)
        #expect(proof.status == 201)
        #expect(try await vault.send(.post, records + "restore/", body).status == 412)
        try await vault.confirm()
        let back = try await vault.send(.post, records + "restore/", body)
        #expect(back.status == 201, "\(back.text)")
        let restore = try await vault.send(.get, executions + (try #require(try back.string("task"))) + "/")
        #expect(try restore.string("type.value") == "restore_secret")
        let ignored = try await vault.send(.patch, records + record + "/ignore-fail/", "{}")
        #expect(try ignored.value("ignore_fail")?.bool == true)
        let board = try await vault.send(.get, records + "dashboard/")
        #expect(try board.int("records.failed") == 1 && board.value("failed")?.count == 0)
        let done = try await vault.makeRecord(of: execution, account: account, status: .success, reason: nil).description
        #expect(try await vault.send(.post, records + "execute/", #"{"record_ids":["\#(done)"]}"#).status == 409)
        #expect(try await vault.send(.post, records + "execute/", #"{"record_ids":["\#(AccountID.random())"]}"#).status == 400)
    }

    @Test("single accounts are worked on at once, removal and privileged ones after a confirmation only")
    func accounts() async throws {
        let vault = try await TestVault.make()
        let account = try await vault.makeAccount("deploy", on: vault.makeAsset("web-1"))
        let path = "/api/v1/accounts/accounts/tasks/"
        for (action, kind) in [("verify", "verify-account"), ("push", "push-account"), ("change_secret", "change-secret")] {
            let answer = try await vault.send(.post, path, #"{"action":"\#(action)","accounts":["\#(account)"]}"#)
            #expect(answer.status == 201, "\(answer.text)")
            let execution = try #require(try answer.string("task"))
            #expect(try await vault.send(.get, "/api/v1/accounts/\(kind)-executions/\(execution)/").status == 200)
        }
        // What is there already is touched only where that is asked for.
        for (more, existing) in [("", "nothing"), (#","on_existing":"set_secret""#, "set_secret")] {
            let answer = try await vault.send(.post, path, #"{"action":"push","accounts":["\#(account)"]\#(more)}"#)
            let execution = try #require(try answer.string("task"))
            let shown = try await vault.send(.get, "/api/v1/accounts/push-account-executions/\(execution)/")
            #expect(try shown.string("snapshot.on_existing") == existing)
        }
        let removal = #"{"action":"remove","accounts":["\#(account)"]}"#
        let privileged = #"{"action":"change_secret","accounts":["\#(account)"],"include_privileged":true}"#
        for body in [removal, privileged] { #expect(try await vault.send(.post, path, body).status == 412) }
        try await vault.confirm()
        for body in [removal, privileged] { #expect(try await vault.send(.post, path, body).status == 201) }
        #expect(try await vault.send(.post, path, #"{"action":"verify","accounts":[]}"#).status == 400)
        #expect(try await vault.send(.post, path, #"{"action":"burn","accounts":["\#(account)"]}"#).status == 400)
        let other = try await vault.makeOrganization().description
        #expect(try await vault.send(.post, path, #"{"action":"verify","accounts":["\#(account)"]}"#, in: other).status == 400)
    }

    @Test("the test of an asset logs in as the account that would do the work")
    func test() async throws {
        let vault = try await TestVault.make()
        let asset = try await vault.makeAsset("web-1")
        let path = "/api/v1/assets/assets/\(asset)/tasks/"
        #expect(try await vault.send(.post, path, #"{"action":"test"}"#).status == 409)
        let admin = try await vault.makeAccount("admin", on: asset, more: #","privileged":true"#)
        let answer = try await vault.send(.post, path, #"{"action":"test"}"#)
        #expect(answer.status == 201, "\(answer.text)")
        let execution = try #require(try answer.string("task"))
        let shown = try await vault.send(.get, "/api/v1/accounts/verify-account-executions/\(execution)/")
        #expect(try shown.string("snapshot.selection.0.account") == admin)
    }
}
