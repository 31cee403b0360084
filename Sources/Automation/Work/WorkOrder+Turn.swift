internal import Access
internal import Connectors
internal import Domain
internal import Storage

extension WorkOrder {
    /// A record's change has the record's own id.
    var change: ChangeID { record.retyped() }

    /// What is asked of the target.
    func turn(_ strategy: TurnOrder.Strategy) -> TurnOrder {
        var turn = TurnOrder(
            id: change, strategy: strategy,
            keyStrategy: ChangeRequest.KeyStrategy(rawValue: order.keyStrategy.rawValue) ?? .replaceOurs,
            parameters: parameters, checksConnection: order.checksConnection, worker: worker)
        turn.allowsPrivileged = order.includesPrivileged
        turn.allowsSystemAccounts = order.includesSystem
        turn.existing = order.existing
        return turn
    }
}

extension TurnParts {
    /// The same, with each change telling the record of its id what it comes to, in its own transactions.
    ///
    /// - Parameter notices: hear of doubts that settle.
    package func writingRecords(telling notices: SettledNotices? = nil) -> TurnParts {
        var parts = self
        let (keyring, clock) = (keyring, clock)
        parts.record = { report, organization, db in
            let (done, now, keys) = (WorkReport(report), clock.now(), try keyring.keys())
            let record: RecordID = report.change.retyped()
            let settled = try RecordClosing.tell(record, in: organization, of: done, at: now, keys: keys, on: db)
            if let settled { try notices?.put(settled, as: done, at: now, with: keys, on: db) }
        }
        return parts
    }
}

extension WorkReport {
    init(_ report: TurnReport) {
        self.init(report.outcome)
        account = report.account
        oldVersion = report.oldVersion
        newVersion = report.newVersion
        steps = report.steps.map { entry in
            Record.Step(
                entry.step, reason: entry.reason.flatMap { Record.Reason(ofStep: $0) },
                words: entry.words == "ok" ? "" : entry.words, date: entry.date)
        }
    }

    init(_ outcome: RecordOutcome) {
        self.init(
            Record.Status(outcome.status), reason: Record.Reason(outcome), detail: outcome.words, until: outcome.until)
    }
}

extension Record.Status {
    init(_ status: RecordOutcome.Status) {
        self =
            switch status {
            case .success: .success
            case .failed: .failed
            case .uncertain: .uncertain
            case .unverifiable: .unverifiable
            case .skipped: .skipped
            case .refused: .refused
            }
    }
}

extension Record.Reason {
    /// Nil of a step that ended as asked, or had nothing to do.
    fileprivate init?(ofStep reason: TurnReason) {
        self.init(RecordOutcome(reason == .unchanged ? .success : .failed, reason))
    }

    /// Nil for a plain success.
    init?(_ outcome: RecordOutcome) {
        switch outcome.reason {
        case .proven: return nil
        case .unchanged where outcome.status == .success: return nil
        case .unchanged: self = .existsAlready
        case .notChecked: self = .notChecked
        case .noProof: self = .noProof
        case .oldNotRetired: self = .oldNotRetired
        case .unreachable: self = .unreachable
        case .unsupported: self = .unsupported
        case .forbidden: self = .forbidden
        case .cut: self = .cut
        case .hostKeyChanged, .wrongTarget: self = .hostKeyChanged
        case .noSafeChannel: self = .noSafeChannel
        case .workerRejected, .workerLockedOut: self = .workerRejected
        case .notPermitted: self = .notPermitted
        case .noSuchAccount: self = .notOnTarget
        case .brokenProtocol: self = .brokenProtocol
        case .timedOut: self = .timedOut
        case .quality: self = .policyQuality
        case .history: self = .policyHistory
        case .minimumAge: self = .policyMinimumAge
        case .notApplied: self = .notApplied
        case .replaced: self = .replaced
        case .ownsObjects: self = .ownsObjects
        case .rejected: self = .secretRejected
        case .lockedOut: self = .lockedOut
        case .noneOfOurs: self = .noneOfOurs
        case .interrupted: self = outcome.status == .uncertain ? .doubt : .interrupted
        case .notStored: self = .storage
        case .noLoginLeft: self = .noLoginLeft
        case .changeOpen: self = .busy
        case .sameTarget: self = .sameTarget
        case .paused: self = .paused
        case .inactive: self = .accountInactive
        case .excluded: self = .secretResetOff
        case .secureMode: self = .privileged
        case .systemAccount: self = .systemAccount
        case .noWorker: self = .noWorker
        case .noGateway: self = .noGateway
        case .noSecret: self = .noSecret
        case .noConnector: self = .platform
        case .secretType: self = .secretKind
        case .cancelled: self = .canceled
        case .forced: self = .forced
        case .notFound: self = .accountGone
        }
    }
}
