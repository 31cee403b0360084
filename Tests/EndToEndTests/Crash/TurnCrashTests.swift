import Foundation
import TestSupport
import Testing

/// Changes of secrets on real targets of every platform at once, to which the worst happens: `make test` does a little of each, `make crash`
/// all of it, until every platform has been hit so often (KEYTURN_TURN_HITS), and prints the table of `docs/reliability.md`.
///
/// After each accident, without anybody doing anything: no change is in doubt, what applications are served opens the account, and no account
/// has seen more rejected logins than the usual limit of two a day.
@Suite("Crash of a change", .serialized, .timeLimit(.minutes(60)), SharedSite(isOnSmallDisk: false))
struct TurnCrashTests {
    /// Nil for the short form.
    static let hits = ProcessInfo.processInfo.environment["KEYTURN_TURN_HITS"].flatMap { Int($0) }
    private static var wanted: Int { hits ?? 1 }
    /// Accounts of each platform that go through an accident together: half of what is wanted, since accidents differ from round to round.
    private static let together = hits.map { max(1, ($0 + 1) / 2) } ?? 1
    /// More kills of fewer accounts: the moment is what differs.
    private static let randomKills = hits.map { max(1, $0 * 3 / 5) } ?? 1
    private static let randomlyTogether = hits == nil ? 1 : 4
    private static let limit = 2

    /// Those of a change that goes well, and those of a doubt.
    static let steps =
        hits == nil
        ? ["remember", "install", "promote", "inspect"]
        : [
            "check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close", "doubt", "inspect",
            "reapply", "guess",
        ]
    static let cuts: [CuttingProxy.Cut] = hits == nil ? [.after] : [.before, .after, .silence]

    @Test(
        "every platform takes part, opens to the right secret alone, and counts rejected logins",
        .enabled(if: Towns.missing.isEmpty, "\(Towns.missing.joined(separator: "; "))"))
    func platforms() async throws {
        #expect(try await Towns.built.value.count == Towns.all.count)
        let site = try await SharedSite.running()
        let people = try await site.people(1)
        #expect(try await site.lost(people).isEmpty)
        for person in people {
            let town = site.towns[person.town]
            #expect(try await town.rejections()[person.username] == nil, "\(town.platform)")
            #expect(try await !town.opens(Login(username: person.username, secret: "Wrong-of-all-1")))
            #expect(try await site.rejections(of: person) == 1, "\(town.platform)")
        }
    }

    // MARK: - Killed

    @Test("after a kill behind any numbered step, what is served is live on every platform", arguments: steps)
    func killed(step: String) async throws {
        let site = try await SharedSite.running()
        var row = CrashTable.Row("killed behind `\(step)`")
        var everybody: [CrashSite.Person] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let people = try await site.people(Self.together)
            everybody += people
            let hit = try await Self.kill(site, people, behind: step, round)
            row.count(hit, of: site)
            try await site.server.start()
            try await Self.check(site, people, &row, "behind \(step), round \(round)")
        }
        try await Self.close(row, site, everybody)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    /// Lets the changes of these people come to the step and kills the server while they stand there; those that do.
    private static func kill(
        _ site: CrashSite, _ people: [CrashSite.Person], behind step: String, _ round: Int
    ) async throws -> [CrashSite.Person] {
        guard let first = firstFall(before: step, round) else {
            return try await fall(site, people, behind: step) { try await begin(site, people) }
        }
        _ = try await fall(site, people, behind: first) { try await begin(site, people) }
        // Where the worker can neither look nor set anything, the account's own logins have to tell.
        if step == "guess" { for town in site.towns { try await town.empower(false) } }
        let hit = try await fall(site, people, behind: step) { try await site.server.start() }
        if step == "guess" { for town in site.towns { try await town.empower(true) } }
        return hit
    }

    /// A step of a doubt is made after a first kill: before the command was sent, or after.
    static func firstFall(before step: String, _ round: Int) -> String? {
        switch step {
        case "doubt", "inspect", "guess": round.isMultiple(of: 2) ? "install" : "remember"
        case "reapply": "remember"
        default: nil
        }
    }

    private static func fall(
        _ site: CrashSite, _ people: [CrashSite.Person], behind step: String, _ body: () async throws -> Void
    ) async throws -> [CrashSite.Person] {
        try site.hold(step)
        defer { site.letGo(step) }
        try await body()
        let standing = try await site.standing(people, behind: step)
        try await site.server.kill()
        return standing
    }

    private static func begin(_ site: CrashSite, _ people: [CrashSite.Person]) async throws { _ = try await site.begin(people) }

    @Test("after a kill at any moment, also while it starts again, what is served is live on every platform")
    func killedAtRandom() async throws {
        let site = try await SharedSite.running()
        var row = CrashTable.Row("killed at random")
        var everybody: [CrashSite.Person] = []
        for round in 0..<Self.randomKills {
            let people = try await site.people(Self.randomlyTogether)
            everybody += people
            _ = try await site.begin(people)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...4000)))
            try await site.server.kill()
            row.count(people, of: site)
            if round % 3 == 2 {
                try await site.server.start()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
                try await site.server.kill()
            }
            try await site.server.start()
            try await Self.check(site, people, &row, "at random, round \(round)")
        }
        try await Self.close(row, site, everybody)
    }

    // MARK: - Cut

    @Test("when the connection is cut around the change, Keyturn finds out what is live on every platform", arguments: cuts)
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let site = try await SharedSite.running()
        var row = CrashTable.Row(cut.accident)
        var everybody: [CrashSite.Person] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let people = try await site.people(Self.together, throughWire: true)
            everybody += people
            try await Self.through(site, people, cut, &row)
            try await Self.check(site, people, &row, "cut \(cut), round \(round)")
        }
        try await Self.close(row, site, everybody)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    /// Changes these people's secrets over wires that cut once for each.
    private static func through(
        _ site: CrashSite, _ people: [CrashSite.Person], _ cut: CuttingProxy.Cut, _ row: inout CrashTable.Row
    ) async throws {
        let before = site.towns.map(\.wire.count)
        for town in site.towns { town.wire.arm(cut, times: together) }
        try await site.finish(site.begin(people, throughWire: true))
        for (town, count) in zip(site.towns, before) {
            town.wire.arm(nil, times: 0)
            row.hits[town.platform, default: 0] += town.wire.count - count
        }
    }

    @Test("a command that lands after its doubt was settled", arguments: hits == nil ? [true] : [false, true])
    func late(isAfterAnother: Bool) async throws {
        let site = try await SharedSite.running()
        var row = CrashTable.Row(CuttingProxy.Cut.late.accident + (isAfterAnother ? ", and after a later change" : ""))
        var everybody: [CrashSite.Person] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let people = try await site.people(Self.together, throughWire: true)
            everybody += people
            try await Self.through(site, people, .late, &row)
            #expect(try await site.unsettled(people).isEmpty)
            let connection = APIConnection(site.server)
            var early: [String: String] = [:]
            for person in people { early[person.id] = try await site.served(person, over: connection) }
            if isAfterAnother {
                try await site.finish(site.begin(people, throughWire: true))
                #expect(try await site.unsettled(people).isEmpty)
            }
            for town in site.towns { try await town.wire.release() }
            for person in people {
                let login = Login(username: person.username, secret: early[person.id] ?? "")
                #expect(try await site.towns[person.town].opens(login), "\(person.username): the command has not landed")
            }
            // The next look at the accounts is what tells.
            if isAfterAnother {
                let look = "verify-account"
                try await site.finish(site.begin(people, verb: look, throughWire: true), verb: look)
            }
            try await Self.check(site, people, &row, "late, round \(round)")
        }
        try await Self.close(row, site, everybody)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    // MARK: - After it

    /// Waits until everything is settled, and looks whether what is served is live.
    static func check(
        _ site: CrashSite, _ people: [CrashSite.Person], _ row: inout CrashTable.Row, _ what: String
    ) async throws {
        let left = try await site.unsettled(people)
        let lost = try await site.lost(people)
        row.left += left.count
        row.lost += lost.count
        guard left.isEmpty, lost.isEmpty else {
            let names = (left.map { "\($0.username) in doubt" } + lost.map { "\($0.username) lost" }).joined(separator: ", ")
            Issue.record("\(what): \(names)\n\(await site.records())")
            return
        }
    }

    static func close(
        _ row: CrashTable.Row, _ site: CrashSite, _ people: [CrashSite.Person], in table: CrashTable = .changes
    ) async throws {
        var row = row
        row.mostRejections = try await site.mostRejections(people)
        try table.add(row)
        #expect(row.mostRejections <= limit, "more rejected logins than the limit")
    }
}

extension CuttingProxy.Cut {
    /// As tables name it.
    var accident: String {
        switch self {
        case .before: "connection cut before the target saw the command"
        case .after: "connection cut when it was applied, the reply lost"
        case .silence: "applied, and the connection silent for ever"
        case .late: "landed after its doubt was settled"
        }
    }
}

extension CrashTable.Row {
    mutating func count(_ people: [CrashSite.Person], of site: CrashSite) {
        for person in people { hits[site.towns[person.town].platform, default: 0] += 1 }
    }
}
