import TestSupport
import Testing

/// Accounts that are pushed to databases and removed from them, of every platform and all at the same time, to which the worst happens.
///
/// The same holds afterwards as of hosts; and a server that keeps its users in memory has written down what Keyturn says of them.
@Suite("Crash of work on databases", .serialized, .timeLimit(.minutes(60)), SharedDatabaseSite(isOnSmallDisk: false))
struct DatabaseCrashTests {
    private static let cuts: [CuttingProxy.Cut] = TurnCrashTests.hits == nil ? [.after] : [.before, .after, .silence, .late]

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

    @Test("when the connection is cut around the work, or it lands late, what Keyturn holds is what is live", arguments: cuts)
    func cut(_ cut: CuttingProxy.Cut) async throws {
        let site = try await SharedDatabaseSite.running()
        try await ErrandAccidents(site: site, table: .databases).cut(
            cut, site.errands(throughWire: true), wanted: TurnCrashTests.hits ?? 1)
    }
}

/// The disk becomes full right before each commit of such work.
@Suite(
    "Crash of work on databases by a full disk", .serialized, .timeLimit(.minutes(60)),
    .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")), SharedDatabaseSite(isOnSmallDisk: true))
struct DatabaseDiskCrashTests {
    private static let wanted = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1

    @Test(
        "when the disk is full at a commit of the work, all is found out once there is space",
        arguments: DiskCrashTests.commits.map(\.0))
    func full(step: String) async throws {
        let (site, disk) = (try await SharedDatabaseSite.running(), try #require(SmallDisk.shared))
        try await ErrandAccidents(site: site, table: .databases).full(disk, behind: step, wanted: Self.wanted)
    }
}
