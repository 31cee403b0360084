package import Audit
internal import Cryptography
package import Domain

/// What an application may fetch and from where, compiled for the hot path.
package final class ApplicationPolicy: Sendable {
    package let id: ApplicationID
    package let organization: OrganizationID
    package let name: String
    /// False while the application or its organization is switched off.
    package let isActive: Bool
    package let networks: AddressPolicy
    package let filter: CompiledAccountFilter
    /// Fetches allowed a minute; nil for the server's default.
    package let rateLimit: Int64?

    init(
        id: ApplicationID, organization: OrganizationID, name: String, isActive: Bool, networks: AddressPolicy,
        filter: CompiledAccountFilter, rateLimit: Int64?
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.isActive = isActive
        self.networks = networks
        self.filter = filter
        self.rateLimit = rateLimit
    }
}

/// One live key of an application, compiled, with the key of its signatures.
package final class CredentialPolicy: Sendable {
    package let id: CredentialID
    package let application: ApplicationPolicy
    package let networks: AddressPolicy
    package let isStrict: Bool
    package let isActive: Bool
    package let expires: Timestamp?
    /// The application under this key, as the entries of its fetches name it.
    package let signer: WrittenSigner
    private let key: HMACKey

    init(
        id: CredentialID, application: ApplicationPolicy, networks: AddressPolicy, isStrict: Bool, isActive: Bool,
        expires: Timestamp?,
        secret: consuming Secret
    ) throws(CryptographyFault) {
        self.id = id
        self.application = application
        self.networks = networks
        self.isStrict = isStrict
        self.isActive = isActive
        self.expires = expires
        key = try HMACKey(secret)
        signer = WrittenSigner(application.id, name: application.name, credential: id, organization: application.organization)
    }

    /// Computes the code of a signing string under this key, in 32 bytes.
    func authenticate(
        _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptographyFault) {
        try key.authenticate(message, into: output)
    }

    func hasExpired(at now: Timestamp) -> Bool {
        guard let expires else { return false }
        return now >= expires
    }
}
