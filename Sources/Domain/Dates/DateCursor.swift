/// Reads the parts of a date from ASCII bytes, from left to right, without allocation.
struct DateCursor {
    private let text: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { position == text.count }

    var next: UInt8? { position < text.count ? text[position] : nil }

    /// Skips one byte if it is this one.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpaces() {
        while next == 0x20 { position += 1 }
    }

    /// A run of digits of the given length, as a number.
    mutating func number(_ width: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            guard count < width.upperBound else { return nil }
            value = value * 10 + Int(byte - 0x30)
            position += 1
            count += 1
        }
        return width.contains(count) ? value : nil
    }

    /// A run of letters, as its range.
    mutating func word() -> Range<Int>? {
        let start = position
        while let byte = next, (0x61...0x7A).contains(byte | 0x20) { position += 1 }
        return position > start ? start..<position : nil
    }

    /// True if the range spells `name`, in whatever case.
    func spells(_ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount, range.upperBound <= text.count else { return false }
        for offset in 0..<range.count where text[range.lowerBound + offset] | 0x20 != name.utf8Start[offset] | 0x20 {
            return false
        }
        return true
    }

    /// `hh:mm:ss`.
    mutating func clock() -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = number(2...2), skip(UInt8(ascii: ":")), let minute = number(2...2), skip(UInt8(ascii: ":")),
            let second = number(2...2)
        else { return nil }
        return (hour, minute, second)
    }

    /// `+hhmm`, `-hhmm`, or either with a colon between, in minutes east of UTC.
    mutating func numericZone() -> Int? {
        let isWest = next == UInt8(ascii: "-")
        guard skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-")), let hours = number2() else { return nil }
        _ = skip(UInt8(ascii: ":"))
        guard let minutes = number2(), minutes < 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }

    /// Exactly two digits, whatever follows.
    private mutating func number2() -> Int? {
        guard position + 1 < text.count, (0x30...0x39).contains(text[position]), (0x30...0x39).contains(text[position + 1])
        else { return nil }
        defer { position += 2 }
        return Int(text[position] - 0x30) * 10 + Int(text[position + 1] - 0x30)
    }
}
