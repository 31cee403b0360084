import Foundation
import TestSupport
import Testing

/// A real server and the errands that are done through it.
protocol ErrandSite: Sendable {
    var crash: CrashSite { get }
    var errands: [any Errand] { get }
    /// The most rejected logins that anybody of these, or somebody who works for Keyturn, has had.
    func mostRejections(_ subjects: [Subject]) async throws -> Int
}

/// What an errand is about in one round.
struct Party: Sendable {
    let errand: any Errand
    let subjects: [Subject]
}

extension ErrandSite {
    /// It, with its server running and the administrator logged in.
    func ready() async throws -> Self {
        if crash.server.program.map({ $0.poll() != nil }) ?? true { try await crash.server.start() }
        try await crash.logIn()
        return self
    }

    /// One of each errand that has the step, all of them new.
    func parties(of count: Int, having step: String?) async throws -> [Party] {
        var parties: [Party] = []
        for errand in errands where step.map({ errand.steps.contains($0) }) ?? true {
            let names = (0..<count).map { "h\(UInt32.random(in: 0...0xFFFFFF))n\(UInt32.random(in: 0...0xFFFFFF))x\($0)" }
            parties.append(Party(errand: errand, subjects: try await errand.settle(names)))
        }
        return parties
    }

    /// Accounts whose work is begun and not over, as the server's own database has it; none once the time is over or nothing is open.
    func open(limit: Duration = .seconds(300)) async throws -> Int {
        let deadline = ContinuousClock.now + limit
        let program =
            "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=60).execute('SELECT count(*) FROM secret_changes').fetchone()[0])"
        while true {
            let read = try ExternalProgram.run("python3", ["-c", program, crash.server.data + "/keyturn.db"])
            guard read.status == 0, let count = Int(read.text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw ProgramFault.unexpected("reading the open changes", output: read.standardError)
            }
            if count == 0 || ContinuousClock.now > deadline { return count }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}

/// Accidents of all errands of a site at once, and what has to hold after them.
struct ErrandAccidents: Sendable {
    let site: any ErrandSite
    let table: CrashTable
    /// Of each errand: a third of what is wanted. Three are every sort of push.
    private static let together = TurnCrashTests.hits.map { max(3, ($0 + 2) / 3) } ?? 3
    private static let limit = 2

    /// Kills behind a step until every errand that has it was hit so often.
    func killed(behind step: String, wanted: Int) async throws {
        let columns = site.errands.filter { $0.steps.contains(step) }.map { $0.title }
        var row = CrashTable.Row("killed behind `\(step)`", columns: columns)
        var everybody: [Subject] = []
        for round in 0..<(wanted * 2) where row.fewest < wanted {
            let parties = try await site.parties(of: Self.together, having: step)
            everybody += parties.flatMap(\.subjects)
            let (executions, hit) = try await kill(parties, behind: step, round)
            for (party, hit) in zip(parties, hit) { row.hits[party.errand.title, default: 0] += hit.count }
            try await site.crash.server.start()
            try await check(parties, executions, &row, "behind \(step), round \(round)")
        }
        try await close(row, everybody)
        #expect(row.fewest >= wanted, "\(row.hits)")
    }

    /// Kills at any moment, every third time once more while the server starts again.
    func killedAtRandom(_ kills: Int) async throws {
        var row = CrashTable.Row("killed at random", columns: site.errands.map { $0.title })
        var everybody: [Subject] = []
        for round in 0..<kills {
            let parties = try await site.parties(of: min(Self.together, 5), having: nil)
            everybody += parties.flatMap(\.subjects)
            let executions = try await begin(parties)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...5000)))
            try await site.crash.server.kill()
            for party in parties { row.hits[party.errand.title, default: 0] += party.subjects.count }
            if round % 3 == 2 {
                try await site.crash.server.start()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
                try await site.crash.server.kill()
            }
            try await site.crash.server.start()
            try await check(parties, executions, &row, "at random, round \(round)")
        }
        try await close(row, everybody)
    }

    /// Takes the workers' rights away, or gives them back.
    private func empower(_ isAble: Bool) async throws {
        for town in site.crash.towns { try await town.empower(isAble) }
    }

    // MARK: - The accident

    private func begin(_ parties: [Party]) async throws -> [String] {
        var executions: [String] = []
        for party in parties { executions.append(try await party.errand.begin(party.subjects)) }
        return executions
    }

    /// Lets all this work come to the step and kills the server while it stands there: the executions, and by party those that stood.
    private func kill(
        _ parties: [Party], behind step: String, _ round: Int
    ) async throws -> (executions: [String], hit: [[Subject]]) {
        var executions: [String] = []
        guard let first = TurnCrashTests.firstFall(before: step, round) else {
            let hit = try await fall(parties, behind: step) { executions = try await begin(parties) }
            return (executions, hit)
        }
        _ = try await fall(parties, behind: first) { executions = try await begin(parties) }
        // Where the worker can neither look nor set anything, the account's own logins have to tell.
        if step == "guess" { try await empower(false) }
        let hit = try await fall(parties, behind: step) { try await site.crash.server.start() }
        if step == "guess" { try await empower(true) }
        return (executions, hit)
    }

    private func fall(
        _ parties: [Party], behind step: String, _ body: () async throws -> Void
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

    private func check(
        _ parties: [Party], _ executions: [String], _ row: inout CrashTable.Row, _ what: String
    ) async throws {
        for (party, execution) in zip(parties, executions) { try await finish(party, execution) }
        let left = try await site.open()
        row.left += left
        if left > 0 { Issue.record("\(what): \(left) changes are still open\n\(await site.crash.records())") }
        try await look(parties, &row, what)
        try await repeatAll(parties, &row, what)
    }

    /// What was not begun, or came to nothing, stands in nobody's way. On a busy machine a login may run out of its time, so that more than one
    /// attempt is needed.
    private func repeatAll(
        _ parties: [Party], _ row: inout CrashTable.Row, _ what: String
    ) async throws {
        for attempt in 1...3 {
            var again: [(party: Party, execution: String)] = []
            for party in parties {
                let missing = Set(party.subjects).subtracting(try await party.errand.done(party.subjects))
                guard !missing.isEmpty else { continue }
                let rest = Party(errand: party.errand, subjects: party.subjects.filter(missing.contains))
                again.append((rest, try await party.errand.begin(rest.subjects)))
            }
            if again.isEmpty { return }
            for (party, execution) in again { try await finish(party, execution) }
            #expect(try await site.open() == 0, "\(what), asked for again")
            try await look(again.map(\.party), &row, what + ", asked for again")
            guard attempt == 3 else { continue }
            for (party, execution) in again {
                let done = try await party.errand.done(party.subjects)
                let undone = party.subjects.filter { !done.contains($0) }.map(\.username)
                if undone.isEmpty { continue }
                let records = await site.crash.records(of: party.errand.verb, in: execution)
                Issue.record("\(what): \(party.errand.title) of \(undone) cannot be done any more\n\(records)")
            }
        }
    }

    private func finish(_ party: Party, _ execution: String) async throws {
        try await site.crash.finish(execution, verb: party.errand.verb)
    }

    private func look(_ parties: [Party], _ row: inout CrashTable.Row, _ what: String) async throws {
        for party in parties {
            let faults = try await party.errand.faults(party.subjects)
            row.lost += faults.count
            for fault in faults { Issue.record("\(what): \(fault)") }
        }
    }

    private func close(_ row: CrashTable.Row, _ subjects: [Subject]) async throws {
        var row = row
        row.mostRejections = try await site.mostRejections(subjects)
        try table.add(row)
        #expect(row.mostRejections <= Self.limit, "more rejected logins than the limit")
    }
}
