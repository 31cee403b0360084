/// Why a step on the target did not end as asked, as far as a turn decides on it.
package struct TurnFault: Error, Sendable, Hashable {
    package let reason: TurnReason
    /// Whether the target may be changed now, or become so later.
    package let mayHaveChanged: Bool
    /// The target's words, without any secret.
    package let words: String
    /// When the target will take a change again, where it said so.
    package let until: Timestamp?

    package init(_ reason: TurnReason, mayHaveChanged: Bool = false, words: String = "", until: Timestamp? = nil) {
        self.reason = reason
        self.mayHaveChanged = mayHaveChanged
        self.words = words
        self.until = until
    }

    /// Whether the same may go well a little later without anybody doing anything.
    package var isPassing: Bool {
        switch reason {
        case .unreachable, .timedOut, .cut, .brokenProtocol, .notStored: true
        default: false
        }
    }

    /// What a record says of a change that this ended without having changed anything.
    var outcome: RecordOutcome {
        RecordOutcome(reason == .minimumAge ? .refused : .failed, reason, words: words, until: until)
    }
}

/// What a fresh login with a secret said.
package enum TurnVerdict: Sendable, Hashable {
    case proven
    case rejected(words: String)
    /// Refused for another reason than a wrong secret: says nothing about it.
    case lockedOut(words: String)
    /// The target lets in without the secret, or there is no way to ask.
    case unverifiable(words: String)
}

/// What the target stores, compared with one of the kept secrets.
package struct StoredFinding: Sendable, Hashable {
    package enum Match: Sendable, Hashable { case same, different, unknown }

    /// The number of the kept secret.
    package let version: Int64
    package let match: Match

    package init(_ version: Int64, _ match: Match) {
        self.version = version
        self.match = match
    }
}
