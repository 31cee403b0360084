/// Who a change is about on the far side: a system as it names itself, and a user on it.
///
/// Read back from the target, not taken from the asset's row, so that two rows that lead to the same place have one identity
/// and only one change of it is open at a time.
package struct TargetIdentity: Sendable, Hashable {
    /// What tells the system apart from others: the SHA-256 of an SSH host key, a database's system identifier.
    package enum System: Sendable, Hashable {
        /// The host key's SHA-256 in OpenSSH's form, `SHA256:…`.
        case sshHostKey(String)
        /// PostgreSQL's `system_identifier`, MariaDB's server uid; Redis has none that lasts, so its address and port.
        case database(kind: String, identifier: String)
    }

    package let system: System
    /// The user's name as the target has it; of MariaDB with the account's hosts, `user@host,host`.
    package let user: String

    package init(system: System, user: String) {
        self.system = system
        self.user = user
    }

    /// An unambiguous byte form, for the unique index of open changes.
    package var canonical: CanonicalBytes {
        var bytes = CanonicalBytes()
        switch system {
        case .sshHostKey(let fingerprint):
            bytes.append("ssh-host-key")
            bytes.append(fingerprint)
        case .database(let kind, let identifier):
            bytes.append("database")
            bytes.append(kind)
            bytes.append(identifier)
        }
        bytes.append(user)
        return bytes
    }
}
