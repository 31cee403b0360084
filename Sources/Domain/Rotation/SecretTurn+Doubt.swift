// MARK: - In doubt

extension SecretTurn {
    /// Something was sent, and it is not known what became of it.
    mutating func doubt(_ fault: TurnFault, _ now: Timestamp) -> TurnAction {
        stage = .uncertain
        note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
        return inspect()
    }

    /// Taken up again: anything may have happened since it was stored.
    mutating func resume(_ now: Timestamp) -> TurnAction {
        run = Run()
        memory.notBefore = nil
        if stage == .retiring { return .retire }
        guard isOpen else { return close(RecordOutcome(.failed, .interrupted)) }
        if stage != .uncertain || memory.doubt?.status != .uncertain { note(RecordOutcome(.uncertain, .interrupted)) }
        stage = .uncertain
        return inspect()
    }

    private mutating func inspect() -> TurnAction {
        memory.rounds += 1
        memory.isStored = false
        run.isSettling = true
        run.known = nil
        run.guessing = nil
        return .inspect
    }

    mutating func settling(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .inspected(let findings): return inspected(findings, now)
        case .installed:
            memory.isAcknowledged = true
            return prove()
        case .verdict(let verdict): return guessed(verdict, now)
        case .noLoginLeft(let until):
            note(RecordOutcome(.uncertain, .noLoginLeft, until: until))
            return wait(until: until)
        case .failed(let fault): return hindered(fault, now)
        default: return disorder(now)
        }
    }

    private mutating func inspected(_ findings: [StoredFinding], _ now: Timestamp) -> TurnAction {
        let same = findings.first { $0.match == .same }?.version
        if let same, same == memory.candidate {
            memory.isAcknowledged = true
            memory.isStored = true
            guard memory.rejections >= limits.rejections else { return prove() }
            // More rejected logins would teach nothing that the stored verifier does not say.
            note(RecordOutcome(.unverifiable, .rejected, words: memory.doubt?.words ?? ""))
            return promote(isProven: false)
        }
        run.known = same
        let isTired = memory.rounds > limits.rounds && same != nil
        if run.reapplications < limits.reapplications, memory.rejections < limits.rejections, !isTired {
            // Forward rather than back: what lands late is then the very secret that is live.
            run.reapplications += 1
            return .reapply
        }
        return withoutReapplying(
            cause: nil, isKnownForeign: !findings.isEmpty && findings.allSatisfy { $0.match == .different }, now)
    }

    /// The worker could not look, or not make the candidate live again.
    private mutating func hindered(_ fault: TurnFault, _ now: Timestamp) -> TurnAction {
        if run.guessing != nil {
            note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
            return wait(now)
        }
        if fault.mayHaveChanged || fault.isPassing {
            note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
            return wait(now)
        }
        switch fault.reason {
        case .hostKeyChanged, .wrongTarget, .noSafeChannel, .paused, .noLoginLeft, .sameTarget, .changeOpen:
            // Somebody must look: no secret goes to a host that may be another.
            note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
            return wait(now, seconds: limits.pauses.last)
        case .noSuchAccount:
            return close(RecordOutcome(.failed, .noSuchAccount, words: fault.words))
        default:
            return withoutReapplying(cause: fault, isKnownForeign: false, now)
        }
    }

    /// The candidate is not made live again: what was seen decides, or else logins within their limit.
    private mutating func withoutReapplying(cause: TurnFault?, isKnownForeign: Bool, _ now: Timestamp) -> TurnAction {
        if let known = run.known { return close(cause?.outcome ?? RecordOutcome(.failed, .notApplied), live: known) }
        if isKnownForeign {
            note(RecordOutcome(.uncertain, .noneOfOurs))
            return wait(now, seconds: limits.pauses.last)
        }
        return guess(now)
    }

    private mutating func guess(_ now: Timestamp) -> TurnAction {
        guard let next = values.first(where: { !memory.guessed.contains($0) }) else {
            // From the start, another day: what was late may have landed.
            memory.guessed = []
            run.guessing = nil
            note(RecordOutcome(.uncertain, .noneOfOurs))
            return wait(now, seconds: Self.day)
        }
        run.guessing = next
        return .guess(next)
    }

    private mutating func guessed(_ verdict: TurnVerdict, _ now: Timestamp) -> TurnAction {
        guard let version = run.guessing else { return disorder(now) }
        switch verdict {
        case .proven:
            if version == memory.candidate { return promote(isProven: true) }
            return close(RecordOutcome(.failed, .notApplied), live: version)
        case .rejected:
            if version == memory.candidate { memory.rejections += 1 }
            memory.guessed.append(version)
            return guess(now)
        case .lockedOut(let words):
            note(RecordOutcome(.uncertain, .lockedOut, words: words))
            return wait(now, seconds: limits.pauses.last)
        case .unverifiable(let words):
            if memory.isAcknowledged {
                note(RecordOutcome(.unverifiable, .noProof, words: words))
                return promote(isProven: false)
            }
            note(RecordOutcome(.uncertain, .noProof, words: words))
            return wait(now, seconds: Self.day)
        }
    }
}
