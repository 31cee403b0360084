import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// SIGKILL at any moment: `make test` does 20, `make crash` 200 (KEYTURN_CRASHES).
@Suite("Crash")
struct CrashTests {
    private static let rounds = ProcessInfo.processInfo.environment["KEYTURN_CRASHES"].flatMap { Int($0) } ?? 20

    @Test("nothing that was acknowledged is missing after kill -9, and the audit is whole", .timeLimit(.minutes(20)))
    func kill() async throws {
        let vault = try await SmallVault.start()
        let whole = Ledger()
        whole.note { $0.accounts[vault.account] = .init(secret: SmallVault.secret, version: 1) }
        var seen: Int64 = 0
        for round in 1...max(1, Self.rounds) {
            let ledger = Ledger()
            ledger.note { $0.accounts[vault.account] = .init(secret: SmallVault.secret, version: 1) }
            async let work: Void = Workload(vault: vault, ledger: ledger).run()
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400)))
            try await vault.server.kill()
            await work
            // Some fall again while they are getting up, and settle what the first fall left open.
            if round.isMultiple(of: 4) { try await Self.killWhileStarting(vault.server) }
            try await vault.server.start()
            let done = ledger.current
            #expect(done.wrong.isEmpty, "round \(round): \(done.wrong.prefix(3))")
            try await Self.checkSecrets(vault, done, round)
            seen = try await Self.checkAudit(vault, done, after: seen, round)
            whole.note { $0.accounts.merge(done.accounts) { $1 } }
        }
        // What one crash left whole, the later ones must not have hurt.
        try await Self.checkSecrets(vault, whole.current, Self.rounds + 1)
        #expect(try await AuditExport.isWhole(vault.server))
        #expect(try await vault.server.stop() == .status(0))
        #expect(try await vault.server.operate(["doctor"]).succeeded)
    }

    private static func killWhileStarting(_ server: ServerProcess) async throws {
        let program = try RunningProgram(Products.keyturnd, ["serve", "--data", server.data, "--listen", "127.0.0.1:0"])
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
        program.signal(SIGKILL)
        _ = try await program.wait()
    }

    /// Every acknowledged secret is there in its acknowledged version, or in the one that was under way.
    private static func checkSecrets(_ vault: SmallVault, _ done: Ledger.Content, _ round: Int) async throws {
        let connection = APIConnection(vault.server)
        for (id, known) in done.accounts {
            let answer = try await vault.key.fetch(over: connection, ApplicationKey.route + "?account_id=\(id)")
            let (secret, version) = (answer.string("secret"), answer.int("version"))
            let isAcknowledged = secret == known.secret && version == known.version
            let isUnderWay = known.unanswered == secret && version == known.version + 1
            #expect(
                answer.status == 200 && (isAcknowledged || isUnderWay),
                "round \(round): \(id) has version \(version ?? -1), acknowledged was \(known.version); \(answer.status)")
        }
    }

    /// Every acknowledged act stands in the audit, and every announced change has its outcome. Returns the last entry's number.
    private static func checkAudit(
        _ vault: SmallVault, _ done: Ledger.Content, after seen: Int64, _ round: Int
    ) async throws -> Int64 {
        #expect(try await AuditExport.isWhole(vault.server), "round \(round)")
        let audit = try await AuditExport(vault.server, after: seen)
        var written: [Ledger.Fetch: Int] = [:]
        for entry in audit.entries("secret.fetch", outcome: "granted") {
            let account = entry["objects"]?.array?.first { $0["kind"]?.string == "account" }?["id"]?.string
            guard let account, let version = entry["version"]?.int else { continue }
            written[.init(account: account, version: version), default: 0] += 1
        }
        for (fetch, count) in done.fetches {
            #expect(written[fetch, default: 0] >= count, "round \(round): a fetch of \(fetch) is not in the audit")
        }
        var changes: [String: Int64] = [:]
        for entry in audit.entries where entry["phase"]?.string == "outcome" && entry["outcome"]?.string == "granted" {
            let account = entry["objects"]?.array?.first { $0["kind"]?.string == "account" }
            if let id = account?["id"]?.string { changes[id, default: 0] += 1 }
        }
        for (id, known) in done.accounts where id != vault.account {
            #expect(changes[id, default: 0] >= known.version, "round \(round): a change of \(id) is not in the audit")
        }
        let intents = audit.entries.filter { $0["phase"]?.string == "intent" }.compactMap { $0["request"]?.string }
        let outcomes = Set(audit.entries.filter { $0["phase"]?.string == "outcome" }.compactMap { $0["request"]?.string })
        #expect(intents.allSatisfy { outcomes.contains($0) }, "round \(round): an announced change has no outcome")
        return audit.entries.last?["seq"]?.int ?? seen
    }
}
