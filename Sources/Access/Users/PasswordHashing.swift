internal import Cryptography
internal import Dispatch
internal import Domain
internal import Synchronization

/// Runs scrypt on threads of its own, a few at a time: each takes 64 MiB and a core, and comes at a stranger's request.
final class PasswordHashing: Sendable {
    private let lanes: [DispatchQueue]
    private let waiting: Mutex<Int>
    private let turn = Atomic(0)
    private let capacity: Int

    /// `parallel` derivations at a time, at most `capacity` waiting or running; more are refused.
    init(parallel: Int = 2, capacity: Int = 32) {
        lanes = (0..<max(parallel, 1)).map { DispatchQueue(label: "keyturn.password.\($0)") }
        waiting = Mutex(0)
        self.capacity = capacity
    }

    func makeVerifier(for password: SecretHandoff) async throws -> PasswordVerifier {
        try await run {
            guard let password = password.take() else { throw Refusal.malformed("no password") }
            return try PasswordVerifier(for: password)
        }
    }

    /// Whether the password is the verifier's; takes the same time when there is no verifier.
    func isMatch(_ password: SecretHandoff, _ verifier: PasswordVerifier?) async throws -> Bool {
        try await run {
            guard let password = password.take() else { return false }
            guard let verifier else {
                _ = try PasswordVerifier(for: password)
                return false
            }
            return verifier.matches(password)
        }
    }

    private func run<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
        let isAdmitted = waiting.withLock { count in
            guard count < capacity else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw Refusal.tooMany(retryAfterSeconds: 5) }
        defer { waiting.withLock { $0 -= 1 } }
        let lane = lanes[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(lanes.count))]
        return try await withCheckedThrowingContinuation { continuation in
            lane.async { continuation.resume(with: Swift.Result { try work() }) }
        }
    }
}
