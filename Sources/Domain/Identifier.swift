/// A 128-bit id of one kind of entity, written as a UUID (RFC 9562 text form).
///
/// Typed by the entity, so that an account's id cannot be passed where an asset's is meant. Ordered by its bytes.
package struct Identifier<Entity>: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A random id (version 4), from the operating system's generator.
    package static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return Self(high: high, low: low)
    }

    /// The same bits as an id of another entity, for the few places where one names the other (a first credential is named like its application).
    package func retyped<Other>(as _: Other.Type = Other.self) -> Identifier<Other> {
        Identifier<Other>(high: high, low: low)
    }

    package static func < (a: Self, b: Self) -> Bool {
        a.high == b.high ? a.low < b.low : a.high < b.high
    }
}

// MARK: - Bytes

extension Identifier {
    /// 16 bytes, most significant first.
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.storeBytes(of: high.bigEndian, as: UInt64.self)
            raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    /// Reads 16 bytes, most significant first; nil if there are not exactly 16.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    package init?(bytes: [UInt8]) {
        guard let id = bytes.withUnsafeBytes({ Self(bytes: $0) }) else { return nil }
        self = id
    }
}

// MARK: - Text

extension Identifier {
    /// Reads 36 characters with hyphens or 32 without, upper or lower case; nil for anything else.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let id = text.withUTF8({ Self(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }

    package init?(utf8 text: [UInt8]) {
        guard let id = text.withUnsafeBytes({ Self(utf8: $0) }) else { return nil }
        self = id
    }

    /// Reads the text form from ASCII bytes. Not generic and without a branch for each digit, since it runs at every secret fetch.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        var fault: UInt8 = 0
        switch text.count {
        case 36:
            guard text[8] & text[13] & text[18] & text[23] == UInt8(ascii: "-"),
                text[8] | text[13] | text[18] | text[23] == UInt8(ascii: "-")
            else { return nil }
            high =
                Self.word(text, 0..<8, &fault) << 32 | Self.word(text, 9..<13, &fault) << 16 | Self.word(text, 14..<18, &fault)
            low =
                Self.word(text, 19..<23, &fault) << 48 | Self.word(text, 24..<36, &fault)
        case 32:
            high = Self.word(text, 0..<16, &fault)
            low = Self.word(text, 16..<32, &fault)
        default: return nil
        }
        guard fault == 0 else { return nil }
    }

    /// Reads hexadecimal digits; sets bits of `fault` if one is none.
    private static func word(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ fault: inout UInt8) -> UInt64 {
        var word: UInt64 = 0
        for position in range {
            let byte = text[position]
            // Digits differ in the low four bits; of letters the case is bit 5, and `a` stands for ten.
            let digit = byte &- 48
            let letter = (byte | 0x20) &- 97
            let isDigit: UInt8 = digit < 10 ? 0xFF : 0
            let isLetter: UInt8 = letter < 6 ? 0xFF : 0
            fault |= ~(isDigit | isLetter)
            word = word << 4 | UInt64(digit & isDigit | (letter &+ 10) & isLetter)
        }
        return word
    }

    /// Lower case, with hyphens.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            write(to: UnsafeMutableRawBufferPointer(buffer))
            return 36
        }
    }

    /// Writes the 36 ASCII characters of the text form; the buffer must hold them.
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        guard buffer.count >= 36 else { return }
        let first = Self.digits(UInt32(truncatingIfNeeded: high >> 32))
        let second = Self.digits(UInt32(truncatingIfNeeded: high))
        let third = Self.digits(UInt32(truncatingIfNeeded: low >> 32))
        let fourth = Self.digits(UInt32(truncatingIfNeeded: low))
        let hyphen = UInt8(ascii: "-")
        (buffer[8], buffer[13], buffer[18], buffer[23]) = (hyphen, hyphen, hyphen, hyphen)
        buffer.storeBytes(of: first.bigEndian, as: UInt64.self)
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32).bigEndian, toByteOffset: 9, as: UInt32.self)
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: second).bigEndian, toByteOffset: 14, as: UInt32.self)
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32).bigEndian, toByteOffset: 19, as: UInt32.self)
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: third).bigEndian, toByteOffset: 24, as: UInt32.self)
        buffer.storeBytes(of: fourth.bigEndian, toByteOffset: 28, as: UInt64.self)
    }

    /// The eight lower-case digits of 32 bits, the first one in the highest byte: all at once, as every fetch writes several ids.
    private static func digits(_ bits: UInt32) -> UInt64 {
        // A nibble to a byte.
        var text = UInt64(bits)
        text = (text | text << 16) & 0x0000_FFFF_0000_FFFF
        text = (text | text << 8) & 0x00FF_00FF_00FF_00FF
        text = (text | text << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // One where the nibble is ten or more; `a` stands 39 behind the character after `9`.
        let letters = (text + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return text + 0x3030_3030_3030_3030 + letters * 39
    }
}

package typealias OrganizationID = Identifier<Organization>
package typealias NodeID = Identifier<Node>
package typealias AssetID = Identifier<Asset>
package typealias AccountID = Identifier<Account>
package typealias LabelID = Identifier<Label>
package typealias ZoneID = Identifier<Zone>
package typealias ApplicationID = Identifier<Application>
package typealias CredentialID = Identifier<Credential>
package typealias UserID = Identifier<User>
package typealias RequestID = Identifier<Request>

/// One request from outside; it has an id only.
package enum Request {}
