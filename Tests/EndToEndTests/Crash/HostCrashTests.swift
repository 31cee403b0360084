import Foundation
import TestSupport
import Testing

/// Everything that is done on hosts besides changes of passwords, to which the worst happens: SSH keys, pushes, removals, and changes through a
/// gateway, all of them at the same time. `make test` does a little of it, `make crash` all (KEYTURN_TURN_HITS).
///
/// After each accident, without anybody doing anything: nothing is open, what Keyturn holds is what is live, no account has seen more rejected
/// logins than the usual limit of two a day; and what was not begun can be asked for again and is done then.
@Suite(
    "Crash of work on hosts", .serialized, .timeLimit(.minutes(60)),
    .enabled(if: TestHost.obstacle == nil, Comment(rawValue: TestHost.obstacle ?? "")), SharedHostSite())
struct HostCrashTests {
    private static let wanted = TurnCrashTests.hits ?? 1
    /// Of each errand: a third of what is wanted. Three are every sort of push.
    private static let together = TurnCrashTests.hits.map { max(3, ($0 + 2) / 3) } ?? 3
    private static let randomKills = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1
    private static let limit = 2
    private static let steps =
        TurnCrashTests.hits == nil
        ? ["install", "inspect"]
        : [
            "check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close", "doubt", "inspect",
            "reapply", "guess",
        ]

    @Test("after a kill behind any numbered step, what Keyturn holds is what is live", arguments: steps)
    func killed(step: String) async throws {
        let site = try await SharedHostSite.running()
        let columns = Errands.all.filter { $0.steps.contains(step) }.map { $0.title }
        var row = CrashTable.Row("killed behind `\(step)`", columns: columns)
        var everybody: [Subject] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let parties = try await site.parties(of: Self.together, having: step)
            everybody += parties.flatMap(\.subjects)
            let (executions, hit) = try await Self.kill(site, parties, behind: step, round)
            for (party, hit) in zip(parties, hit) { row.hits[party.errand.title, default: 0] += hit.count }
            try await site.crash.server.start()
            try await Self.check(site, parties, executions, &row, "behind \(step), round \(round)")
        }
        try await Self.close(row, site, everybody)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    @Test("after a kill at any moment, also while it starts again, what Keyturn holds is what is live")
    func killedAtRandom() async throws {
        let site = try await SharedHostSite.running()
        var row = CrashTable.Row("killed at random", columns: Errands.all.map { $0.title })
        var everybody: [Subject] = []
        for round in 0..<Self.randomKills {
            let parties = try await site.parties(of: min(Self.together, 5), having: nil)
            everybody += parties.flatMap(\.subjects)
            let executions = try await Self.begin(parties)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...5000)))
            try await site.crash.server.kill()
            for party in parties { row.hits[party.errand.title, default: 0] += party.subjects.count }
            if round % 3 == 2 {
                try await site.crash.server.start()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
                try await site.crash.server.kill()
            }
            try await site.crash.server.start()
            try await Self.check(site, parties, executions, &row, "at random, round \(round)")
        }
        try await Self.close(row, site, everybody)
    }

    // MARK: - The accident

    private static func begin(_ parties: [HostSite.Party]) async throws -> [String] {
        var executions: [String] = []
        for party in parties { executions.append(try await party.errand.begin(party.subjects)) }
        return executions
    }

    /// Lets all this work come to the step and kills the server while it stands there: the executions, and by party those that stood.
    private static func kill(
        _ site: HostSite, _ parties: [HostSite.Party], behind step: String, _ round: Int
    ) async throws -> (executions: [String], hit: [[Subject]]) {
        var executions: [String] = []
        guard let first = TurnCrashTests.firstFall(before: step, round) else {
            let hit = try await fall(site, parties, behind: step) { executions = try await begin(parties) }
            return (executions, hit)
        }
        _ = try await fall(site, parties, behind: first) { executions = try await begin(parties) }
        // Where the worker can neither look nor set anything, the account's own logins have to tell.
        if step == "guess" { try await site.town.empower(false) }
        let hit = try await fall(site, parties, behind: step) { try await site.crash.server.start() }
        if step == "guess" { try await site.town.empower(true) }
        return (executions, hit)
    }

    private static func fall(
        _ site: HostSite, _ parties: [HostSite.Party], behind step: String, _ body: () async throws -> Void
    ) async throws -> [[Subject]] {
        try site.crash.hold(step)
        defer { site.crash.letGo(step) }
        try await body()
        let count = parties.map(\.subjects.count).reduce(0, +)
        let held = try await site.crash.standing(behind: step) { $0.count >= count }
        // While it still answers.
        var hit: [[Subject]] = []
        for party in parties {
            var subjects: [Subject] = []
            for subject in party.subjects {
                if let row = try await party.errand.row(of: subject), held.contains(row.id) { subjects.append(subject) }
            }
            hit.append(subjects)
        }
        try await site.crash.server.kill()
        for (party, subjects) in zip(parties, hit) where !subjects.isEmpty {
            for fault in try await party.errand.faults(subjects, deadBehind: step) { Issue.record("\(step): \(fault)") }
        }
        return hit
    }

    // MARK: - After it

    private static func check(
        _ site: HostSite, _ parties: [HostSite.Party], _ executions: [String], _ row: inout CrashTable.Row, _ what: String
    ) async throws {
        for (party, execution) in zip(parties, executions) { try await finish(site, party, execution) }
        let left = try await site.open()
        row.left += left
        if left > 0 { Issue.record("\(what): \(left) changes are still open\n\(await site.crash.records())") }
        try await look(parties, &row, what)
        try await repeatAll(site, parties, &row, what)
    }

    /// What was not begun, or came to nothing, stands in nobody's way. On a busy machine a login may run out of its time, so that more than one
    /// attempt is needed.
    private static func repeatAll(
        _ site: HostSite, _ parties: [HostSite.Party], _ row: inout CrashTable.Row, _ what: String
    ) async throws {
        for attempt in 1...3 {
            var again: [(party: HostSite.Party, execution: String)] = []
            for party in parties {
                let missing = Set(party.subjects).subtracting(try await party.errand.done(party.subjects))
                guard !missing.isEmpty else { continue }
                let rest = HostSite.Party(errand: party.errand, subjects: party.subjects.filter(missing.contains))
                again.append((rest, try await party.errand.begin(rest.subjects)))
            }
            if again.isEmpty { return }
            for (party, execution) in again { try await finish(site, party, execution) }
            #expect(try await site.open() == 0, "\(what), asked for again")
            try await look(again.map(\.party), &row, what + ", asked for again")
            guard attempt == 3 else { continue }
            for (party, execution) in again {
                let done = try await party.errand.done(party.subjects)
                let undone = party.subjects.filter { !done.contains($0) }.map(\.username)
                if undone.isEmpty { continue }
                let records = await site.crash.records(of: type(of: party.errand).verb, in: execution)
                Issue.record("\(what): \(party.errand.title) of \(undone) cannot be done any more\n\(records)")
            }
        }
    }

    private static func finish(_ site: HostSite, _ party: HostSite.Party, _ execution: String) async throws {
        try await site.crash.finish(execution, verb: type(of: party.errand).verb)
    }

    private static func look(_ parties: [HostSite.Party], _ row: inout CrashTable.Row, _ what: String) async throws {
        for party in parties {
            let faults = try await party.errand.faults(party.subjects)
            row.lost += faults.count
            for fault in faults { Issue.record("\(what): \(fault)") }
        }
    }

    private static func close(_ row: CrashTable.Row, _ site: HostSite, _ subjects: [Subject]) async throws {
        var row = row
        row.mostRejections = try await site.mostRejections(subjects)
        try CrashTable.hosts.add(row)
        #expect(row.mostRejections <= limit, "more rejected logins than the limit")
    }
}
