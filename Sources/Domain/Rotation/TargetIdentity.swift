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
        var bytes = system.canonical
        bytes.append(user)
        return bytes
    }

    /// Whether a canonical form is of the same system.
    package func isOnSystem(of canonical: [UInt8]) -> Bool { Self.split(canonical)?.system == system.canonical.bytes }

    /// Whether a canonical form is of the same user, on whatever system.
    package func isUser(of canonical: [UInt8]) -> Bool {
        var own = CanonicalBytes()
        own.append(user)
        return Self.split(canonical).map { Array($0.user) == own.bytes } ?? false
    }

    /// The user in a canonical form, with its length: its last bytes.
    package static func user(of canonical: [UInt8]) -> [UInt8]? { split(canonical).map { Array($0.user) } }

    /// The user in a canonical form, as text; nil if it is none.
    package static func userText(of canonical: [UInt8]) -> String? {
        split(canonical).map { String(decoding: $0.user.dropFirst(4), as: UTF8.self) }
    }

    /// The two halves of a canonical form: all parts but the last, and the last with its length. Nil if it is none.
    fileprivate static func split(_ canonical: [UInt8]) -> (system: [UInt8], user: ArraySlice<UInt8>)? {
        var start = 0
        while canonical.count - start >= 4 {
            let length = canonical[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            let next = start + 4 + length
            if next == canonical.count { return (Array(canonical[..<start]), canonical[start...]) }
            guard next < canonical.count else { return nil }
            start = next
        }
        return nil
    }
}

extension TargetIdentity.System {
    /// The canonical form of the user that another one is of, on this system; nil if that is no canonical form.
    package func moved(userOf canonical: [UInt8]) -> [UInt8]? {
        TargetIdentity.split(canonical).map { self.canonical.bytes + $0.user }
    }

    var canonical: CanonicalBytes {
        var bytes = CanonicalBytes()
        switch self {
        case .sshHostKey(let fingerprint):
            bytes.append("ssh-host-key")
            bytes.append(fingerprint)
        case .database(let kind, let identifier):
            bytes.append("database")
            bytes.append(kind)
            bytes.append(identifier)
        }
        return bytes
    }
}

/// Accounts of one name at several hosts, as MariaDB has them: each has a password of its own, and one row may stand for several of them.
///
/// Two rows that have one of them in common would take each other's secret away, though their identities are different ones.
package struct NamesakeIdentity: Sendable, Hashable {
    /// The canonical form of the system.
    package let system: [UInt8]
    package let name: String
    /// In lower case; empty where the accounts are known by their name alone.
    package let hosts: Set<String>

    /// Nil for users whose names say all.
    package init?(_ canonical: [UInt8]) {
        let kind = TargetIdentity.System.database(kind: Self.kind, identifier: "").canonical.bytes.dropLast(4)
        guard canonical.starts(with: kind), let (system, _) = TargetIdentity.split(canonical),
            let user = TargetIdentity.userText(of: canonical)
        else { return nil }
        self.system = system
        // A name may have an @, and a host has none.
        guard let mark = user.lastIndex(of: "@") else {
            (name, hosts) = (user, [])
            return
        }
        name = String(user[..<mark])
        hosts = Set(user[user.index(after: mark)...].split(separator: ",").map { $0.lowercased() })
    }

    private static let kind = "mariadb"

    /// Whether one account is among those of both. Of what is known by its name alone it is taken for granted.
    package func hasOneInCommon(with other: NamesakeIdentity) -> Bool {
        guard system == other.system, name == other.name else { return false }
        return hosts.isEmpty || other.hosts.isEmpty || !hosts.isDisjoint(with: other.hosts)
    }
}
