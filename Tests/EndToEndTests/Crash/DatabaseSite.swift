import TestSupport
import Testing

/// A real server, and every database among the towns, to which accounts are pushed and from which they are removed.
final class DatabaseSite: ErrandSite {
    let crash: CrashSite
    private let towns: [any DatabaseTown]

    static let columns = Towns.all.filter { $0 is any DatabaseTown.Type }.flatMap { [pushed($0.platform), removed($0.platform)] }

    static func pushed(_ platform: String) -> String { "\(platform): account pushed" }
    static func removed(_ platform: String) -> String { "\(platform): account removed" }

    init() async throws {
        let towns = try await Towns.built.value.compactMap { $0 as? any DatabaseTown }
        self.towns = towns
        crash = try await CrashSite(towns)
    }

    var errands: [any Errand] {
        towns.enumerated().flatMap { place, town -> [any Errand] in
            let asset = crash.asset(of: place)
            return [
                DatabasePush(site: self, town: town, asset: asset), DatabaseRemoval(site: self, town: town, asset: asset),
            ]
        }
    }

    func mostRejections(_ subjects: [Subject]) async throws -> Int {
        var most = 0
        for town in towns {
            let counts = try await town.rejections()
            most = max(most, (subjects.map(\.username) + [town.worker.username]).map { counts[$0] ?? 0 }.max() ?? 0)
        }
        return most
    }
}

/// Opens what the tests of a suite share, and ends its server with the last of them.
struct SharedDatabaseSite: SuiteTrait, TestScoping {
    @TaskLocal static var site: DatabaseSite?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing tests: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let site = try await DatabaseSite()
        try await Self.$site.withValue(site) { try await tests() }
        try await site.crash.server.kill()
    }

    /// The site, with its server running and the administrator logged in.
    static func running() async throws -> DatabaseSite { try await #require(site).ready() }
}
