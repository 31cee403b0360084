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
    @Test("after a kill behind any numbered step, what Keyturn holds is what is live", arguments: steps)
    func killed(step: String) async throws {
        let site = try await SharedHostSite.running()
        try await ErrandAccidents(site: site, table: .hosts).killed(behind: step, wanted: TurnCrashTests.hits ?? 1)
    }

    @Test("after a kill at any moment, also while it starts again, what Keyturn holds is what is live")
    func killedAtRandom() async throws {
        let site = try await SharedHostSite.running()
        let kills = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1
        try await ErrandAccidents(site: site, table: .hosts).killedAtRandom(kills)
    }

    static let steps = TurnCrashTests.hits == nil ? ["install", "inspect"] : TurnCrashTests.steps
}
