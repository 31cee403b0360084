import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// A real server whose accounts live on a real PostgreSQL, and a task that changes all of their secrets.
final class TurnTown: Sendable {
    static let rules = #"{"length":24,"lowercase":true,"uppercase":true,"digit":true,"symbol":false}"#

    let server: ServerProcess
    let database: PostgreSQLServer
    let admin: Administrator
    let key: ApplicationKey
    let task: String
    let asset: String
    /// Ids of the accounts by role.
    let accounts: [String: String]

    /// - Parameter port: where the asset is said to be; a proxy's, or nil for the database itself.
    /// - Parameter plain: whether the connection is without TLS, so that a proxy can see where to cut.
    init(roles count: Int, port: UInt16? = nil, plain: Bool = false, database: PostgreSQLServer) async throws {
        self.database = database
        // No alarm and no retry may come late: the tests wait for what is settled.
        server = try await ServerProcess.start(configuration: nil)
        admin = try await Administrator(server)
        let settings =
            plain
            ? #""pg_ssl_mode":"disable","use_ssl":false"#
            : #""pg_ssl_mode":"verify-full","use_ssl":true,"ca_cert":\#(Self.json(database.certificates.authority))"#
        let made = try await admin.create(
            "assets/databases",
            #"{"name":"pg","address":"localhost","platform":19,"protocols":[{"name":"postgresql","port":\#(port ?? database.port)}],"db_name":"postgres",\#(settings)}"#
        )
        asset = made.string("id")
        _ = try await admin.create(
            "accounts/accounts",
            #"{"name":"worker","username":"\#(PostgreSQLServer.superuser)","asset":"\#(asset)","secret":"\#(PostgreSQLServer.superuserPassword)","privileged":true}"#
        )
        var accounts: [String: String] = [:]
        for number in 1...max(1, count) {
            let (role, first) = ("turn_\(number)", "First-value-\(number)-aB3")
            try await database.sql("CREATE ROLE \(role) LOGIN PASSWORD '\(first)'")
            accounts[role] = try await admin.account(role, on: asset, secret: first)
        }
        self.accounts = accounts
        key = try await admin.application("crash")
        let names = accounts.keys.sorted().map { "\"\($0)\"" }.joined(separator: ",")
        task = try await admin.create(
            "accounts/change-secret-automations",
            #"{"name":"all","accounts":[\#(names)],"assets":["\#(asset)"],"secret_type":"password","secret_strategy":"random","password_rules":\#(Self.rules)}"#
        ).string("id")
    }

    private static func json(_ text: String) -> String {
        "\"" + text.replacing("\n", with: "\\n") + "\""
    }

    private var now: Administrator { Administrator(admin, at: server) }

    /// Starts the task, and waits until its execution is over or the server has ended; true if it has ended.
    func turn(limit: Duration = .seconds(60)) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        guard
            let started = try? await now.call(
                .post, "/api/v1/accounts/change-secret-executions/", #"{"automation":"\#(task)"}"#)
        else { return try await hasEnded() }
        guard started.status == 201 else { throw ProgramFault.unexpected("run: \(started.status)", output: started.text) }
        let execution = started.string("task")
        while ContinuousClock.now < deadline {
            if try await hasEnded() { return true }
            if let seen = try? await now.call(.get, "/api/v1/accounts/change-secret-executions/\(execution)/") {
                let status = seen.json?["status"]?["value"]?.string ?? seen.string("status")
                if !["pending", "running", ""].contains(status) { return false }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ProgramFault.timedOut("the execution", output: server.log)
    }

    /// Whether the server ended by itself: at the step at which it was told to.
    func hasEnded() async throws -> Bool {
        guard let program = server.program else { return true }
        guard let ending = program.poll() else { return false }
        guard ending == .signal(SIGKILL) else {
            throw ProgramFault.unexpected("keyturnd ended with \(ending)", output: server.log)
        }
        return true
    }

    /// Waits until no change is open any more; throws what is still in doubt.
    func settled(limit: Duration = .seconds(90)) async throws {
        let deadline = ContinuousClock.now + limit
        var last = ""
        while ContinuousClock.now < deadline {
            let answer = try await now.call(.get, "/api/v1/accounts/accounts/?limit=100")
            let open = rows(answer).filter { $0["change"]?.string != nil }
            if answer.status == 200, open.isEmpty, try await running().isEmpty { return }
            last = "in doubt: \(open.map { $0["username"]?.string ?? "" }); running: \(try await running())"
            try await Task.sleep(for: .milliseconds(200))
        }
        throw ProgramFault.timedOut("settling", output: last + server.log.suffix(4000))
    }

    private func rows(_ answer: APIConnection.Answer) -> [JSONValue] {
        answer.json?["results"]?.array.map { Array($0) } ?? []
    }

    /// Executions that are not over, with their progress.
    private func running() async throws -> [String] {
        let answer = try await now.call(.get, "/api/v1/accounts/change-secret-executions/?limit=100")
        return rows(answer).compactMap { row in
            let status = row["status"]?["value"]?.string ?? row["status"]?.string ?? ""
            guard ["pending", "running"].contains(status) else { return nil }
            let progress = row["progress"]
            return "\(row["id"]?.string ?? "") \(status) \(progress?["done"]?.int ?? -1)/\(progress?["total"]?.int ?? -1)"
        }
    }

    /// Checks that what applications are served opens the door of the target, for every account.
    func checkLive(_ what: String) async throws {
        let connection = APIConnection(server)
        for (role, id) in accounts {
            let answer = try await key.fetch(over: connection, ApplicationKey.route + "?account_id=\(id)")
            #expect(answer.status == 200, "\(what): \(role): \(answer.text)")
            let isLive = try await opens(role, answer.string("secret"))
            #expect(isLive, "\(what): the secret that Keyturn serves for \(role) is not the live one")
        }
    }

    private func opens(_ role: String, _ secret: String) async throws -> Bool {
        let done = try await RunningProgram.run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-w", "-h", "127.0.0.1", "-p", "\(database.port)", "-U", role, "-d", "postgres", "-c",
                "SELECT 1",
            ],
            environment: ["PGPASSWORD": secret])
        return done.succeeded
    }
}
