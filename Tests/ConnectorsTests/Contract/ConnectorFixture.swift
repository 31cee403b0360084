import Connectors
import Cryptography
import Domain
import Testing

/// A real target for the contract: started once, and used by every test of it.
protocol ConnectorFixture: Sendable {
    var connector: any Connector { get }
    var target: Target { get }
    /// Whoever may do everything on it.
    var worker: Worker { get }
    /// What is asked for with every account, `account_host` and the like.
    var parameters: [String: String] { get }
    /// Names that the target takes and that quoting could get wrong.
    var hostileNames: [String] { get }
    /// Passwords that the target takes and that quoting could get wrong.
    var hostileSecrets: [String] { get }
    /// Names that the target cannot have.
    var impossibleNames: [String] { get }

    /// What a new account of the name is made like: not as the last one was, where the target tells nothing else apart.
    var parametersAnew: [String: String] { get }

    /// What the target stores about the secret of each account, by name, read past the connector.
    func verifiers() async throws -> [String: String]
}

extension ConnectorFixture {
    var parameters: [String: String] { [:] }
    var parametersAnew: [String: String] { parameters }

    func makeAnew(_ name: String, _ session: any AccountPushing) throws {
        let request = ChangeRequest(username: name, secretType: .password, parameters: parametersAnew)
        try session.create(AccountPush(request: request), secret: Secret.of("Marked-secret-1!"))
    }

    func request(_ name: String) -> ChangeRequest {
        ChangeRequest(username: name, secretType: .password, parameters: parameters)
    }

    func credential(_ name: String, _ secret: String) -> TargetLogin {
        TargetLogin(username: name, secretType: .password, secret: Secret.of(secret))
    }
}

extension AccountRemoving {
    /// Marks an account and removes it, in one go.
    func remove(_ username: String, parameters: [String: String]) throws(ConnectorFault) {
        let mark = try mark(username, parameters: parameters)
        try remove(AccountRemoval(username: username, parameters: parameters, mark: mark))
    }
}

extension Secret {
    static func of(_ text: String) -> Secret {
        var bytes = Array(text.utf8)
        return Secret(moving: &bytes)
    }
}

/// The targets over which the contract runs: a line a platform.
enum ContractPlatform: String, CaseIterable, CustomTestStringConvertible {
    case postgresql
    case mariadb
    case redis

    fileprivate func start() async throws -> any ConnectorFixture {
        switch self {
        case .postgresql: try await PostgreSQLFixture()
        case .mariadb: try await MariaDBFixture()
        case .redis: try await RedisFixture()
        }
    }

    var testDescription: String { rawValue }

    func fixture() async throws -> any ConnectorFixture { try await ContractFixtures.shared.fixture(self) }
}

private actor ContractFixtures {
    static let shared = ContractFixtures()
    private var started: [ContractPlatform: any ConnectorFixture] = [:]

    func fixture(_ platform: ContractPlatform) async throws -> any ConnectorFixture {
        if let known = started[platform] { return known }
        let made = try await platform.start()
        started[platform] = made
        return made
    }
}
