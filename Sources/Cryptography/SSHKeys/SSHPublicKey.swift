/// A public key as SSH sends it (RFC 4253, 6.6): comparable, and printable as a line.
package struct SSHPublicKey: Sendable, Hashable {
    package let blob: [UInt8]
    /// The algorithm's name at the head of the blob.
    package let algorithm: String

    /// From a blob; nil if it does not begin with a name.
    package init?(blob: [UInt8]) {
        let name: String? = blob.withUnsafeBytes { bytes in
            var reader = SSHWireReader(bytes)
            return reader.name()
        }
        guard let name, !name.isEmpty else { return nil }
        self.blob = blob
        algorithm = name
    }

    /// From the two words of a line, `ssh-ed25519` and its base64; nil if they do not belong together.
    package init?(algorithm: some StringProtocol, base64: some StringProtocol) {
        guard let blob = Base64Text.decode(base64.utf8), let key = SSHPublicKey(blob: blob), key.algorithm == algorithm else {
            return nil
        }
        self = key
    }

    /// `ssh-ed25519 AAAA… comment`, without a line end.
    package func line(comment: String = "") -> String {
        // A comment is one line, whatever was asked for.
        let clean = String(String.UnicodeScalarView(comment.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
        return "\(algorithm) \(Base64Text.encode(blob))" + (clean.isEmpty ? "" : " " + clean)
    }

    /// SHA-256 in OpenSSH's form, `SHA256:…` without padding.
    package func fingerprint() throws(CryptographyFault) -> String {
        let digest = try SHA256.digest(blob)
        let text = Base64Text.encode(digest)
        return "SHA256:" + text.prefix { $0 != "=" }
    }
}
