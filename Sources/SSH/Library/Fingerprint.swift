/// Host key fingerprints as OpenSSH writes them: `SHA256:` and the digest in base64 without padding.
enum Fingerprint {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(of digest: UnsafeRawBufferPointer) -> String {
        var text = Array("SHA256:".utf8)
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for byte in digest {
            group = group << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(group >> bits & 63)])
            }
            group &= 63
        }
        if bits > 0 { text.append(alphabet[Int(group << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
