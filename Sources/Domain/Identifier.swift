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

    /// Reads the text form from ASCII bytes. Not generic, since it runs at every secret fetch.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        let hyphenated = text.count == 36
        guard hyphenated || text.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for position in 0..<text.count {
            let byte = text[position]
            if hyphenated, position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.digit(byte) else { return nil }
            if digits < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: words.0, low: words.1)
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
        var position = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                buffer[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = digit < 16 ? high : low
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
            buffer[position] = nibble < 10 ? 48 + nibble : 87 + nibble
            position += 1
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 48...57: UInt64(byte - 48)
        case 65...70: UInt64(byte - 55)
        case 97...102: UInt64(byte - 87)
        default: nil
        }
    }
}

package typealias OrganizationID = Identifier<Organization>
package typealias NodeID = Identifier<Node>
package typealias AssetID = Identifier<Asset>
package typealias AccountID = Identifier<Account>
package typealias LabelID = Identifier<Label>
package typealias ApplicationID = Identifier<Application>
package typealias CredentialID = Identifier<Credential>
package typealias UserID = Identifier<User>
package typealias RequestID = Identifier<Request>

/// One request from outside; it has an id only.
package enum Request {}
