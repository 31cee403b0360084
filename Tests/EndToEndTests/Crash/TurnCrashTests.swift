import Foundation
import TestSupport
import Testing

/// The process ends as if the power were cut, right after each numbered step of a change on a real target: `make test` does each once,
/// `make crash` each twenty times (KEYTURN_TURN_HITS) and prints the table of `docs/reliability.md`.
@Suite("Crash of a change")
struct TurnCrashTests {
    private static let hits = ProcessInfo.processInfo.environment["KEYTURN_TURN_HITS"].flatMap { Int($0) } ?? 1

    /// The steps of a change that goes well, and those of a doubt, which begins with a crash behind `install`.
    private static let steps = ["check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close"]
    private static let stepsInDoubt = ["inspect", "reapply"]

    @Test("after a kill behind any step of a change, Keyturn serves what is live on PostgreSQL", .timeLimit(.minutes(45)))
    func killed() async throws {
        let town = try await TurnTown(roles: 4, database: PostgreSQLServer())
        var table: [(step: String, hits: Int)] = []
        for step in Self.steps {
            var count = 0
            for round in 1...Self.hits {
                // Sometimes the first account's step, sometimes a later one's.
                try await restart(town, ["KEYTURN_CRASH_AFTER": "\(step):\(round % 4 + 1)"])
                let isHit = try await town.turn()
                #expect(isHit, "no account reached \(step)")
                if isHit { count += 1 }
                try await restart(town)
                try await town.settled()
                try await town.checkLive("\(step), round \(round)")
            }
            table.append((step, count))
        }
        for step in Self.stepsInDoubt {
            var count = 0
            for round in 1...Self.hits {
                try await restart(town, ["KEYTURN_CRASH_AFTER": "install:\(round % 4 + 1)"])
                #expect(try await town.turn())
                try await restart(town, ["KEYTURN_CRASH_AFTER": "\(step):1"])
                if await self.ends(town, within: .seconds(20)) { count += 1 }
                try await restart(town)
                try await town.settled()
                try await town.checkLive("\(step), round \(round)")
            }
            table.append((step, count))
        }
        try await town.server.stop()
        for row in table { print("| \(row.step) | \(row.hits) |") }
        #expect(table.filter { $0.step != "reapply" }.allSatisfy { $0.hits >= Self.hits })
    }

    @Test(
        "when the connection is cut around the change, Keyturn finds out what is live",
        .timeLimit(.minutes(30)), arguments: CuttingProxy.Cut.allCases)
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let database = try await PostgreSQLServer()
        let proxy = try CuttingProxy(to: database.port, at: "ALTER ROLE", cut)
        let town = try await TurnTown(roles: 2, port: proxy.port, plain: true, database: database)
        var hits = 0
        for round in 1...Self.hits {
            let before = proxy.count
            proxy.arm(true)
            #expect(try await town.turn(limit: .seconds(180)) == false)
            hits += proxy.count - before
            proxy.arm(false)
            try await town.settled(limit: .seconds(180))
            try await town.checkLive("cut \(cut), round \(round)")
        }
        print("| connection cut \(cut) the change | \(hits) |")
        #expect(hits >= Self.hits)
    }

    /// Kills what still runs and starts anew.
    private func restart(_ town: TurnTown, _ environment: [String: String?] = [:]) async throws {
        try await town.server.kill()
        // A crash point in settling may end the server before it answers.
        do {
            try await town.server.start(environment: environment)
        } catch {
            guard !environment.isEmpty else { throw error }
        }
    }

    private func ends(_ town: TurnTown, within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if (try? await town.hasEnded()) == true { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}
