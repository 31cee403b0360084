/// A privileged account on an asset: what is known of it, without its secret.
package struct Account: Sendable, Hashable {
    package let id: AccountID
    package let organization: OrganizationID
    package let asset: AssetID
    package var name: String
    package var username: String
    package var secretType: SecretType
    package var privileged: Bool
    package var isActive: Bool
    /// Whether tasks may change the secret.
    package var secretReset: Bool
    /// The account to log in as first, on the same asset.
    package var suFrom: AccountID?
    package var stages: SecretStages
    /// Labels attached, sorted.
    package var labels: [LabelID]
    package var source: AccountSource
    package var connectivity: Connectivity
    package var comment: String
    package var createdBy: String
    package var updatedBy: String
    package var dateCreated: Timestamp
    package var dateUpdated: Timestamp
    package var dateChangeSecret: Timestamp?
    package var dateVerified: Timestamp?

    package init(
        id: AccountID, organization: OrganizationID, asset: AssetID, name: String, username: String,
        secretType: SecretType = .password, privileged: Bool = false, isActive: Bool = true, secretReset: Bool = true,
        suFrom: AccountID? = nil, stages: SecretStages = SecretStages(), labels: [LabelID] = [],
        source: AccountSource = AccountSource(kind: "local"), connectivity: Connectivity = .unknown, comment: String = "",
        createdBy: String = "", updatedBy: String = "", dateCreated: Timestamp, dateUpdated: Timestamp,
        dateChangeSecret: Timestamp? = nil, dateVerified: Timestamp? = nil
    ) {
        self.id = id
        self.organization = organization
        self.asset = asset
        self.name = name
        self.username = username
        self.secretType = secretType
        self.privileged = privileged
        self.isActive = isActive
        self.secretReset = secretReset
        self.suFrom = suFrom
        self.stages = stages
        self.labels = labels
        self.source = source
        self.connectivity = connectivity
        self.comment = comment
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.dateCreated = dateCreated
        self.dateUpdated = dateUpdated
        self.dateChangeSecret = dateChangeSecret
        self.dateVerified = dateVerified
    }
}

extension Account {
    /// The fields that decide who gets which secret, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(asset)
        canonical.append(name)
        canonical.append(username)
        canonical.append(secretType.rawValue)
        canonical.append(privileged)
        canonical.append(isActive)
        canonical.append(secretReset)
        canonical.append(suFrom)
        canonical.append(stages.current)
        canonical.append(stages.pending)
        canonical.append(stages.previous)
        canonical.append(stages.last)
        canonical.append(labels)
    }
}

/// Which numbered secret versions of an account stand for what; nil where there is none.
package struct SecretStages: Sendable, Hashable {
    /// The version that reads serve.
    package var current: Int64?
    /// A candidate that may already be live on the target.
    package var pending: Int64?
    /// The version that was current before.
    package var previous: Int64?
    /// The highest number ever given; numbers are never used twice.
    package var last: Int64

    package init(current: Int64? = nil, pending: Int64? = nil, previous: Int64? = nil, last: Int64 = 0) {
        self.current = current
        self.pending = pending
        self.previous = previous
        self.last = last
    }
}

/// One stored value of an account's secret.
package struct SecretVersion: Sendable, Hashable {
    package let account: AccountID
    package let organization: OrganizationID
    package let number: Int64
    package var secretType: SecretType
    package var secret: Sealed
    /// Keyed fingerprint of a password, sealed; nil for other secret types.
    package var fingerprint: Sealed?
    package var createdBy: String
    package var dateCreated: Timestamp

    package init(
        account: AccountID, organization: OrganizationID, number: Int64, secretType: SecretType, secret: Sealed,
        fingerprint: Sealed?, createdBy: String, dateCreated: Timestamp
    ) {
        self.account = account
        self.organization = organization
        self.number = number
        self.secretType = secretType
        self.secret = secret
        self.fingerprint = fingerprint
        self.createdBy = createdBy
        self.dateCreated = dateCreated
    }
}

/// What kind of secret an account has (JumpServer's values).
package enum SecretType: String, Sendable, CaseIterable {
    case password
    case sshKey = "ssh_key"
    case accessKey = "access_key"
    case token
    case apiKey = "api_key"

    package var label: String {
        switch self {
        case .password: "Password"
        case .sshKey: "SSH key"
        case .accessKey: "Access key"
        case .token: "Token"
        case .apiKey: "API key"
        }
    }
}

/// Where an account came from: `local`, `collected` or `template`, with the origin's id.
package struct AccountSource: Sendable, Hashable {
    package var kind: String
    package var id: String?

    package init(kind: String, id: String? = nil) {
        self.kind = kind
        self.id = id
    }
}

/// What the last look at an account or asset found.
package enum Connectivity: String, Sendable {
    case unknown = "-"
    case notApplicable = "na"
    case ok
    case error = "err"
    case authenticationError = "auth_err"
    case passwordError = "password_err"
}
