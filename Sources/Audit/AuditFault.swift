/// Why the audit could not take, keep or give back an entry. Whoever waits for the entry must not answer with what it covers.
package enum AuditFault: Error, Sendable, Equatable {
    /// Too many entries wait for their commit; try again later.
    case overloaded
    /// The audit was closed: the server stops.
    case closed
    /// The entry could not be made durable: disk full, read-only or broken. The text is safe to log.
    case unwritable(String)
    /// Stored entries could not be read.
    case unreadable(String)
    /// What is stored is not the chain that was written: the first entry at which it shows, and what shows.
    case chainBroken(seq: Int64, String)
    /// A body is not an entry as this program writes them.
    case notAnEntry(String)
}

extension AuditFault {
    /// Any error of the layers below while writing.
    init(writing error: any Error) {
        self = error as? AuditFault ?? .unwritable("\(error)")
    }

    /// Any error of the layers below while reading.
    init(reading error: any Error) {
        self = error as? AuditFault ?? .unreadable("\(error)")
    }
}
