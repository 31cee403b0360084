package import Cryptography

/// What PostgreSQL stores of a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5802, RFC 7677; base64).
package struct ScramVerifier: Sendable, Hashable {
    package let iterations: Int
    package let salt: [UInt8]
    package let storedKey: [UInt8]
    package let serverKey: [UInt8]

    /// More would let a stored value keep us computing: PostgreSQL's own default is 4,096.
    package static let mostIterations = 1_000_000

    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { return nil }
        let setting = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        let keys = parts[2].split(separator: ":", omittingEmptySubsequences: false)
        guard setting.count == 2, keys.count == 2, let iterations = Int(setting[0]),
            (1...Self.mostIterations).contains(iterations),
            let salt = Base64.decode(setting[1]), !salt.isEmpty, salt.count <= 1024,
            let storedKey = Base64.decode(keys[0]), storedKey.count == SHA256.byteCount,
            let serverKey = Base64.decode(keys[1]), serverKey.count == SHA256.byteCount
        else { return nil }
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Whether it was made from this password; nil if that cannot be told: a password beyond ASCII may have been normalized
    /// (SASLprep, RFC 4013) before it was hashed.
    package func matches(_ password: borrowing Secret) throws(CryptographyFault) -> Bool? {
        guard !password.isEmpty else { return false }
        let salted = try PBKDF2.sha256(password, salt: salt, iterations: iterations, count: SHA256.byteCount)
        var clientKey = try HMACSHA256.authenticate(Array("Client Key".utf8), key: salted)
        defer { ConstantTime.wipe(&clientKey) }
        let stored = try SHA256.digest(clientKey)
        let server = try HMACSHA256.authenticate(Array("Server Key".utf8), key: salted)
        if ConstantTime.areEqual(stored, storedKey) && ConstantTime.areEqual(server, serverKey) { return true }
        return password.withBytes { $0.allSatisfy { $0 < 0x80 } } ? false : nil
    }
}

/// Base64 with padding (RFC 4648), strictly.
enum Base64 {
    static func decode(_ text: Substring) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in characters.dropLast(padding) {
            guard let value = value(character) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        // What is left over must be the bits that padding stands for, and zero.
        return bits == 0 && count == padding * 2 ? bytes : nil
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
