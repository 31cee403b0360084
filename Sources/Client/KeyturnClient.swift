internal import Outbound

/// Fetches secrets of accounts for an application.
///
///     let client = KeyturnClient(try .environment())
///     let secret = try await client.fetch(asset: "db-1", account: "app")
///     try secret.reveal { bytes in try connect(user: "app", password: bytes) }
///
/// Connections are kept open from call to call; make one client and share it. Nothing is cached: each fetch is decided and
/// audited by the server.
public final class KeyturnClient: Sendable {
    private let credentials: Credentials
    private let signer: RequestSigner
    private let http: HTTPClient

    private static let path = "/api/v1/accounts/integration-applications/account-secret/"

    /// A client for these credentials; `deadline` is how long one fetch may take as a whole.
    public init(_ credentials: Credentials, deadline: Duration = .seconds(10)) {
        self.credentials = credentials
        signer = RequestSigner(keyID: credentials.keyID, key: credentials.key, organization: credentials.organization)
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = credentials.certificateAuthority
        configuration.deadline = deadline
        configuration.connectDeadline = deadline
        configuration.responseLimit = 1 << 20
        http = HTTPClient(configuration)
    }

    /// A client for a key whose secret half the caller has as bytes; the caller wipes those.
    public convenience init(
        endpoint: String, keyID: String, secret: some Collection<UInt8>, organization: String = Credentials.defaultOrganization,
        certificateAuthority: String? = nil
    ) throws(ClientError) {
        self.init(
            try Credentials(
                endpoint: endpoint, keyID: keyID, secret: secret, organization: organization,
                certificateAuthority: certificateAuthority))
    }

    /// The secret of the account of this name on the asset of this name.
    ///
    /// Throws `notFound` if there is none that the application may see, and `ambiguous` if there are several.
    public func fetch(asset: String, account: String) async throws(ClientError) -> AccountSecret {
        try await fetch([("asset", asset), ("account", account)])
    }

    /// The secret of the account of this name on the asset with this id.
    public func fetch(assetID: String, account: String) async throws(ClientError) -> AccountSecret {
        try await fetch([("asset_id", assetID), ("account", account)])
    }

    /// The secret of the account with this id.
    public func fetch(accountID: String) async throws(ClientError) -> AccountSecret {
        try await fetch([("account_id", accountID)])
    }

    private func fetch(_ query: [(name: String, value: String)]) async throws(ClientError) -> AccountSecret {
        let target = credentials.server.target(Self.path, query: query)
        let headers = try signer.headers(target: target, date: RequestSigner.now())
        let response: HTTPResponse
        do throws(OutboundFault) {
            response = try await http.send(HTTPRequest(.get, credentials.server.origin + target, headers: headers))
        } catch {
            throw ClientError(error)
        }
        guard response.status == 200 else { throw ClientError(response) }
        return try response.body.withBytes { (bytes) throws(ClientError) in try AccountSecret(bytes) }
    }
}
