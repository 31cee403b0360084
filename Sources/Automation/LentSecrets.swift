internal import Connectors
internal import Domain

/// The secrets that a target has been told or may be told, of the worker as of the account: none of them is in the words that are kept, also
/// where a target says one of them in its answer to another.
struct LentSecrets: Sendable {
    let logins: [TargetLogin]

    init(_ ground: Ground?, _ others: TargetLogin?...) {
        var logins = others.compactMap { $0 }
        if let worker = ground?.worker?.worker {
            logins.append(worker.credential)
            if case .su(let root) = worker.power { logins.append(root) }
        }
        if let source = ground?.source { logins.append(source) }
        if let gateway = ground?.target.gateway { logins.append(gateway.credential) }
        self.logins = logins
    }

    func hidden(in words: String) -> String {
        guard !words.isEmpty else { return words }
        return logins.reduce(words) { words, login in
            login.withSecret { RemoteWords.of(Array(words.utf8), hiding: $0) }
        }
    }

    func hidden(in outcome: RecordOutcome) -> RecordOutcome {
        RecordOutcome(outcome.status, outcome.reason, words: hidden(in: outcome.words), until: outcome.until)
    }

    func hidden(in fault: TurnFault) -> TurnFault {
        TurnFault(fault.reason, mayHaveChanged: fault.mayHaveChanged, words: hidden(in: fault.words), until: fault.until)
    }

    func hidden(in event: TurnEvent) -> TurnEvent {
        switch event {
        case .turnedAway(let outcome): .turnedAway(hidden(in: outcome))
        case .failed(let fault): .failed(hidden(in: fault))
        case .verdict(.rejected(let words)): .verdict(.rejected(words: hidden(in: words)))
        case .verdict(.lockedOut(let words)): .verdict(.lockedOut(words: hidden(in: words)))
        case .verdict(.unverifiable(let words)): .verdict(.unverifiable(words: hidden(in: words)))
        default: event
        }
    }
}
