import TestSupport
import Testing

/// Accounts that are pushed to databases and removed from them, of every platform and all at the same time, to which the worst happens.
///
/// The same holds afterwards as of hosts; and a server that keeps its users in memory has written down what Keyturn says of them.
@Suite("Crash of work on databases", .serialized, .timeLimit(.minutes(60)), SharedDatabaseSite())
struct DatabaseCrashTests {
    @Test("after a kill behind any numbered step, what Keyturn holds is what is live", arguments: HostCrashTests.steps)
    func killed(step: String) async throws {
        let site = try await SharedDatabaseSite.running()
        try await ErrandAccidents(site: site, table: .databases).killed(behind: step, wanted: TurnCrashTests.hits ?? 1)
    }

    @Test("after a kill at any moment, also while it starts again, what Keyturn holds is what is live")
    func killedAtRandom() async throws {
        let site = try await SharedDatabaseSite.running()
        let kills = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1
        try await ErrandAccidents(site: site, table: .databases).killedAtRandom(kills)
    }
}
