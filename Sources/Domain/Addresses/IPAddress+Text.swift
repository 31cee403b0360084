// The text forms of addresses: RFC 4291 section 2.2 is read, RFC 5952 is written.

extension IPAddress {
    /// Reads an IPv4 or IPv6 address and nothing else: no port, no brackets, no zone id, no white space.
    ///
    /// IPv4 is four decimal numbers without leading zeros.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        guard (2...45).contains(text.count) else { return nil }
        if text.contains(UInt8(ascii: ":")) {
            guard let (high, low) = IPv6Text(text).parse() else { return nil }
            self.init(v6: high, low)
        } else {
            guard let bits = Self.ipv4(text[...]) else { return nil }
            self.init(v4: bits)
        }
    }

    package init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let address = text.withUTF8({ IPAddress(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = address
    }

    static func ipv4(_ text: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        var bits: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits == 0 || octet != 0 else { return nil }
                octet = octet * 10 + UInt32(byte - 0x30)
                digits += 1
                guard octet <= 255 else { return nil }
            case UInt8(ascii: "."):
                guard digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | octet
                (octet, digits) = (0, 0)
                dots += 1
            default: return nil
            }
        }
        return digits > 0 && dots == 3 ? bits << 8 | octet : nil
    }
}

/// Reads eight groups of hexadecimal digits, with at most one `::` and perhaps an IPv4 address at the end.
private struct IPv6Text {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    /// Groups read so far; `gap` of them stood before the `::`.
    private var count = 0
    private var gap: Int?

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    consuming func parse() -> (UInt64, UInt64)? {
        if text.starts(with: [0x3A, 0x3A]) {
            gap = 0
            position = 2
        }
        while position < text.count {
            if isIPv4Next {
                guard count <= 6, let bits = IPAddress.ipv4(text[position...]) else { return nil }
                append(UInt16(bits >> 16))
                append(UInt16(bits & 0xFFFF))
                position = text.count
                break
            }
            guard count < 8, let group = group() else { return nil }
            append(group)
            guard position < text.count else { break }
            guard separator() else { return nil }
        }
        return expanded()
    }

    private var isIPv4Next: Bool {
        for byte in text[position...] {
            if byte == UInt8(ascii: ".") { return true }
            if byte == UInt8(ascii: ":") { return false }
        }
        return false
    }

    private mutating func append(_ group: UInt16) {
        high = high << 16 | low >> 48
        low = low << 16 | UInt64(group)
        count += 1
    }

    private mutating func group() -> UInt16? {
        var value: UInt16 = 0
        let start = position
        while position < text.count, position - start < 5 {
            let digit: UInt8
            switch text[position] {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x61...0x66).contains(byte | 0x20): digit = (byte | 0x20) - 0x61 + 10
            default: return position > start ? value : nil
            }
            guard position - start < 4 else { return nil }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    /// One colon that a group follows, or the one `::`.
    private mutating func separator() -> Bool {
        guard text[position] == 0x3A else { return false }
        position += 1
        guard position < text.count else { return false }
        guard text[position] == 0x3A else { return true }
        guard gap == nil else { return false }
        gap = count
        position += 1
        return true
    }

    private func expanded() -> (UInt64, UInt64)? {
        guard let gap else { return count == 8 ? (high, low) : nil }
        guard count < 8 else { return nil }
        // The groups after the gap stay where they are; those before it move to the top.
        let after = (count - gap) * 16
        let whole = (UInt128(high) << 64) | UInt128(low)
        let tail = after == 0 ? 0 : whole & (UInt128.max >> UInt128(128 - after))
        let head = gap == 0 ? 0 : (whole >> UInt128(after)) << UInt128(128 - gap * 16)
        let bits = head | tail
        return (UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
    }
}

// MARK: - Writing

extension IPAddress: CustomStringConvertible {
    package var description: String {
        guard family == .v6 else {
            return [24, 16, 8, 0].map { String((low >> $0) & 0xFF) }.joined(separator: ".")
        }
        let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) } }
        let zeros = Self.longestZeros(groups)
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard zeros.count >= 2 else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    /// The longest run of zero groups, the first of several.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 } else if index + 1 - start > best.count { best = start..<(index + 1) }
        }
        return best
    }
}

extension IPAddress {
    /// The part of the address that one subscriber cannot change at will: all of IPv4, the first 64 bits of IPv6.
    package var subscriberPrefix: IPAddress {
        family == .v4 ? self : IPAddress(v6: high, 0)
    }
}
