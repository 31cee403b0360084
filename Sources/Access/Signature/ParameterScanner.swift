/// Reads `Scheme name="value", name=token, …` (RFC 9110, section 11.2) from bytes, without allocation.
struct ParameterScanner {
    struct Parameter {
        let name: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer
        let isQuoted: Bool
        let isEscaped: Bool
    }

    private let text: UnsafeRawBufferPointer
    private var position = 0
    private var isFirst = true

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// True, and skipped, if the text begins with this scheme and a space.
    mutating func scheme(_ name: StaticString) -> Bool {
        skipSpace()
        guard let word = token(), word.equalsIgnoringCase(name), byte == 0x20 || byte == 0x09 else { return false }
        skipSpace()
        return true
    }

    /// The next parameter; nil at the end of the text.
    mutating func next() throws(SignatureFault) -> Parameter? {
        skipSpace()
        if !isFirst {
            guard let byte else { return nil }
            guard byte == UInt8(ascii: ",") else { throw .malformed }
            position += 1
            skipSpace()
        }
        isFirst = false
        guard let name = token() else { throw .malformed }
        skipSpace()
        guard byte == UInt8(ascii: "=") else { throw .malformed }
        position += 1
        skipSpace()
        if byte == UInt8(ascii: "\"") { return try quoted(name) }
        guard let value = token() else { throw .malformed }
        return Parameter(name: name, value: value, isQuoted: false, isEscaped: false)
    }

    private mutating func quoted(_ name: UnsafeRawBufferPointer) throws(SignatureFault) -> Parameter {
        position += 1
        let start = position
        var isEscaped = false
        skipPlain()
        while let byte, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 || byte == 0x09, byte != 0x7F else { throw .malformed }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                position += 1
            }
            position += 1
        }
        guard byte != nil else { throw .malformed }
        let value = UnsafeRawBufferPointer(rebasing: text[start..<position])
        position += 1
        return Parameter(name: name, value: value, isQuoted: true, isEscaped: isEscaped)
    }

    private mutating func token() -> UnsafeRawBufferPointer? {
        let start = position
        while let byte, Self.isTokenByte(byte) { position += 1 }
        return position > start ? UnsafeRawBufferPointer(rebasing: text[start..<position]) : nil
    }

    /// Skips bytes that mean nothing in a quoted value, eight at a time: the longest part of every fetch's head.
    private mutating func skipPlain() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        while position &+ 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            // A byte's top bit where it is below 0x20, or equal to the other: perhaps also behind such a byte, never too seldom.
            let below = (word &- ones &* 0x20) & ~word
            let quote = word ^ ones &* 0x22
            let backslash = word ^ ones &* 0x5C
            let delete = word ^ ones &* 0x7F
            let equal = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((delete &- ones) & ~delete)
            guard (below | equal) & (ones &* 0x80) == 0 else { return }
            position &+= 8
        }
    }

    private var byte: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// `tchar` of RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}

extension UnsafeRawBufferPointer {
    /// True if the bytes are `text` in ASCII, whatever the case of letters.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index].asciiLowercased != text.utf8Start[index].asciiLowercased { return false }
        return true
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
