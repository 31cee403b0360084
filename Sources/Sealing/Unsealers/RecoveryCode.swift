package import Cryptography

/// The offline slot: a code on paper that opens the vault when every machine is lost.
///
/// 32 characters of Crockford's base 32 (no I, L, O, U) in 8 groups of 4: 160 random bits, so HKDF suffices where a password would need a slow
/// function. Reading is lenient: case, spaces and hyphens do not matter, I and L read as 1, O as 0.
package struct RecoveryCodeUnsealer: Unsealer {
    package static let kind = "recovery-code"
    package static let characterCount = 32
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private let code: SecretBytesHolder

    /// From what a person typed; nil if it is not a code at all.
    package init?(typed: borrowing Secret) {
        guard let normalized = Self.normalize(typed) else { return nil }
        code = SecretBytesHolder(normalized)
    }

    package func wrappingKey(parameters: [UInt8]) throws -> SymmetricKey {
        try code.secret.withBytes { bytes in
            try HKDF.derive(from: bytes, salt: parameters, info: Array("keyturn/recovery-code/v1".utf8))
        }
    }

    /// Whether both were made from the same code.
    package func isSame(as other: RecoveryCodeUnsealer) -> Bool { code.secret.isEqual(to: other.code.secret) }

    /// A fresh code in its printed form, `XXXX-XXXX-…`.
    package static func generate() throws -> Secret {
        let characters = try SecureRandom.characters(count: characterCount, from: alphabet)
        return characters.withBytes { bytes in
            Secret(capacity: characterCount + characterCount / 4 - 1) { buffer in
                var position = 0
                for (index, byte) in bytes.enumerated() {
                    if index > 0, index % 4 == 0 {
                        buffer[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    buffer[position] = byte
                    position += 1
                }
                return position
            }
        }
    }

    static func normalize(_ typed: borrowing Secret) -> Secret? {
        guard typed.count <= 256 else { return nil }
        var isGood = true
        let normalized = typed.withBytes { bytes in
            Secret(capacity: characterCount) { buffer in
                var count = 0
                for byte in bytes {
                    let upper = (97...122).contains(byte) ? byte - 32 : byte
                    switch upper {
                    case UInt8(ascii: "-"), UInt8(ascii: " "), 9, 10, 13: continue
                    default: break
                    }
                    let read: UInt8 =
                        switch upper {
                        case UInt8(ascii: "O"): UInt8(ascii: "0")
                        case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
                        default: upper
                        }
                    guard alphabet.contains(read), count < characterCount else {
                        isGood = false
                        break
                    }
                    buffer[count] = read
                    count += 1
                }
                return count
            }
        }
        guard isGood, normalized.count == characterCount else { return nil }
        return normalized
    }
}

/// A secret that a copyable value refers to.
final class SecretBytesHolder: Sendable {
    let secret: Secret
    init(_ secret: consuming Secret) { self.secret = secret }
}
