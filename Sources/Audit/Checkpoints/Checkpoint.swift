package import Cryptography
package import Domain

/// A signed statement of how far the chain reached at a time: what lets a cut or rewritten chain be noticed.
package struct Checkpoint: Sendable, Equatable {
    package let head: ChainHead
    /// How many entries stand in the chain up to its head.
    package let count: Int64
    package let time: Timestamp
    /// The generation of the vault's rows at that time, so that an older database is noticed; nil where it was not known.
    package let rows: Int64?
    package let keyID: SigningKeyID
    /// Ed25519 (RFC 8032) over `signedBytes`.
    package let signature: [UInt8]
}

/// Names a signing key by its public half, so that a name cannot be given to another key: 32 hexadecimal digits of its SHA-256.
package struct SigningKeyID: Sendable, Hashable {
    package let text: String

    package init(text: String) { self.text = text }

    package init(_ key: Ed25519.PublicKey) throws(CryptographyFault) {
        var bytes = CanonicalBytes()
        bytes.append("keyturn audit signing key v1")
        bytes.append(key.bytes)
        text = Hexadecimal.text(try SHA256.digest(bytes.bytes).prefix(16))
    }
}

extension Checkpoint {
    /// Signs that the chain has this head now.
    static func sign(
        _ head: ChainHead, at time: Timestamp, rows: Int64? = nil, key: Ed25519.SigningKey
    ) throws(CryptographyFault) -> Checkpoint {
        let id = try SigningKeyID(key.publicKey)
        let message = signedBytes(head, count: head.seq, time: time, rows: rows, keyID: id)
        return Checkpoint(
            head: head, count: head.seq, time: time, rows: rows, keyID: id, signature: try key.signature(for: message))
    }

    /// Whether `key` is the named one and signed just this.
    func isSigned(by key: Ed25519.PublicKey) -> Bool {
        guard let id = try? SigningKeyID(key), id == keyID else { return false }
        return key.isValid(signature: signature, for: Self.signedBytes(head, count: count, time: time, rows: rows, keyID: keyID))
    }

    /// The purpose first, so that a signature for anything else cannot be passed off as one of these; every part with its length.
    private static func signedBytes(
        _ head: ChainHead, count: Int64, time: Timestamp, rows: Int64?, keyID: SigningKeyID
    ) -> [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append(rows == nil ? "keyturn audit checkpoint v1" : "keyturn audit checkpoint v2")
        bytes.append(head.seq)
        bytes.append(count)
        bytes.append(head.hash)
        bytes.append(time.milliseconds)
        bytes.append(keyID.text)
        if let rows { bytes.append(rows) }
        return bytes.bytes
    }
}
