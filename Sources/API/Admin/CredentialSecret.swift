internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON

/// The shared secret of a credential: made here, shown in the one answer that makes it, sealed ever after.
enum CredentialSecret {
    /// JumpServer's form: 36 letters and digits.
    static func make() throws -> Secret {
        try SecureRandom.characters(count: 36, from: SecureRandom.alphanumerics)
    }

    /// The object that `fields` writes, with the secret at its end.
    static func reply(
        _ secret: borrowing Secret, _ fields: (inout JSONWriter<SensitiveBuffer>) -> Void
    ) throws(Refusal) -> Reply {
        var writer = JSONWriter(into: SensitiveBuffer(capacity: 2048))
        writer.beginObject()
        fields(&writer)
        writer.key("secret")
        secret.withBytes { writer.string(utf8: $0) }
        writer.endObject()
        guard writer.sink.isComplete else { throw .unavailable("out of memory") }
        return .sensitive(status: 201, writer.sink)
    }
}
