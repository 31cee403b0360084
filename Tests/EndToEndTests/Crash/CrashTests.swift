import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// SIGKILL at any moment: `make test` does 20, `make crash` 200 (KEYTURN_CRASHES).
///
/// After each the test itself follows the audit's chain from the entry at which the last one left it, so that the two hundredth takes no
/// longer than the first; now and then, and at the end, the server's own verification goes over all of it, signatures included.
@Suite("Crash")
struct CrashTests {
    /// Kills from one whole verification to the next.
    private static let stretch = 10
    private static let rounds = ProcessInfo.processInfo.environment["KEYTURN_CRASHES"].flatMap { Int($0) } ?? 20

    @Test("nothing that was acknowledged is missing after kill -9, and the audit is whole", .timeLimit(.minutes(60)))
    func kill() async throws {
        let vault = try await SmallVault.start()
        let whole = Ledger()
        whole.note { $0.accounts[vault.account] = .init(secret: SmallVault.secret, version: 1) }
        var chain = ChainReader()
        var (again, fetches) = (0, 0)
        for round in 1...max(1, Self.rounds) {
            let ledger = Ledger()
            ledger.note { $0.accounts[vault.account] = .init(secret: SmallVault.secret, version: 1) }
            async let work: Void = Workload(vault: vault, ledger: ledger).run()
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400)))
            try await vault.server.kill()
            await work
            // Some fall again while they are getting up, and settle what the first fall left open.
            if round.isMultiple(of: 4) {
                try await Self.killWhileStarting(vault.server)
                again += 1
            }
            try await vault.server.start()
            let done = ledger.current
            #expect(done.wrong.isEmpty, "round \(round): \(done.wrong.prefix(3))")
            try await Self.checkSecrets(vault, done, round)
            try await Self.checkAudit(vault, done, from: &chain, round)
            if round.isMultiple(of: Self.stretch) { #expect(try await AuditExport.isWhole(vault.server), "round \(round)") }
            whole.note { $0.accounts.merge(done.accounts) { $1 } }
            fetches += done.fetches.values.reduce(0, +)
        }
        // What one crash left whole, the later ones must not have hurt.
        try await Self.checkSecrets(vault, whole.current, Self.rounds + 1)
        #expect(try await AuditExport.isWhole(vault.server))
        #expect(try await vault.server.stop() == .status(0))
        #expect(try await vault.server.operate(["doctor"]).succeeded)
        let secrets = whole.current.accounts.values.map(\.version).reduce(0, +)
        try Self.publish([
            ("killed at work", Self.rounds), ("killed again while it started", again), ("secrets acknowledged", Int(secrets)),
            ("fetches acknowledged", fetches), ("entries of the audit", Int(chain.seq)),
        ])
    }

    /// What was acknowledged and found again; of a run that failed nothing is taken.
    private static func publish(_ figures: [(name: String, value: Int)]) throws {
        let lines = [figures.map(\.name), figures.map { _ in "---" }, figures.map { "\($0.value)" }].map(CrashTable.line)
        print(lines.joined(separator: "\n"))
        try CrashTable.publish(lines.map { $0 + "\n" }.joined(), as: "vault")
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

    /// The audit goes on where it ended, every acknowledged act stands in it, and every announced change has its outcome.
    private static func checkAudit(
        _ vault: SmallVault, _ done: Ledger.Content, from chain: inout ChainReader, _ round: Int
    ) async throws {
        let audit = try await AuditExport(vault.server, after: chain.seq)
        let broken = try chain.follow(audit.lines)
        #expect(broken == nil, "round \(round): not linked to entry \(chain.seq)")
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
    }
}
