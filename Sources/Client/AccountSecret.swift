package import Cryptography
package import JSON

/// The secret of an account, with what the server says of it.
///
/// It cannot be copied, printed or encoded, and its bytes are wiped when it goes out of scope. Hand it on by borrowing.
public struct AccountSecret: ~Copyable, Sendable {
    /// The account's id, by which it can be fetched whatever its names become.
    public let accountID: String
    /// The name to log in with on the asset.
    public let username: String
    /// The name of the asset.
    public let asset: String
    /// `password`, `ssh_key`, `access_key`, `token` or `api_key`; later servers may know more.
    public let secretType: String
    /// Grows with each change of the secret.
    public let version: Int
    /// When the secret last changed, as the server writes it; nil if it never did.
    public let dateChanged: String?
    package let secret: Secret

    /// How many bytes the secret has.
    public var byteCount: Int { secret.count }

    /// Lends the secret's bytes for the length of the closure.
    ///
    /// They are UTF-8 text for all present secret types. They are not terminated by a zero, and must not be kept: copies that
    /// the closure makes are the caller's to wipe.
    public borrowing func reveal<Output, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try secret.withBytes(body)
    }

    /// The SHA-256 digest of the secret's bytes, to tell two secrets apart without showing them.
    ///
    /// It betrays a secret that can be guessed: show no more than a few bytes of it.
    public borrowing func digest() -> [UInt8] {
        secret.withBytes { bytes in (try? SHA256.digest(bytes)) ?? [] }
    }

    /// From the body of a 200 answer.
    init(_ body: UnsafeRawBufferPointer) throws(ClientError) {
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONDocument(body).root
        } catch {
            throw ClientError(.unexpectedAnswer, "the answer is not JSON: \(error)", status: 200)
        }
        guard let text = value["secret"], text.isNull || text.kind == .string else {
            throw ClientError(.unexpectedAnswer, "the answer holds no secret", status: 200)
        }
        guard !text.isNull else {
            throw ClientError(.noSecret, "the account has no secret, or the server shows none", status: 200)
        }
        // All that can fail comes first: a noncopyable value is made whole or not at all.
        let held = try Secret(unescaping: text)
        // Servers of the older kind answer with the secret alone, hence the fall-backs.
        accountID = value["account_id"]?.string ?? ""
        username = value["username"]?.string ?? ""
        asset = value["asset"]?.string ?? ""
        secretType = value["secret_type"]?.string ?? "password"
        version = Int(value["version"]?.int ?? 0)
        dateChanged = value["date_changed"]?.string
        secret = held
    }
}

extension Secret {
    /// The bytes of a JSON string, without a `String` in between.
    package init(unescaping value: JSONValue) throws(ClientError) {
        guard let count = value.unescapedCount else {
            throw ClientError(.unexpectedAnswer, "the secret in the answer is not text")
        }
        self.init(capacity: count) { value.unescape(into: $0) ?? 0 }
    }
}
