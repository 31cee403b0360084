internal import Synchronization

/// How often a data key has sealed, against a count that is kept in the database ahead of use.
///
/// Uses are reserved in blocks: after a crash the stored number is not behind the real one (a reservation that was rolled back leaves it
/// behind by a block, which the distance between the two limits covers many times).
final class UseCounter: Sendable {
    /// Seals between two writes of the stored count.
    static let block: Int64 = 1 << 20
    /// From here on a key is to be replaced.
    static let worn: Int64 = 1 << 31
    /// A key never comes to 2^32 seals under random nonces (NIST SP 800-38D, 8.3).
    static let limit: Int64 = (1 << 32) - (1 << 28)

    private struct State {
        var used: Int64
        var reserved: Int64
    }

    private let state: Mutex<State>

    init(stored: Int64) {
        state = Mutex(State(used: stored, reserved: stored))
    }

    enum Step { case allowed, reserveFirst, exhausted }

    /// Counts one use, or says what must happen before.
    func take() -> Step {
        state.withLock { state in
            if state.used >= Self.limit { return .exhausted }
            if state.used >= state.reserved { return .reserveFirst }
            state.used += 1
            return .allowed
        }
    }

    var isWorn: Bool { state.withLock { $0.used >= Self.worn } }

    /// The stored count was raised to `total`.
    func reserve(upTo total: Int64) {
        state.withLock { $0.reserved = max($0.reserved, total) }
    }
}
