import TestSupport

/// A real target where accounts live, as the tests of crashes need it; one file a platform, one line in `Towns`.
protocol Town: Sendable {
    /// As tables name it.
    static var platform: String { get }
    /// Why there can be none here; nil if there can.
    static var obstacle: String? { get }
    init() async throws

    /// Who does the work there for Keyturn.
    var worker: Login { get }
    /// Where its connections are cut; what goes through it is not encrypted, unless the platform knows no other way.
    var wire: any Wire { get }
    /// How Keyturn is told of it.
    func asset(named name: String, throughWire: Bool) -> AssetBody
    /// Makes accounts.
    func settle(_ people: [Login]) async throws
    /// Whether the secret opens the account.
    func opens(_ login: Login) async throws -> Bool
    /// Which of these names it has.
    func present(_ names: [String]) async throws -> Set<String>
    /// Those of whom it would say something else after a restart.
    func unwritten(_ names: [String]) async throws -> Set<String>
    /// Those who have not all that a push makes, besides their secret.
    func incomplete(_ names: [String]) async throws -> Set<String>
    /// Rejected logins by account, as the target itself has noted them.
    func rejections() async throws -> [String: Int]
    /// Takes the worker's rights away, or gives them back.
    func empower(_ isAble: Bool) async throws
}

/// A user name and a secret.
struct Login: Sendable {
    let username: String
    let secret: String
}

/// What is posted to make an asset.
struct AssetBody: Sendable {
    /// Such as `assets/databases`.
    let resource: String
    let json: String
}

/// Where a town's connections can be cut, at the command that changes a secret, makes an account or takes one away.
protocol Wire: Sendable {
    func arm(_ cut: CuttingProxy.Cut?, times: Int)
    /// How often it has cut.
    var count: Int { get }
    /// Lets what is late land.
    func release() async throws
}

extension CuttingProxy: Wire {}

extension Town {
    var platform: String { Self.platform }

    /// What it has done is kept.
    func unwritten(_ names: [String]) async throws -> Set<String> { [] }
    /// There is nothing but the secret.
    func incomplete(_ names: [String]) async throws -> Set<String> { [] }

    static var workerLogin: Login { Login(username: "crash_worker", secret: "Work3r-of-the-crashes") }

    /// A text as JSON has it.
    static func quoted(_ text: String) -> String { "\"" + text.replacing("\n", with: "\\n") + "\"" }

    /// Counts the account names that a pattern finds in a log.
    static func counts(_ log: String, _ pattern: Regex<(Substring, Substring)>) -> [String: Int] {
        Dictionary(log.matches(of: pattern).map { (String($0.output.1), 1) }, uniquingKeysWith: +)
    }
}

/// The towns that can be had on this machine.
enum Towns {
    static let all: [any Town.Type] = [PostgreSQLTown.self, MariaDBTown.self, RedisTown.self, LinuxTown.self]
    static let here = all.filter { $0.obstacle == nil }
    /// Which there cannot be, and why.
    static let missing = all.compactMap { town in town.obstacle.map { "\(town.platform) does not take part: \($0)" } }

    /// Built once for all tests; they go with the test program.
    static let built = Task {
        try await withThrowingTaskGroup(of: (Int, any Town).self) { group in
            for (place, type) in here.enumerated() { group.addTask { (place, try await type.init()) } }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
