package import Domain

/// Where a sealed value belongs: the encryption binds it, so the value opens there and nowhere else.
///
/// Made of stable constants and ids, never of SQL names, so that a renamed column does not lose what it holds.
package struct Place: Sendable {
    /// What the value is for, so that two uses of one key can never be confused.
    package enum Purpose: String, Sendable {
        case accountSecret = "account-secret"
        case accountFingerprint = "account-fingerprint"
        case credentialSecret = "credential-secret"
        case userPassword = "user-password"
        case auditSigningKey = "audit-signing-key"
        case setting = "setting"
        case taskSecret = "task-secret"
    }

    package let purpose: Purpose
    package let organization: OrganizationID
    package let record: [UInt8]
    /// The version of the record's value; 0 where a record has only one.
    package let version: Int64

    package init(_ purpose: Purpose, organization: OrganizationID, record: [UInt8], version: Int64 = 0) {
        self.purpose = purpose
        self.organization = organization
        self.record = record
        self.version = version
    }

    package static func accountSecret(_ account: AccountID, version: Int64, in organization: OrganizationID) -> Place {
        Place(.accountSecret, organization: organization, record: account.bytes, version: version)
    }

    package static func accountFingerprint(_ account: AccountID, version: Int64, in organization: OrganizationID) -> Place {
        Place(.accountFingerprint, organization: organization, record: account.bytes, version: version)
    }

    package static func credentialSecret(_ credential: CredentialID, in organization: OrganizationID) -> Place {
        Place(.credentialSecret, organization: organization, record: credential.bytes)
    }

    package static func userPassword(_ user: UserID) -> Place {
        Place(.userPassword, organization: .system, record: user.bytes)
    }

    package static func taskSecret(_ task: AutomationTaskID, in organization: OrganizationID) -> Place {
        Place(.taskSecret, organization: organization, record: task.bytes)
    }

    /// Length-prefixed associated data: the form's own name, purpose, organization, record kind, record, field, version.
    func associatedData(keyNumber: UInt32) -> [UInt8] {
        var data = CanonicalBytes(reservingCapacity: 128)
        data.append("keyturn/sealed/v1")
        data.append(purpose.rawValue)
        data.append(organization)
        data.append(purpose.recordKind)
        data.append(record)
        data.append(purpose.field)
        data.append(version)
        data.append(Int64(keyNumber))
        return data.bytes
    }
}

extension Place.Purpose {
    var recordKind: StaticString {
        switch self {
        case .accountSecret, .accountFingerprint: "account"
        case .credentialSecret: "credential"
        case .userPassword: "user"
        case .auditSigningKey: "audit"
        case .setting: "setting"
        case .taskSecret: "task"
        }
    }

    var field: StaticString {
        switch self {
        case .accountSecret, .credentialSecret, .taskSecret: "secret"
        case .accountFingerprint: "fingerprint"
        case .userPassword: "password"
        case .auditSigningKey: "signing-key"
        case .setting: "value"
        }
    }
}
