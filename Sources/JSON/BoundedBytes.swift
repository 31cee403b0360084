/// Writes text and JSON into memory that is there already, without a sink between: for what every fetch of a secret pays for.
///
/// Whoever makes it sees to the room: `escapedByteCount` times the longest texts, and the fixed parts.
package struct BoundedBytes: ~Copyable {
    /// The longest form of one byte of text: `\u00xx`.
    package static let escapedByteCount = 6

    private let memory: UnsafeMutableRawBufferPointer
    package private(set) var count = 0
    /// False once something did not fit; what was written is of no use then.
    package private(set) var isWhole = true

    package init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { copy(UnsafeRawBufferPointer($0)) }
    }

    /// Bytes as they are.
    package mutating func append(raw bytes: UnsafeRawBufferPointer) { copy(bytes) }

    package mutating func append(raw bytes: [UInt8]) { bytes.withUnsafeBytes { copy($0) } }

    /// In decimal.
    package mutating func append(_ number: Int64) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var rest = number.magnitude
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            copy(UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Text without quotes, escaped as JSON wants it (RFC 8259, 7).
    package mutating func append(escaping text: UnsafeRawBufferPointer) {
        var start = 0
        for index in 0..<text.count where Self.needsEscape(text[index]) {
            copy(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            escape(text[index])
            start = index + 1
        }
        copy(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): append("\\\\" as StaticString)
        case 10: append("\\n" as StaticString)
        case 13: append("\\r" as StaticString)
        case 9: append("\\t" as StaticString)
        default:
            append("\\u00" as StaticString)
            guard let place = take(2) else { return }
            place[0] = byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1")
            place[1] = byte & 15 < 10 ? 48 + (byte & 15) : 87 + (byte & 15)
        }
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0, let place = take(bytes.count) else { return }
        place.copyMemory(from: bytes)
    }

    /// The place of the next `size` bytes, which the caller fills; nil when they do not fit.
    package mutating func take(_ size: Int) -> UnsafeMutableRawBufferPointer? {
        guard size <= memory.count - count else {
            isWhole = false
            return nil
        }
        defer { count += size }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + size)])
    }
}
