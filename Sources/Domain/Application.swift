/// A program that may fetch account secrets, within its address policy and account filter.
package struct Application: Sendable, Hashable {
    package let id: ApplicationID
    package let organization: OrganizationID
    package var name: String
    /// The account filter as validated JSON text (`AccountFilter`).
    package var accounts: String
    /// Address policy entries (`AddressPolicy`); empty denies every address.
    package var ipGroup: [String]
    package var isActive: Bool
    /// Fetches allowed a minute; nil for the server's default.
    package var rateLimit: Int64?
    package var comment: String
    package var createdBy: String
    package var updatedBy: String
    package var dateCreated: Timestamp
    package var dateUpdated: Timestamp

    package init(
        id: ApplicationID, organization: OrganizationID, name: String, accounts: String, ipGroup: [String],
        isActive: Bool = true, rateLimit: Int64? = nil, comment: String = "", createdBy: String = "", updatedBy: String = "",
        dateCreated: Timestamp, dateUpdated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.accounts = accounts
        self.ipGroup = ipGroup
        self.isActive = isActive
        self.rateLimit = rateLimit
        self.comment = comment
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.dateCreated = dateCreated
        self.dateUpdated = dateUpdated
    }

    /// The fields that decide what the application may fetch and from where, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(accounts)
        canonical.append(ipGroup)
        canonical.append(isActive)
        canonical.append(rateLimit)
    }
}

/// One key of an application; several may live at once, so that a key can be replaced without an outage.
package struct Credential: Sendable, Hashable {
    /// The `keyId` of signatures; the first credential's equals its application's id.
    package let id: CredentialID
    package let application: ApplicationID
    package let organization: OrganizationID
    package var name: String
    /// The shared secret of the signature, sealed (HMAC needs it back).
    package var secret: Sealed
    /// Address policy entries that must match besides the application's; `["*"]` adds nothing.
    package var ipGroup: [String]
    /// Accepts each signature once only, even from the same address.
    package var isStrict: Bool
    package var isActive: Bool
    package var dateExpires: Timestamp?
    package var createdBy: String
    package var dateCreated: Timestamp

    package init(
        id: CredentialID, application: ApplicationID, organization: OrganizationID, name: String, secret: Sealed,
        ipGroup: [String] = ["*"], isStrict: Bool = false, isActive: Bool = true, dateExpires: Timestamp? = nil,
        createdBy: String = "", dateCreated: Timestamp
    ) {
        self.id = id
        self.application = application
        self.organization = organization
        self.name = name
        self.secret = secret
        self.ipGroup = ipGroup
        self.isStrict = isStrict
        self.isActive = isActive
        self.dateExpires = dateExpires
        self.createdBy = createdBy
        self.dateCreated = dateCreated
    }

    /// The fields that decide whether and from where the key works, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(application)
        canonical.append(name)
        canonical.append(secret.bytes)
        canonical.append(ipGroup)
        canonical.append(isStrict)
        canonical.append(isActive)
        canonical.append(dateExpires)
    }
}
