/// A person who administers the vault.
package struct User: Sendable, Hashable {
    package let id: UserID
    package var username: String
    package var name: String
    package var role: Role
    package var isActive: Bool
    /// The password's verifier with its parameters, sealed.
    package var password: Sealed
    package var dateCreated: Timestamp
    package var datePasswordUpdated: Timestamp

    package init(
        id: UserID, username: String, name: String, role: Role, isActive: Bool = true, password: Sealed,
        dateCreated: Timestamp, datePasswordUpdated: Timestamp
    ) {
        self.id = id
        self.username = username
        self.name = name
        self.role = role
        self.isActive = isActive
        self.password = password
        self.dateCreated = dateCreated
        self.datePasswordUpdated = datePasswordUpdated
    }

    /// The fields that decide who gets in and as what, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(username)
        canonical.append(role.rawValue)
        canonical.append(isActive)
        canonical.append(password.bytes)
    }
}

/// A login of a user: valid until it expires or is ended.
package struct Session: Sendable, Hashable {
    /// Keyed digest of the bearer token; the token itself is not stored.
    package let tokenDigest: [UInt8]
    package let user: UserID
    package var dateCreated: Timestamp
    package var dateExpires: Timestamp
    /// Until when the user counts as freshly confirmed, for reveals.
    package var confirmedUntil: Timestamp?

    package init(tokenDigest: [UInt8], user: UserID, dateCreated: Timestamp, dateExpires: Timestamp, confirmedUntil: Timestamp?) {
        self.tokenDigest = tokenDigest
        self.user = user
        self.dateCreated = dateCreated
        self.dateExpires = dateExpires
        self.confirmedUntil = confirmedUntil
    }

    /// The fields that decide how long the login lasts and what it may do, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(tokenDigest)
        canonical.append(user)
        canonical.append(dateExpires)
        canonical.append(confirmedUntil)
    }
}

/// What a user is; each role is a fixed set of permissions until identity gets its own administration.
package enum Role: String, Sendable, CaseIterable {
    case administrator
    case auditor

    package var permissions: Set<Permission> {
        switch self {
        case .administrator: Set(Permission.allCases)
        case .auditor:
            [
                .viewAudit, .viewOrganization, .viewAsset, .viewAccount, .viewApplication, .viewLabel, .viewNode, .viewPlatform,
                .viewZone, .viewAutomation, .viewExecution, .viewRecord, .ownSession,
            ]
        }
    }
}
