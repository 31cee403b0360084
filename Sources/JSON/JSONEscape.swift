/// The escaping of strings (RFC 8259, section 7): quote, backslash and control characters; all else as it is.
package enum JSONEscape {
    /// How many bytes `text` takes between its quotes once escaped.
    package static func count(_ text: UnsafeRawBufferPointer) -> Int {
        var count = text.count
        for byte in text where needsEscape(byte) { count += short(byte) == nil ? 5 : 1 }
        return count
    }

    /// Appends `text`, which must be UTF-8, escaped but without quotes: runs that need no escape go in one piece.
    @inlinable
    package static func write(_ text: UnsafeRawBufferPointer, to sink: inout some JSONSink) {
        var start = 0
        for index in 0..<text.count where needsEscape(text[index]) {
            if index > start { sink.append(UnsafeRawBufferPointer(rebasing: text[start..<index])) }
            escape(text[index], to: &sink)
            start = index + 1
        }
        if start < text.count { sink.append(UnsafeRawBufferPointer(rebasing: text[start...])) }
    }

    @inlinable
    static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// The letter of the two-character escape, where one exists.
    @usableFromInline
    static func short(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }

    @usableFromInline
    static func escape(_ byte: UInt8, to sink: inout some JSONSink) {
        sink.append(UInt8(ascii: "\\"))
        if let letter = short(byte) { return sink.append(letter) }
        sink.append(UInt8(ascii: "u"))
        sink.append(UInt8(ascii: "0"))
        sink.append(UInt8(ascii: "0"))
        sink.append(hexDigit(byte >> 4))
        sink.append(hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : UInt8(ascii: "a") + value - 10
    }
}
