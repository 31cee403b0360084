internal import Connectors
internal import Domain
internal import Storage

extension TurnFault {
    /// A connector's fault as a turn sees it; of a worker's login, what the door said is said of the worker.
    init(_ error: any Error, ofWorker: Bool = false) {
        if let fault = error as? TurnFault {
            self = fault
        } else if let fault = error as? ConnectorFault {
            self.init(fault, ofWorker: ofWorker)
        } else if let refusal = error as? Refusal {
            self.init(.notStored, words: refusal.code)
        } else if let fault = error as? StorageFault {
            self.init(.notStored, words: fault.description)
        } else {
            // Nothing is known of it, so the worst is taken; its text could carry anything.
            self.init(.brokenProtocol, mayHaveChanged: true, words: "\(type(of: error))")
        }
    }

    private init(_ fault: ConnectorFault, ofWorker: Bool) {
        let mayHaveChanged = fault.effect == .unknown
        if case .refusedByPolicy(let refusal) = fault.kind {
            let reason: TurnReason =
                switch refusal.kind {
                case .quality: .quality
                case .history: .history
                case .minimumAge: .minimumAge
                }
            let words = refusal.words.isEmpty ? fault.words : refusal.words
            self.init(reason, mayHaveChanged: mayHaveChanged, words: words, until: refusal.until)
        } else {
            self.init(Self.reason(fault.kind, ofWorker), mayHaveChanged: mayHaveChanged, words: fault.words)
        }
    }

    private static func reason(_ kind: ConnectorFault.Kind, _ ofWorker: Bool) -> TurnReason {
        switch kind {
        case .unreachable: .unreachable
        case .hostKeyChanged: .hostKeyChanged
        case .noSafeChannel: .noSafeChannel
        case .loginRejected: ofWorker ? .workerRejected : .rejected
        case .lockedOut: ofWorker ? .workerLockedOut : .lockedOut
        case .notPermitted: .notPermitted
        case .noSuchAccount: .noSuchAccount
        case .accountExists: .unsupported
        case .refusedByPolicy: .quality
        case .unsupported: .unsupported
        case .forbidden: .forbidden
        case .replaced: .replaced
        case .ownsObjects: .ownsObjects
        case .gatewayLoginsSpent: .noLoginLeft
        case .loginsSpent: .workerRejected
        case .brokenProtocol: .brokenProtocol
        case .timedOut: .timedOut
        case .cut: .cut
        }
    }
}

extension TurnVerdict {
    init(_ verdict: Verdict) {
        self =
            switch verdict {
            case .proven: .proven
            case .rejected(let words): .rejected(words: words)
            case .lockedOut(let words): .lockedOut(words: words)
            case .unverifiable(let words): .unverifiable(words: words)
            }
    }
}

extension StoredFinding.Match {
    init(_ match: StoredMatch) {
        self =
            switch match {
            case .same: .same
            case .different: .different
            case .unknown: .unknown
            }
    }
}
