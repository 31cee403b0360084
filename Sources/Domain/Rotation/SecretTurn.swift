/// How one account's secret is turned on its target: an event goes in, the next action comes out.
///
/// A pure value, without clock, network or storage, so that every transition can be tested. Whoever drives it stores it before every
/// action from `install` on, and takes it up with `.resumed` after a crash: then anything may have happened, and the turn is in doubt.
///
/// What holds in every state: the candidate was committed before it was sent; nothing ends in success that was not proved; a target
/// that may have been changed is never called unchanged before that was seen; and the loops are bounded by logins and counters.
package struct SecretTurn: Sendable, Hashable {
    package enum Stage: String, Sendable, CaseIterable {
        case checking, preflight
        /// A candidate is about to be committed; an earlier one may have been refused.
        case remembering
        /// The candidate is committed and may be on its way.
        case sending
        case verifying
        case promoting
        /// The new secret is current; the old one may still be live.
        case retiring
        case uncertain
        case closed
    }

    package let plan: Plan
    package let limits: Limits
    package var stage = Stage.checking
    package var memory = Memory()
    /// The kept secrets that may be live, likeliest first; the driver sets them when it inspects.
    package var values: [Int64] = []
    /// Counts that bound one run and are forgotten between runs.
    var run = Run()

    package init(_ plan: Plan, limits: Limits = Limits()) {
        self.plan = plan
        self.limits = limits
    }

    /// A turn as it was stored.
    package init(_ plan: Plan, stage: Stage, memory: Memory, limits: Limits = Limits()) {
        self.init(plan, limits: limits)
        self.stage = stage
        self.memory = memory
    }

    /// Whether a candidate is committed and the turn not over: then there is a row of it.
    package var isOpen: Bool {
        if plan.isRemoval { return ![.checking, .preflight, .remembering, .closed].contains(stage) }
        return memory.candidate != nil && stage != .closed
    }

    /// What reads and lists say of an open turn; nil while it goes as planned.
    package var doubt: RecordOutcome? { stage == .uncertain ? memory.doubt : nil }
}

extension SecretTurn {
    /// What was asked, as far as it decides the way.
    package struct Plan: Sendable, Hashable {
        /// Whether a refused candidate can be replaced by another.
        package let isGenerated: Bool
        package let checksConnection: Bool
        /// Whether the account is taken away from the target instead.
        package let isRemoval: Bool
        /// Until when a removal is made again by itself; nil: in the run that was asked for it.
        package var repeatsUntil: Timestamp?

        package init(isGenerated: Bool, checksConnection: Bool, isRemoval: Bool = false) {
            self.isGenerated = isGenerated
            self.checksConnection = checksConnection
            self.isRemoval = isRemoval
        }
    }

    package struct Limits: Sendable, Hashable {
        /// Candidates that one turn sends when the target refuses them for their quality.
        package var candidates = 3
        /// How often one run makes the same candidate live again.
        package var reapplications = 2
        /// Rejected logins with the candidate after which it is not made live again.
        package var rejections = 2
        /// Rounds after which a secret that was seen to be live ends the doubt, though not proved by a login.
        package var rounds = 6
        /// Seconds to wait after each round; the last one for all further rounds.
        package var pauses: [Int64] = [15, 30, 60, 120, 300, 900, 1800, 3600]

        package init() {}

        func pause(after rounds: Int) -> Int64 { pauses.isEmpty ? 60 : pauses[max(0, min(rounds, pauses.count) - 1)] }
    }

    /// What is stored of a turn between its steps.
    package struct Memory: Sendable, Hashable {
        /// The version that is being made live.
        package var candidate: Int64?
        package var candidatesUsed = 0
        /// Whether the target said, or was seen, to have taken the candidate.
        package var isAcknowledged = false
        /// Whether the stored verifier was seen to be the candidate's.
        package var isStored = false
        /// Rejected logins with the candidate.
        package var rejections = 0
        /// Rounds of settling or of retiring so far.
        package var rounds = 0
        /// Versions with which a login was rejected, since all were tried.
        package var guessed: [Int64] = []
        package var doubt: RecordOutcome?
        package var notBefore: Timestamp?

        package init() {}
    }

    struct Run: Sendable, Hashable {
        var reapplications = 0
        /// The older version that the target was seen to hold.
        var known: Int64?
        var guessing: Int64?
        var isSettling = false
        var isProven = false
    }
}

// MARK: - The way as planned

extension SecretTurn {
    /// The first action.
    package func begin() -> TurnAction { .check }

    package mutating func handle(_ event: TurnEvent, at now: Timestamp) -> TurnAction {
        if event == .resumed { return resume(now) }
        if plan.isRemoval { return removing(event, now) }
        switch stage {
        case .checking, .preflight, .remembering: return beforeSending(event, now)
        case .sending: return afterInstall(event, now)
        case .verifying: return afterVerify(event, now)
        case .promoting: return afterPromote(event, now)
        case .retiring: return afterRetire(event, now)
        case .uncertain: return settling(event, now)
        case .closed: return .close(RecordOutcome(.failed, .interrupted, words: "The turn is over."), live: nil)
        }
    }

    private mutating func beforeSending(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch (stage, event) {
        case (.checking, .checked):
            stage = .preflight
            return .preflight
        case (.preflight, .ready):
            stage = .remembering
            return .remember
        case (.remembering, .remembered(let version)):
            memory.candidate = version
            memory.candidatesUsed += 1
            memory.isAcknowledged = false
            stage = .sending
            return .install
        case (_, .turnedAway(let outcome)): return close(outcome)
        case (_, .failed(let fault)): return close(fault.outcome)
        default: return close(RecordOutcome(.failed, .interrupted, words: "Out of order."))
        }
    }

    private mutating func afterInstall(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .installed:
            memory.isAcknowledged = true
            return prove()
        case .failed(let fault) where !fault.mayHaveChanged:
            let isRetried = fault.reason == .quality || fault.reason == .history
            guard isRetried, plan.isGenerated, memory.candidatesUsed < limits.candidates else {
                return close(isRetried ? RecordOutcome(.refused, fault.reason, words: fault.words) : fault.outcome)
            }
            stage = .remembering
            return .remember
        case .failed(let fault): return doubt(fault, now)
        default: return disorder(now)
        }
    }

    /// The candidate is on the target as far as that says: the proof is next, if one is asked for.
    mutating func prove() -> TurnAction {
        guard plan.checksConnection, let candidate = memory.candidate else { return promote(isProven: false) }
        stage = .verifying
        return .verify(candidate)
    }

    private mutating func afterVerify(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .verdict(.proven): return promote(isProven: true)
        case .verdict(.unverifiable(let words)):
            note(RecordOutcome(.unverifiable, .noProof, words: words))
            return memory.isAcknowledged ? promote(isProven: false) : wait(now, seconds: Self.day)
        case .verdict(.rejected(let words)):
            memory.rejections += 1
            if let candidate = memory.candidate, !memory.guessed.contains(candidate) { memory.guessed.append(candidate) }
            return unproved(TurnFault(.rejected, mayHaveChanged: true, words: words), now)
        case .verdict(.lockedOut(let words)): return unproved(TurnFault(.lockedOut, mayHaveChanged: true, words: words), now)
        case .noLoginLeft(let until): return withoutLogin(until, now)
        case .failed(let fault): return afterVerifyFailed(fault, now)
        default: return disorder(now)
        }
    }

    /// The account's logins of the day are used up. What the target stores can be seen without one; that is enough to be current, and no
    /// proof.
    private mutating func withoutLogin(_ until: Timestamp, _ now: Timestamp) -> TurnAction {
        if memory.isStored {
            note(RecordOutcome(.unverifiable, .noLoginLeft))
            return promote(isProven: false)
        }
        guard run.isSettling else { return doubt(TurnFault(.noLoginLeft, mayHaveChanged: true), now) }
        note(RecordOutcome(.uncertain, .noLoginLeft, until: until))
        stage = .uncertain
        return wait(until: until)
    }

    /// The login said no. What the target was seen to store outweighs it, but is no proof.
    private mutating func unproved(_ fault: TurnFault, _ now: Timestamp) -> TurnAction {
        if memory.isStored {
            note(RecordOutcome(.unverifiable, fault.reason, words: fault.words))
            return promote(isProven: false)
        }
        // Locked out says nothing about the secret; asking again at once would only lengthen it.
        if fault.reason == .lockedOut, run.isSettling {
            note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
            stage = .uncertain
            return wait(now)
        }
        return doubt(fault, now)
    }

    private mutating func afterVerifyFailed(_ fault: TurnFault, _ now: Timestamp) -> TurnAction {
        if memory.isStored, memory.rounds >= limits.rounds {
            note(RecordOutcome(.unverifiable, fault.reason, words: fault.words))
            return promote(isProven: false)
        }
        if run.isSettling {
            note(RecordOutcome(.uncertain, fault.reason, words: fault.words))
            stage = .uncertain
            return wait(now)
        }
        return doubt(fault, now)
    }

    mutating func promote(isProven: Bool) -> TurnAction {
        stage = .promoting
        run.isProven = isProven
        if isProven { note(nil) }
        return .promote(isProven: isProven)
    }

    private mutating func afterPromote(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .promoted:
            memory.rounds = 0
            // Only what was proved may replace what is still live.
            guard run.isProven else {
                let isDoubted = memory.doubt?.status == .unverifiable
                return close(
                    isDoubted ? memory.doubt ?? RecordOutcome(.unverifiable, .noProof) : RecordOutcome(.unverifiable, .notChecked)
                )
            }
            stage = .retiring
            return .retire
        case .failed(let fault):
            note(RecordOutcome(.uncertain, .notStored, words: fault.words))
            stage = .uncertain
            return wait(now)
        default: return disorder(now)
        }
    }

    private mutating func afterRetire(_ event: TurnEvent, _ now: Timestamp) -> TurnAction {
        switch event {
        case .retired: return close(RecordOutcome(.success, .proven))
        case .failed(let fault):
            memory.rounds += 1
            guard fault.isPassing || fault.mayHaveChanged, memory.rounds < limits.rounds else {
                return close(RecordOutcome(.success, .oldNotRetired, words: fault.words))
            }
            return wait(now)
        default: return wait(now)
        }
    }
}

// MARK: - Ends and pauses

extension SecretTurn {
    static let day: Int64 = 86_400

    mutating func close(_ outcome: RecordOutcome, live: Int64? = nil) -> TurnAction {
        stage = .closed
        return .close(outcome, live: live)
    }

    mutating func note(_ outcome: RecordOutcome?) { memory.doubt = outcome }

    mutating func wait(_ now: Timestamp, seconds: Int64? = nil) -> TurnAction {
        wait(until: now.adding(seconds: seconds ?? limits.pause(after: memory.rounds)))
    }

    mutating func wait(until: Timestamp) -> TurnAction {
        memory.notBefore = until
        return .wait(until: until)
    }

    /// An event that has no place here is a fault of ours: what is open stays open.
    mutating func disorder(_ now: Timestamp) -> TurnAction {
        note(RecordOutcome(.uncertain, .interrupted, words: "Out of order."))
        stage = .uncertain
        return wait(now)
    }
}
