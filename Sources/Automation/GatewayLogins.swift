internal import Connectors
internal import Domain
internal import Storage
internal import Synchronization

/// The logins at a gateway that one call of a connector makes: each written down before it is made, like any other, unless the gateway let
/// the account in not long ago. A wrong password there must not lock the account by which everything in a zone is reached.
final class GatewayLogins: Sendable {
    private struct State {
        /// Whether the gateway let the account in lately.
        var isKnown: Bool
        /// Whether others may log in too.
        var hasLeft = false
        var attempt: LoginAttempts.ID?
    }

    private let ledger: TurnLedger
    private let account: Account
    private let wasKnown: Bool
    private let state: Mutex<State>

    private init(_ ledger: TurnLedger, _ account: Account, isKnown: Bool) {
        self.ledger = ledger
        self.account = account
        wasKnown = isKnown
        state = Mutex(State(isKnown: isKnown))
    }

    /// Runs a call with a target whose gateway asks here. First logins at a gateway are made one at a time.
    static func counted<Value: Sendable>(
        by ledger: TurnLedger, on ground: Ground, _ call: @Sendable (Target) async throws -> Value
    ) async throws -> Value {
        guard let account = ground.gatewayAccount else { return try await call(ground.target) }
        let (workers, clock) = (ledger.parts.workers, ledger.parts.clock)
        let isKnown = await workers.enter(account.id, account.stages.current, at: { clock.now() })
        let logins = GatewayLogins(ledger, account, isKnown: isKnown)
        defer { logins.leave(isAccepted: nil) }
        var target = ground.target
        target.gateway?.admission = GatewayAdmission(begin: { logins.begin() }, end: { logins.end($0) })
        return try await call(target)
    }

    // MARK: - On a connector's thread

    private func begin() -> Bool {
        guard !state.withLock({ $0.isKnown }) else { return true }
        // What cannot be written down is not done.
        guard let attempt = try? ledger.beginLoginBlocking(account.id, version: account.stages.current ?? 0) else { return false }
        state.withLock { $0.attempt = attempt }
        return true
    }

    private func end(_ end: GatewayAdmission.End) {
        let attempt = state.withLock { state in
            defer { state.attempt = nil }
            return state.attempt
        }
        switch end {
        case .accepted:
            // What a kill or a cut left behind would count against the account for a day.
            let accepted = LoginEnd.Worker(account: account.id, version: account.stages.current ?? 0)
            if let attempt { write(LoginEnd(id: attempt, outcome: nil, accepted: accepted)) }
            state.withLock { $0.isKnown = true }
            leave(isAccepted: ledger.parts.clock.now())
        case .notMade:
            if let attempt { write(LoginEnd(id: attempt, outcome: nil)) }
        case .rejected: refused(attempt, .rejected)
        case .lockedOut: refused(attempt, .lockedOut)
        case .unclear: refused(attempt, .unclear)
        }
    }

    /// One that was trusted to be accepted and was not is written down afterwards, so that it counts.
    private func refused(_ attempt: LoginAttempts.ID?, _ outcome: LoginAttempts.Outcome) {
        state.withLock { $0.isKnown = false }
        ledger.parts.workers.forget(account.id, account.stages.current)
        let late = try? attempt ?? ledger.beginLoginBlocking(account.id, version: account.stages.current ?? 0)
        if let late { write(LoginEnd(id: late, outcome: outcome)) }
    }

    private func write(_ end: LoginEnd) {
        // If that fails it counts as a login without an answer.
        try? ledger.endBlocking(end)
    }

    private func leave(isAccepted date: Timestamp?) {
        let isFirst = state.withLock { state in
            defer { state.hasLeft = true }
            return !state.hasLeft
        }
        guard isFirst else { return }
        ledger.parts.workers.leave(account.id, account.stages.current, isAccepted: date, wasKnown: wasKnown)
    }
}
