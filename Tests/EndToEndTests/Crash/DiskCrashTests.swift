import Foundation
import TestSupport
import Testing

/// The disk becomes full right before each commit of a change on real targets: the changes stand behind the step before it meanwhile.
@Suite(
    "Crash of a change by a full disk", .serialized, .timeLimit(.minutes(60)),
    .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")), SharedSite(isOnSmallDisk: true))
struct DiskCrashTests {
    private static let wanted = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1
    private static let together = TurnCrashTests.hits == nil ? 1 : max(1, (wanted + 1) / 2)
    /// By the step that was made last, the commit that fails next.
    static let commits =
        TurnCrashTests.hits == nil
        ? [("verify", "promotion")]
        : [
            ("preflight", "candidate"), ("remember", "state after the command"), ("install", "login"),
            ("verify", "promotion"), ("promote", "end"), ("retire", "end, the old secret gone"), ("doubt", "state of the doubt"),
        ]

    @Test("when the disk is full at a commit of a change, all is found out once there is space", arguments: commits.indices)
    func full(number: Int) async throws {
        let (step, commit) = Self.commits[number]
        let (site, disk) = (try await SharedSite.running(), try #require(SmallDisk.shared))
        var row = CrashTable.Row("disk full at the commit behind `\(step)` (\(commit))")
        var everybody: [CrashSite.Person] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let people = try await site.people(Self.together)
            everybody += people
            var execution: String?
            let stranded = try await site.strand(on: disk, behind: step, isKilled: round.isMultiple(of: 2)) {
                if step == "doubt" { try await Self.fall(site, people) }
                try site.hold(step)
                if step == "doubt" { try await site.server.start() } else { execution = try await site.begin(people) }
                return Set(try await site.standing(people, behind: step).map(\.id))
            }
            row.count(people.filter { stranded.contains($0.id) }, of: site)
            try await TurnCrashTests.check(site, people, &row, "disk full behind \(step), round \(round)")
            // Otherwise its task would not run again.
            if let execution { try await site.finish(execution) }
        }
        try await TurnCrashTests.close(row, site, everybody, in: .disk)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    /// Leaves the changes of these people in doubt, behind a clean end of the server's log.
    private static func fall(_ site: CrashSite, _ people: [CrashSite.Person]) async throws {
        try site.hold("install")
        _ = try await site.begin(people)
        _ = try await site.standing(people, behind: "install")
        try await site.server.kill()
        site.letGo("install")
    }
}
