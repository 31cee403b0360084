/// The 32 bytes of a signature (HMAC-SHA256), decoded: base64 can write the same bytes in several ways, the bytes are what counts.
package struct SignatureMAC: Sendable {
    package static let byteCount = 32

    /// The bytes, eight to a word, first byte highest.
    let words: (UInt64, UInt64, UInt64, UInt64)

    /// Nil if there are not exactly 32 bytes.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// Reads 44 characters of the standard alphabet with one `=` at the end and no stray bits (RFC 4648, sections 3.5 and 4).
    package init?(base64 text: UnsafeRawBufferPointer) {
        guard text.count == 44, text[43] == UInt8(ascii: "=") else { return nil }
        let decoded: SignatureMAC? = withUnsafeTemporaryAllocation(byteCount: 33, alignment: 8) { bytes in
            var fault: UInt8 = 0
            for group in 0..<11 {
                var bits: UInt32 = 0
                for offset in 0..<4 {
                    // The padding stands for zeros.
                    let index = group * 4 + offset
                    let value = index == 43 ? 0 : Self.digits[Int(text[index])]
                    fault |= value
                    bits = bits << 6 | UInt32(value & 63)
                }
                bytes[group * 3] = UInt8(truncatingIfNeeded: bits >> 16)
                bytes[group * 3 + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                bytes[group * 3 + 2] = UInt8(truncatingIfNeeded: bits)
            }
            // Two bits of the last character lie beyond the 256 of the code.
            return fault < 64 && bytes[32] == 0 ? SignatureMAC(UnsafeRawBufferPointer(rebasing: bytes[..<32])) : nil
        }
        guard let decoded else { return nil }
        self = decoded
    }

    /// Compares in constant time.
    package func equals(_ other: SignatureMAC) -> Bool {
        let difference =
            (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3)
        return difference == 0
    }

    /// The value of each byte as a character of base64; 255 for one that is none. A table, as these are as good as random at every fetch.
    private static let digits: [UInt8] = (0...255).map { (byte: UInt8) in
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: 255
        }
    }
}
