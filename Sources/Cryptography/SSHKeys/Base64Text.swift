/// Base64 (RFC 4648, section 4) into and out of memory that its owner wipes.
package enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of each character; 255 for what is none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// How many characters `count` bytes take, with padding.
    static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    static func encode(_ bytes: UnsafeRawBufferPointer, _ write: (UInt8) -> Void) {
        var position = 0
        while position < bytes.count {
            let part = (0..<3).map { position + $0 < bytes.count ? UInt32(bytes[position + $0]) : 0 }
            let group = part[0] << 16 | part[1] << 8 | part[2]
            let digits = min(bytes.count - position, 3) + 1
            for index in 0..<4 {
                let digit = Int(group >> (18 - 6 * UInt32(index)) & 63)
                write(index < digits ? alphabet[digit] : UInt8(ascii: "="))
            }
            position += 3
        }
    }

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        bytes.withUnsafeBytes { bytes in encode(bytes) { text.append($0) } }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes, skipping line ends; nil for anything else that is no base64, for wrong padding and for bits that nobody wrote.
    static func decode(_ text: UnsafeRawBufferPointer, into place: UnsafeMutableRawBufferPointer) -> Int? {
        var count = 0
        var group: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in text where character != 0x0A && character != 0x0D {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(character)]
            guard value < 64, padding == 0 else { return nil }
            group = group << 6 | UInt32(value)
            digits += 1
            guard digits == 4 else { continue }
            guard count + 3 <= place.count else { return nil }
            for shift in [16, 8, 0] as [UInt32] {
                place[count] = UInt8(truncatingIfNeeded: group >> shift)
                count += 1
            }
            (group, digits) = (0, 0)
        }
        guard padding == (4 - digits) % 4, digits != 1 else { return nil }
        guard digits > 0 else { return count }
        let spare = UInt32(digits == 2 ? 4 : 2)
        guard group & ((1 << spare) - 1) == 0, count + digits - 1 <= place.count else { return nil }
        group >>= spare
        for index in 0..<(digits - 1) {
            place[count] = UInt8(truncatingIfNeeded: group >> (8 * UInt32(digits - 2 - index)))
            count += 1
        }
        return count
    }

    package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let text = Array(text)
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + 3)
        let count = text.withUnsafeBytes { text in bytes.withUnsafeMutableBytes { decode(text, into: $0) } }
        return count.map { Array(bytes.prefix($0)) }
    }
}
