/// The UTF-8 bytes that a JSON string stands for, one by one, from its escaped form.
///
/// The input was accepted by the scan; should it be malformed all the same, the sequence ends early instead of trapping.
struct UnescapedBytes: Sequence, IteratorProtocol {
    private let text: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int
    /// Up to three further bytes of the character begun, lowest byte first.
    private var pending: UInt32 = 0
    private var pendingCount = 0

    init(_ text: UnsafeRawBufferPointer, from start: Int, to end: Int) {
        self.text = text
        self.position = start
        self.end = Swift.min(end, text.count)
    }

    mutating func next() -> UInt8? {
        if pendingCount > 0 {
            let byte = UInt8(truncatingIfNeeded: pending)
            pending >>= 8
            pendingCount -= 1
            return byte
        }
        guard position < end else { return nil }
        let byte = text[position]
        position += 1
        return byte == UInt8(ascii: "\\") ? escape() : byte
    }

    private mutating func escape() -> UInt8? {
        guard position < end else { return nil }
        let letter = text[position]
        position += 1
        switch letter {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "u"): return codePoint()
        default: return letter
        }
    }

    private mutating func codePoint() -> UInt8? {
        guard let first = hexUnit(at: position) else { return nil }
        position += 4
        var scalar = UInt32(first)
        if first & 0xFC00 == 0xD800, let second = hexUnit(at: position + 2) {
            position += 6
            scalar = 0x10000 + ((scalar & 0x3FF) << 10) + UInt32(second & 0x3FF)
        }
        return begin(scalar)
    }

    /// The first byte of the scalar's UTF-8 form; the rest is left pending.
    private mutating func begin(_ scalar: UInt32) -> UInt8 {
        func tail(_ shift: UInt32) -> UInt32 { 0x80 | ((scalar >> shift) & 0x3F) }
        switch scalar {
        case ..<0x80:
            return UInt8(truncatingIfNeeded: scalar)
        case ..<0x800:
            (pending, pendingCount) = (tail(0), 1)
            return UInt8(truncatingIfNeeded: 0xC0 | (scalar >> 6))
        case ..<0x10000:
            (pending, pendingCount) = (tail(6) | tail(0) << 8, 2)
            return UInt8(truncatingIfNeeded: 0xE0 | (scalar >> 12))
        default:
            (pending, pendingCount) = (tail(12) | tail(6) << 8 | tail(0) << 16, 3)
            return UInt8(truncatingIfNeeded: 0xF0 | (scalar >> 18))
        }
    }

    private func hexUnit(at offset: Int) -> UInt16? { Self.hexUnit(text, at: offset, before: end) }

    /// Four hexadecimal digits as a UTF-16 unit, or nil.
    static func hexUnit(_ text: UnsafeRawBufferPointer, at offset: Int, before end: Int) -> UInt16? {
        guard offset >= 0, end - offset >= 4, end <= text.count else { return nil }
        var unit: UInt16 = 0
        for index in offset..<(offset + 4) {
            guard let digit = hexDigit(text[index]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
