import Cryptography
import Domain
import Synchronization
import TestSupport

@testable import Connectors

/// What the tests say to a connector on a host of their own, on a thread of its own.
struct LinuxFixture: Sendable {
    let host: TestHost
    let connector = LinuxConnector()
    /// How many logins with a wrong secret were made on purpose.
    let guesses = Counter()
    var mayGuess = true
    var stepLimit = Duration.seconds(60)

    init(_ host: TestHost) { self.host = host }

    static let asset = AssetID(high: 7, low: 9)

    var target: Target {
        let guesses = guesses
        let mayGuess = mayGuess
        return Target(
            asset: Self.asset, type: "linux", address: "127.0.0.1", port: host.port,
            hostKeys: HostKeyPin(policy: .strict, fingerprints: [host.hostKey]), stepLimit: stepLimit,
            mayGuess: {
                guesses.add()
                return mayGuess
            })
    }

    static func secret(_ text: String) -> Secret {
        var bytes = Array(text.utf8)
        return Secret(moving: &bytes)
    }

    static func password(_ username: String, _ password: String) -> TargetLogin {
        TargetLogin(username: username, secretType: .password, secret: secret(password))
    }

    static func key(_ username: String, _ key: SSHKeyPair) throws -> TargetLogin {
        TargetLogin(username: username, secretType: .sshKey, secret: try key.openSSH())
    }

    static func privateKey(_ key: SSHKeyPair) -> Secret { (try? key.openSSH()) ?? secret("") }

    var root: Worker { Worker(credential: Self.password("root", host.root.password)) }

    /// Works with a session as a worker, root unless said otherwise.
    func work<Value: Sendable>(
        as worker: Worker? = nil, _ body: @escaping @Sendable (LinuxSession) throws -> Value
    ) async throws -> Value {
        let worker = worker ?? root
        return try await onOwnThread {
            guard let session = try connector.open(target, as: worker) as? LinuxSession else { throw Unexpected() }
            defer { session.close() }
            return try body(session)
        }
    }

    func verify(_ credential: TargetLogin, by plan: VerificationPlan = .direct) async throws -> Verdict {
        try await onOwnThread { try connector.verify(credential, on: target, by: plan) }
    }

    func install(_ username: String, _ password: String, as worker: Worker? = nil) async throws {
        try await work(as: worker) { session in
            let request = ChangeRequest(username: username, secretType: .password)
            try session.prepare(request)
            try session.install(request, secret: Self.secret(password))
        }
    }

    /// The fault that something ends with.
    static func fault<Value>(_ body: () async throws -> Value) async -> ConnectorFault? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? ConnectorFault
        }
    }

    struct Unexpected: Error {}
}

final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

extension Verdict {
    var isUnverifiable: Bool { if case .unverifiable = self { true } else { false } }
    var isRejected: Bool { if case .rejected = self { true } else { false } }
    var isLockedOut: Bool { if case .lockedOut = self { true } else { false } }
}
