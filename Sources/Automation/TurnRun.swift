internal import Access
internal import Connectors
internal import Cryptography
internal import Domain
internal import Logging
internal import Storage
internal import Vault

/// Carries one turn out: asks the machine what is next, does it, and stores every step before it is made.
actor TurnRun {
    let parts: TurnParts
    let warrant: Warrant
    let ledger: TurnLedger
    let account: AccountID
    let order: TurnOrder
    let purpose: Purpose
    var turn: SecretTurn
    var report: TurnReport
    var change: OpenChange?
    var ground: Ground?
    var session: (any WorkSession)?
    var remote: RemoteAccount?
    var identity: TargetIdentity?
    var kind = OpenChange.Kind.change
    /// Set at the candidate's commit: nothing is sent before.
    var candidate: TargetLogin?
    /// What the next transaction writes of logins that are over.
    var ended: [LoginEnd] = []
    /// Of a removal: what the account was marked with.
    var mark: (text: String, isSecretSeen: Bool)?
    /// Of a removal: what is left that still names the account.
    var remains: String?
    /// Whether the secret that is kept is put on the target as it is.
    var sendsCurrent = false

    /// Whether the last transaction closed the change and wrote the record.
    var isOver = false

    enum Purpose: Sendable {
        case change, push, remove, settle
        /// Changes nothing.
        case look
    }

    init(_ parts: TurnParts, _ warrant: Warrant, account: AccountID, order: TurnOrder, purpose: Purpose) {
        self.parts = parts
        self.warrant = warrant
        self.account = account
        self.order = order
        self.purpose = purpose
        ledger = TurnLedger(parts: parts, warrant: warrant)
        let isGenerated = if case .random = order.strategy { true } else { false }
        turn = SecretTurn(
            .init(isGenerated: isGenerated, checksConnection: order.checksConnection, isRemoval: purpose == .remove),
            limits: parts.limits)
        if purpose == .remove { kind = .remove }
        report = TurnReport(change: order.id, account: account, outcome: RecordOutcome(.failed, .interrupted))
    }

    /// Takes up a change that was stored.
    init(_ parts: TurnParts, _ warrant: Warrant, resuming change: OpenChange, order: TurnOrder) {
        self.parts = parts
        self.warrant = warrant
        self.order = order
        account = change.account
        purpose = .settle
        ledger = TurnLedger(parts: parts, warrant: warrant)
        turn = change.turn(limits: parts.limits)
        self.change = change
        kind = change.kind
        report = TurnReport(change: change.id, account: change.account, outcome: RecordOutcome(.uncertain, .interrupted))
        report.oldVersion = change.old
        report.newVersion = change.memory.candidate
    }

    var now: Timestamp { parts.clock.now() }

    func run() async -> TurnReport {
        var action = change == nil ? turn.begin() : turn.handle(.resumed, at: now)
        while true {
            switch action {
            case .close(let outcome, let live): return await close(outcome, live)
            case .wait(let until): return await rest(until)
            default:
                let event: TurnEvent
                do {
                    event = try await perform(action)
                } catch {
                    return await stranded(error)
                }
                action = turn.handle(event, at: now)
            }
        }
    }

    /// Throws only where the turn's own state could not be stored: then nothing further may be done.
    private func perform(_ action: TurnAction) async throws -> TurnEvent {
        if turn.plan.isRemoval { return try await performRemoval(action) }
        switch action {
        case .check: return await done(.check) { try await self.check() }
        case .preflight: return await done(.preflight) { try await self.preflight() }
        case .remember: return await done(.remember) { try await self.remember() }
        case .install: return await done(.install) { try await self.install() }
        case .verify(let version): return try await login(version, as: .verify)
        case .promote(let isProven): return await done(.promote) { try await self.promote(isProven) }
        case .retire: return await done(.retire) { try await self.retire() }
        case .inspect:
            try await store(.doubt)
            return await done(.inspect) { try await self.inspect() }
        case .reapply:
            try await store(nil)
            return await done(.reapply) { try await self.reapply() }
        case .guess(let version): return try await login(version, as: .guess)
        case .wait, .close: return .resumed
        }
    }

    /// Runs a step and notes how it ended; what it throws becomes an event.
    func done(_ step: TurnStep, _ body: () async throws -> TurnEvent) async -> TurnEvent {
        var event: TurnEvent
        do {
            event = try await body()
        } catch let stop as Stop {
            event = .turnedAway(stop.outcome)
        } catch {
            event = .failed(TurnFault(error, ofWorker: step == .preflight || step == .inspect))
        }
        event = LentSecrets(ground, candidate).hidden(in: event)
        // A promotion was noted in its own transaction.
        if event == .promoted { log(step, Self.words(event)) } else { note(step, event) }
        await parts.probe.reached(step, account)
        return event
    }

    func note(_ step: TurnStep, _ event: TurnEvent) { note(step, Self.words(event), Self.reason(event)) }

    func note(_ step: TurnStep, _ words: String, _ reason: TurnReason? = nil) {
        report.steps.append(StepEntry(step: step, date: now, reason: reason, words: words))
        log(step, words)
    }

    private func log(_ step: TurnStep, _ words: String) {
        parts.logger.debug("turn", metadata: ["account": "\(account)", "step": "\(step.name)", "words": "\(words)"])
    }

    /// The report with its end.
    private func closed(_ report: TurnReport, _ outcome: RecordOutcome) -> TurnReport {
        var closed = report
        closed.outcome = withRemains(outcome)
        let reason = outcome.status == .success ? nil : outcome.reason
        closed.steps.append(StepEntry(step: .close, date: now, reason: reason, words: outcome.reason.rawValue))
        return closed
    }

    /// The report as it is stored with a promotion: with that step, and with the end where it is one.
    func promoted(_ next: TurnAction) -> TurnReport {
        var promoted = report
        promoted.steps.append(StepEntry(step: .promote, date: now, words: Self.words(.promoted)))
        guard case .close(let outcome, _) = next else { return promoted }
        return closed(promoted, outcome)
    }

    /// Why a step did not end as asked; nil where it did.
    private static func reason(_ event: TurnEvent) -> TurnReason? {
        switch event {
        case .turnedAway(let outcome): outcome.reason
        case .failed(let fault): fault.reason
        case .verdict(.proven): nil
        case .verdict(.rejected): .rejected
        case .verdict(.lockedOut): .lockedOut
        case .verdict(.unverifiable): .noProof
        case .noLoginLeft: .noLoginLeft
        default: nil
        }
    }

    private static func words(_ event: TurnEvent) -> String {
        switch event {
        case .turnedAway(let outcome): outcome.reason.rawValue + (outcome.words.isEmpty ? "" : ": " + outcome.words)
        case .failed(let fault): fault.reason.rawValue + (fault.words.isEmpty ? "" : ": " + fault.words)
        case .remembered(let version): "version \(version)"
        case .verdict(.proven): "proven"
        case .verdict(.rejected(let words)): "rejected: " + words
        case .verdict(.lockedOut(let words)): "locked out: " + words
        case .verdict(.unverifiable(let words)): "unverifiable: " + words
        case .noLoginLeft(let until): "no login left before \(WireDate.format(until))"
        case .inspected(let findings):
            findings.map { "version \($0.version): \($0.match)" }.joined(separator: ", ")
        default: "ok"
        }
    }

    /// Stores where the turn stands.
    func store(_ step: TurnStep?) async throws {
        guard let change else { return }
        self.change = try await ledger.store(change, turn, taken())
        if let step {
            note(step, turn.memory.doubt.map { $0.reason.rawValue } ?? "", turn.memory.doubt?.reason)
            await parts.probe.reached(step, account)
        }
    }

    /// The logins that are over and not written; the caller writes them.
    func taken() -> [LoginEnd] {
        defer { ended = [] }
        return ended
    }

    // MARK: - Ends

    private func close(_ outcome: RecordOutcome, _ live: Int64?) async -> TurnReport {
        await closeSession()
        // A promotion that was the end has closed the change in its own transaction.
        if isOver {
            report.outcome = withRemains(outcome)
        } else {
            let closed = closed(report, outcome)
            do {
                try await ledger.close(change, live: live, taken(), record: closed)
            } catch {
                return await stranded(error)
            }
            report = closed
        }
        log(.close, outcome.reason.rawValue)
        await parts.probe.reached(.close, account)
        return report
    }

    private func rest(_ until: Timestamp) async -> TurnReport {
        await closeSession()
        let doubt = turn.doubt ?? (turn.stage == .retiring ? RecordOutcome(.success, .oldNotRetired) : nil)
        let outcome = doubt ?? RecordOutcome(.uncertain, .interrupted)
        report.outcome = RecordOutcome(
            outcome.status == .unverifiable ? .uncertain : outcome.status, outcome.reason, words: outcome.words, until: until)
        guard let change else {
            // Nothing is open that could be settled, for nothing was asked of the target: that is no doubt.
            report.outcome = RecordOutcome(.failed, outcome.reason, words: outcome.words)
            return report
        }
        do {
            self.change = try await ledger.store(change, turn, taken(), record: report)
        } catch {
            return await stranded(error)
        }
        return report
    }

    /// The storage cannot be written, or somebody forced the change away: what is stored is what counts.
    private func stranded(_ error: any Error) async -> TurnReport {
        await closeSession()
        let stop = Stop(error)
        let isOpen = change != nil && stop.outcome.reason != .forced
        report.outcome = RecordOutcome(
            isOpen ? .uncertain : stop.outcome.status, stop.outcome.reason, words: stop.outcome.words)
        parts.logger.error(
            "a turn's state could not be stored", metadata: ["account": "\(account)", "words": "\(stop.outcome.words)"])
        return report
    }

    func closeSession() async {
        guard let session else { return }
        self.session = nil
        _ = try? await parts.threads.run { session.close() }
    }
}
