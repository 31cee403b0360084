// MARK: - Taking an account away

/// A removal goes the same way as a change: remembered before it is asked for, and settled by what the worker sees. There is no candidate and
/// nothing to be proved by a login: whether the account is still on the target decides.
extension SecretTurn {
    /// How long after it was begun a removal is made again by itself. Later what is on the target is for a person to look at.
    package static let removalSeconds: Int64 = 3600

    mutating func removing(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch stage {
        case .checking, .preflight, .remembering: return beforeRemoval(event)
        case .sending: return afterRemoval(event, now)
        case .promoting: return afterRemovalStored(event, now)
        case .uncertain: return settlingRemoval(event, now)
        case .verifying, .retiring: return disorder(now)
        case .closed: return .close(RecordOutcome(.failed, .interrupted, words: "The turn is over."), live: nil)
        }
    }

    private mutating func beforeRemoval(_ event: TurnEvent) -> TurnAction {
        switch (stage, event) {
        case (.checking, .checked):
            stage = .preflight
            return .preflight
        case (.preflight, .ready):
            stage = .remembering
            return .remember
        case (.preflight, .found(isThere: false)): return gone()
        case (.remembering, .remembered):
            stage = .sending
            return .install
        case (_, .turnedAway(let outcome)): return close(outcome)
        case (_, .failed(let fault)): return close(fault.outcome)
        default: return close(RecordOutcome(.failed, .interrupted, words: "Out of order."))
        }
    }

    private mutating func afterRemoval(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .installed: return gone()
        case .failed(let fault) where fault.mayHaveChanged: return doubt(fault, now)
        case .failed(let fault): return fault.reason == .noSuchAccount ? gone() : close(fault.outcome)
        default: return disorder(now)
        }
    }

    private mutating func afterRemovalStored(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .promoted: return close(RecordOutcome(.success, .unchanged, words: "It is not on the target any more."))
        case .failed(let fault):
            note(RecordOutcome(.uncertain, .notStored, words: fault.words))
            stage = .uncertain
            return wait(now)
        default: return disorder(now)
        }
    }

    private mutating func settlingRemoval(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .found(isThere: false), .installed: return gone()
        case .found(isThere: true): return stillThere(now)
        case .failed(let fault): return removalHindered(fault, now)
        default: return disorder(now)
        }
    }

    private mutating func stillThere(_ now: Timestamp) -> TurnAction {
        let isOver = plan.repeatsUntil.map { now >= $0 } ?? false
        guard !isOver, run.reapplications < limits.reapplications else {
            guard isOver else { return wait(now) }
            return close(RecordOutcome(.failed, .notApplied, words: "It is still on the target; its rights may be gone."))
        }
        // Forward rather than back: a removal that lands late then finds nothing to take away.
        run.reapplications += 1
        return .reapply
    }

    private mutating func removalHindered(_ fault: TurnFault, _ now: Timestamp) -> TurnAction {
        if run.reapplications > 0, !fault.mayHaveChanged, !fault.isPassing {
            // It was there a moment ago, and the target says no to its removal.
            return fault.reason == .noSuchAccount ? gone() : close(fault.outcome)
        }
        note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
        return wait(now, seconds: fault.mayHaveChanged || fault.isPassing ? nil : limits.pauses.last)
    }

    private mutating func gone() -> TurnAction {
        stage = .promoting
        return .promote(isProven: true)
    }
}
