import Foundation
import TestSupport
import Testing

/// Accidents of all errands of a site at once, and what has to hold after them.
struct ErrandAccidents: Sendable {
    let site: any ErrandSite
    let table: CrashTable
    /// Of each errand: a third of what is wanted. Three are every sort of push.
    private static let together = TurnCrashTests.hits.map { max(3, ($0 + 2) / 3) } ?? 3
    private static let limit = 2

    /// Kills behind a step until every errand that has it was hit so often.
    func killed(behind step: String, wanted: Int) async throws {
        let errands = site.errands.filter { $0.steps.contains(step) }
        var row = CrashTable.Row("killed behind `\(step)`", columns: errands.map { $0.title })
        var everybody: [Subject] = []
        for round in 0..<(wanted * 2) where row.fewest < wanted {
            let parties = try await parties(of: Self.together, for: errands)
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
            let parties = try await parties(of: min(Self.together, 5), for: site.errands)
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

    /// Cuts the connections of errands at the command that does the work until each was hit so often: one kind of work after the other,
    /// since those on one target share its wire. What is late lands once nothing is open any more.
    func cut(_ cut: CuttingProxy.Cut, _ errands: [any Errand], wanted: Int) async throws {
        var row = CrashTable.Row(cut.accident, columns: errands.map { $0.title })
        var everybody: [Subject] = []
        for round in 0..<(wanted * 2) where row.fewest < wanted {
            for verb in Set(errands.map { $0.verb }).sorted() {
                let parties = try await parties(of: Self.together, for: errands.filter { $0.verb == verb })
                everybody += parties.flatMap(\.subjects)
                let executions = try await through(parties, cut, &row)
                if cut == .late {
                    #expect(try await site.open() == 0, "\(verb), round \(round): a doubt that nothing settled")
                    for party in parties { try await party.errand.town.wire.release() }
                }
                try await check(parties, executions, &row, "\(verb), \(cut), round \(round)")
            }
        }
        try await close(row, everybody)
        #expect(row.fewest >= wanted, "\(row.hits)")
    }

    /// Does the work over wires that cut once for each.
    private func through(
        _ parties: [Party], _ cut: CuttingProxy.Cut, _ row: inout CrashTable.Row
    ) async throws -> [String] {
        let before = parties.map { $0.errand.town.wire.count }
        for party in parties { party.errand.town.wire.arm(cut, times: party.subjects.count) }
        let executions = try await begin(parties)
        for (party, execution) in zip(parties, executions) { try await finish(party, execution) }
        for (party, count) in zip(parties, before) {
            party.errand.town.wire.arm(nil, times: 0)
            row.hits[party.errand.title, default: 0] += party.errand.town.wire.count - count
        }
        return executions
    }

    /// Fills the disk at the commit behind a step until every errand that has one there was hit so often.
    func full(_ disk: SmallDisk, behind step: String, wanted: Int) async throws {
        let errands = site.errands.filter { $0.stepsBeforeCommits.contains(step) }
        var row = CrashTable.Row("disk full at the commit behind `\(step)`", columns: errands.map { $0.title })
        var everybody: [Subject] = []
        for round in 0..<(wanted * 2) where row.fewest < wanted {
            let parties = try await parties(of: Self.together, for: errands)
            everybody += parties.flatMap(\.subjects)
            var executions: [String] = []
            let stranded = try await site.crash.strand(on: disk, behind: step, isKilled: round.isMultiple(of: 2)) {
                if step == "doubt" { _ = try await fall(parties, behind: "install") { executions = try await begin(parties) } }
                try site.crash.hold(step)
                if step == "doubt" { try await site.crash.server.start() } else { executions = try await begin(parties) }
                return try await standing(parties, behind: step)
            }
            for (party, hit) in zip(parties, try await those(of: parties, stranded)) {
                row.hits[party.errand.title, default: 0] += hit.count
            }
            try await check(parties, executions, &row, "disk full behind \(step), round \(round)")
        }
        try await close(row, everybody)
        #expect(row.fewest >= wanted, "\(row.hits)")
    }

    /// One of each errand, all of them new.
    private func parties(of count: Int, for errands: [any Errand]) async throws -> [Party] {
        var parties: [Party] = []
        for errand in errands {
            let names = (0..<count).map { "h\(UInt32.random(in: 0...0xFFFFFF))n\(UInt32.random(in: 0...0xFFFFFF))x\($0)" }
            parties.append(Party(errand: errand, subjects: try await errand.settle(names)))
        }
        return parties
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
        // While it still answers.
        let hit = try await those(of: parties, standing(parties, behind: step))
        try await site.crash.server.kill()
        for (party, subjects) in zip(parties, hit) where !subjects.isEmpty {
            for fault in try await party.errand.faults(subjects, deadBehind: step) { Issue.record("\(step): \(fault)") }
        }
        return hit
    }

    /// The ids of the accounts whose work stands behind the step.
    private func standing(_ parties: [Party], behind step: String) async throws -> Set<String> {
        let count = parties.map(\.subjects.count).reduce(0, +)
        return try await site.crash.standing(behind: step) { $0.count >= count }
    }

    /// Those who have these accounts, by party.
    private func those(of parties: [Party], _ accounts: Set<String>) async throws -> [[Subject]] {
        var those: [[Subject]] = []
        for party in parties {
            var subjects: [Subject] = []
            for subject in party.subjects {
                if let row = try await party.errand.row(of: subject), accounts.contains(row.id) { subjects.append(subject) }
            }
            those.append(subjects)
        }
        return those
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
