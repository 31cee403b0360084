package import Cryptography
internal import JSON
internal import Outbound

/// A log-in of an administrator: at which server, as whom, until when, with the token that stands for it.
package final class Session: Sendable {
    package let endpoint: Endpoint
    /// A PEM file with the certificates to trust instead of the system's.
    package let certificateAuthority: String?
    /// The organization that calls are about; nil for the server's default.
    package let organization: String?
    package let username: String
    /// As the server writes it.
    package let dateExpired: String
    let token: Secret

    package init(
        endpoint: Endpoint, certificateAuthority: String?, organization: String?, username: String, dateExpired: String,
        token: consuming Secret
    ) {
        self.endpoint = endpoint
        self.certificateAuthority = certificateAuthority
        self.organization = organization
        self.username = username
        self.dateExpired = dateExpired
        self.token = token
    }

    /// The value of the `Authorization` header.
    var authorization: WipedBytes {
        let buffer = WipedBuffer(capacity: token.count + 16)
        Array("Bearer ".utf8).withUnsafeBytes { buffer.append($0) }
        token.withBytes { buffer.append($0) }
        return buffer.take()
    }
}

// MARK: - As a file

extension Session {
    /// Keeps the log-in for later runs, in a directory that only its user may enter.
    package func save(in directory: String) throws(ClientError) {
        try PrivateFile.makeDirectory(directory)
        var writer = JSONWriter(into: WipedBuffer())
        writer.beginObject()
        writer.field("endpoint", endpoint.text)
        writer.field("certificate_authority", certificateAuthority)
        writer.field("organization", organization)
        writer.field("username", username)
        writer.field("date_expired", dateExpired)
        writer.key("token")
        token.withBytes { writer.string(utf8: $0) }
        writer.endObject()
        try writer.sink.take().withBytes { (bytes) throws(ClientError) in
            try PrivateFile.write(bytes, to: Self.path(in: directory))
        }
    }

    /// The log-in that was saved; throws `unauthenticated` if there is none.
    package static func load(from directory: String) throws(ClientError) -> Session {
        let path = path(in: directory)
        guard PrivateFile.exists(path) else { throw ClientError(.unauthenticated, "not logged in; use: keyturn login URL") }
        let file = try PrivateFile.read(path)
        let value: JSONValue
        do throws(JSONFault) {
            value = try file.withBytes { (bytes) throws(JSONFault) in try JSONDocument(bytes).root }
        } catch {
            throw ClientError(.invalidConfiguration, "\(path) is damaged (\(error)); log in again")
        }
        guard let endpoint = value["endpoint"]?.string, let username = value["username"]?.string, let token = value["token"]
        else {
            throw ClientError(.invalidConfiguration, "\(path) is damaged; log in again")
        }
        return Session(
            endpoint: try Endpoint(endpoint), certificateAuthority: value["certificate_authority"]?.string,
            organization: value["organization"]?.string, username: username, dateExpired: value["date_expired"]?.string ?? "",
            token: try Secret(unescaping: token))
    }

    /// Forgets the saved log-in; true if there was one.
    package static func remove(from directory: String) throws(ClientError) -> Bool {
        try PrivateFile.remove(path(in: directory))
    }

    private static func path(in directory: String) -> String { directory + "/session.json" }
}

extension WipedBuffer: JSONSink {}
