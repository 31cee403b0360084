package import Domain

/// An announced change, by the request that makes it and the number of its entry.
package struct IntentID: Sendable, Hashable {
    package let request: RequestID
    /// The number of its entry in the chain.
    package let seq: Int64
}

/// An announced change of which it is not written what became of it.
package struct OpenIntent: Sendable, Equatable {
    package let id: IntentID
    package let entry: AuditEntry
}

/// What a batch's last entry does to the list of open intents, in the same transaction.
enum IntentMark: Sendable {
    case none
    case open(RequestID)
    case close(IntentID)
    /// Closes it if it is still open; else the batch's entry is not written.
    case settle(IntentID)
}
