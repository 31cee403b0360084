package import Cryptography
package import JSON
package import Outbound

/// Calls the Admin API in the name of a user who has logged in. JSON in, JSON out.
package final class AdminClient: Sendable {
    package let session: Session
    /// The organization of the calls: the session's, unless another was asked for.
    package let organization: String?
    private let http: HTTPClient

    package init(_ session: Session, organization: String? = nil) {
        self.session = session
        self.organization = organization ?? session.organization
        http = Self.transport(session.certificateAuthority)
    }

    /// Trades name and password for a token.
    package static func logIn(
        endpoint: Endpoint, certificateAuthority: String?, organization: String?, username: String, password: borrowing Secret
    ) async throws(ClientError) -> Session {
        var writer = JSONWriter(into: WipedBuffer())
        writer.beginObject()
        writer.field("username", username)
        writer.key("password")
        password.withBytes { writer.string(utf8: $0) }
        writer.endObject()
        let request = HTTPRequest(
            .post, endpoint.origin + endpoint.target("/api/v1/authentication/auth/"), headers: jsonHeaders,
            body: writer.sink.take())
        let value = try await value(of: request, transport(certificateAuthority))
        guard let token = value?["token"], token.unescapedCount.map({ $0 > 0 }) == true else {
            throw ClientError(.unexpectedAnswer, "the server gave no token")
        }
        return Session(
            endpoint: endpoint, certificateAuthority: certificateAuthority, organization: organization, username: username,
            dateExpired: value?["date_expired"]?.string ?? "", token: try Secret(unescaping: token))
    }

    /// One call; nil where the answer has no body.
    package func call(
        _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = [], body: WipedBytes? = nil
    ) async throws(ClientError) -> JSONValue? {
        var request = HTTPRequest(
            method, session.endpoint.origin + session.endpoint.target(path, query: query), headers: Self.jsonHeaders, body: body)
        request.authorization = session.authorization
        if let organization { request.headers.append(.init("X-JMS-ORG", organization)) }
        return try await Self.value(of: request, http)
    }

    /// Gives the password again, after which calls that ended in `confirmationRequired` are granted for a while.
    package func confirm(password: borrowing Secret) async throws(ClientError) {
        var writer = JSONWriter(into: WipedBuffer())
        writer.beginObject()
        writer.field("confirm_type", "password")
        writer.key("secret_key")
        password.withBytes { writer.string(utf8: $0) }
        writer.endObject()
        _ = try await call(.post, "/api/v1/authentication/confirm/", body: writer.sink.take())
    }

    /// Ends the log-in at the server, for every place that holds its token.
    package func logOut() async throws(ClientError) {
        try await delete("/api/v1/authentication/auth/")
    }

    private static let jsonHeaders: [HTTPRequest.Header] = [
        .init("Accept", "application/json"), .init("Content-Type", "application/json"),
    ]

    private static func transport(_ certificateAuthority: String?) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = certificateAuthority
        return HTTPClient(configuration)
    }

    private static func value(of request: HTTPRequest, _ http: HTTPClient) async throws(ClientError) -> JSONValue? {
        let response: HTTPResponse
        do throws(OutboundFault) {
            response = try await http.send(request)
        } catch {
            throw ClientError(error)
        }
        guard (200..<300).contains(response.status) else { throw ClientError(response) }
        guard !response.body.isEmpty else { return nil }
        do throws(JSONFault) {
            return try response.body.withBytes { (bytes) throws(JSONFault) in
                try JSONDocument(bytes, limits: JSONLimits(bytes: 8 << 20)).root
            }
        } catch {
            throw ClientError(.unexpectedAnswer, "the answer is not JSON: \(error)", status: response.status)
        }
    }
}

extension AdminClient {
    package func get(_ path: String) async throws(ClientError) -> JSONValue {
        try Self.required(await call(.get, path))
    }

    /// `body` writes the members of the JSON object that is sent.
    package func post(_ path: String, _ body: (inout JSONWriter<WipedBuffer>) -> Void) async throws(ClientError) -> JSONValue {
        try Self.required(await call(.post, path, body: Self.object(body)))
    }

    package func patch(_ path: String, _ body: (inout JSONWriter<WipedBuffer>) -> Void) async throws(ClientError) -> JSONValue {
        try Self.required(await call(.patch, path, body: Self.object(body)))
    }

    package func put(_ path: String, _ body: (inout JSONWriter<WipedBuffer>) -> Void) async throws(ClientError) -> JSONValue {
        try Self.required(await call(.put, path, body: Self.object(body)))
    }

    package func delete(_ path: String) async throws(ClientError) {
        _ = try await call(.delete, path)
    }

    private static func object(_ members: (inout JSONWriter<WipedBuffer>) -> Void) -> WipedBytes {
        var writer = JSONWriter(into: WipedBuffer())
        writer.object(members)
        return writer.sink.take()
    }

    private static func required(_ value: JSONValue?) throws(ClientError) -> JSONValue {
        guard let value else { throw ClientError(.unexpectedAnswer, "the server answered with nothing") }
        return value
    }
}
