package import Cryptography

/// What an application needs to call the server: where it is, whom to trust, and the key that the administrator gave it.
///
/// The key's secret half is held in memory that is wiped with the last copy of these credentials.
public struct Credentials: Sendable {
    /// The server, such as `https://vault.example:8443`.
    public let endpoint: String
    /// The public half of the key: the id of the application or of one of its credentials.
    public let keyID: String
    /// The organization whose accounts are meant, by id or name.
    public let organization: String
    /// A PEM file with the certificates to trust instead of the system's; nil for the system's.
    public let certificateAuthority: String?
    let server: Endpoint
    let key: SigningKey

    /// The organization that every server has.
    public static let defaultOrganization = "00000000-0000-0000-0000-000000000002"

    /// From a key whose secret half the caller has as bytes; the caller wipes those.
    ///
    /// Throws `invalidConfiguration` if one of them cannot be used.
    public init(
        endpoint: String, keyID: String, secret: some Collection<UInt8>, organization: String = Credentials.defaultOrganization,
        certificateAuthority: String? = nil
    ) throws(ClientError) {
        let held = Secret(capacity: secret.count) { buffer in
            buffer.copyBytes(from: secret)
            return secret.count
        }
        try self.init(
            endpoint: endpoint, keyID: keyID, secret: held, organization: organization, certificateAuthority: certificateAuthority
        )
    }

    package init(
        endpoint: String, keyID: String, secret: consuming Secret, organization: String, certificateAuthority: String?
    ) throws(ClientError) {
        // Both go between the quotes or into the lines that are signed.
        guard Self.isName(keyID) else {
            throw ClientError(.invalidConfiguration, "the key id has characters that it must not have")
        }
        guard Self.isName(organization) else {
            throw ClientError(.invalidConfiguration, "the organization has characters that it must not have")
        }
        self.server = try Endpoint(endpoint)
        self.key = try SigningKey(secret)
        self.endpoint = endpoint
        self.keyID = keyID
        self.organization = organization
        self.certificateAuthority = certificateAuthority
    }

    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
    }
}
