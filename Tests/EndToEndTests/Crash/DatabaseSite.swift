import TestSupport
import Testing

/// A real server, and every database among the towns, to which accounts are pushed and from which they are removed.
final class DatabaseSite: ErrandSite {
    let crash: CrashSite

    static let columns = Towns.all.filter { $0 is any DatabaseTown.Type }.flatMap { [pushed($0.platform), removed($0.platform)] }

    private static func pushed(_ platform: String) -> String { "\(platform): \(Push.work)" }
    private static func removed(_ platform: String) -> String { "\(platform): \(Removal.work)" }

    /// - Parameter disk: Where the server's data lie, if not on a disk with room.
    init(on disk: SmallDisk?) async throws {
        crash = try await CrashSite(Towns.built.value.filter { $0 is any DatabaseTown }, on: disk)
    }

    var errands: [any Errand] { errands(throughWire: false) }

    func errands(throughWire: Bool) -> [any Errand] {
        crash.towns.enumerated().flatMap { place, town -> [any Errand] in
            let asset = crash.asset(of: place, throughWire: throughWire)
            return [
                Push(title: Self.pushed(town.platform), crash: crash, town: town, asset: asset),
                Removal(title: Self.removed(town.platform), crash: crash, town: town, asset: asset),
            ]
        }
    }

    func mostRejections(_ subjects: [Subject]) async throws -> Int {
        var most = 0
        for town in crash.towns {
            let counts = try await town.rejections()
            most = max(most, (subjects.map(\.username) + [town.worker.username]).map { counts[$0] ?? 0 }.max() ?? 0)
        }
        return most
    }
}

/// Opens what the tests of a suite share, and ends its server with the last of them.
struct SharedDatabaseSite: SuiteTrait, TestScoping {
    @TaskLocal static var site: DatabaseSite?

    let isOnSmallDisk: Bool

    func provideScope(
        for test: Test, testCase: Test.Case?, performing tests: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let disk = isOnSmallDisk ? try SmallDisk() : nil
        let site = try await DatabaseSite(on: disk)
        try await SmallDisk.$shared.withValue(disk) {
            try await Self.$site.withValue(site) { try await tests() }
        }
        try await site.crash.server.kill()
    }

    /// The site, with its server running and the administrator logged in.
    static func running() async throws -> DatabaseSite { try await #require(site).ready() }
}
