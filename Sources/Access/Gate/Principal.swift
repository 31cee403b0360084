package import Domain

/// Somebody who has proved who they are, with what they may do.
package struct Principal: Sendable {
    package let actor: Actor
    package let permissions: Set<Permission>
    /// The login in use; nil for the server's own work.
    package let session: Session?

    package init(actor: Actor, permissions: Set<Permission>, session: Session? = nil) {
        self.actor = actor
        self.permissions = permissions
        self.session = session
    }

    /// The server's own scheduled work: it enters by the same door as everybody.
    package static func system(_ name: String, permissions: Set<Permission>) -> Principal {
        Principal(actor: .system(name), permissions: permissions)
    }

    /// Whether the user confirmed who they are recently enough to see plaintext.
    package func isConfirmed(at now: Timestamp) -> Bool {
        guard let until = session?.confirmedUntil else { return false }
        return now < until
    }
}
