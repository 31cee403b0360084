package import Cryptography
internal import JSON
internal import Outbound

extension Credentials {
    /// Writes a file that `file(_:)` reads, for a key that a server has just shown.
    package static func save(
        to path: String, endpoint: String, keyID: String, secret: borrowing Secret, organization: String?,
        certificateAuthority: String?
    ) throws(ClientError) {
        var writer = JSONWriter(into: WipedBuffer())
        writer.beginObject()
        writer.field("url", endpoint)
        writer.field("key_id", keyID)
        writer.key("key_secret")
        secret.withBytes { writer.string(utf8: $0) }
        if let certificateAuthority { writer.field("ca", certificateAuthority) }
        if let organization { writer.field("org", organization) }
        writer.endObject()
        try writer.sink.take().withBytes { (bytes) throws(ClientError) in try PrivateFile.write(bytes, to: path) }
    }
}
