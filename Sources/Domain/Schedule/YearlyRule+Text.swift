extension YearlyRule {
    /// Reads the text form of POSIX with the longer times of RFC 9636: `CET-1CEST,M3.5.0,M10.5.0/3`. Nil for anything else.
    init?(_ text: [UInt8]) {
        var cursor = RuleCursor(text)
        guard text.count <= 128, cursor.skipName(), let west = cursor.time(hours: 0...24) else { return nil }
        standard = -west
        guard !cursor.isAtEnd else {
            summer = nil
            return
        }
        guard cursor.skipName() else { return nil }
        // An hour ahead of standard time unless said otherwise.
        var offset = standard + 3600
        if cursor.next != UInt8(ascii: ",") {
            guard let west = cursor.time(hours: 0...24) else { return nil }
            offset = -west
        }
        guard cursor.skip(UInt8(ascii: ",")), let start = cursor.day(), cursor.skip(UInt8(ascii: ",")), let end = cursor.day(),
            cursor.isAtEnd
        else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }
}

private struct RuleCursor {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position == text.count }
    var next: UInt8? { position < text.count ? text[position] : nil }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// Three letters or more, or letters, digits and signs between angle brackets.
    mutating func skipName() -> Bool {
        let isQuoted = skip(UInt8(ascii: "<"))
        let start = position
        while let byte = next, isLetter(byte) || isQuoted && (isDigit(byte) || byte == 0x2B || byte == 0x2D) { position += 1 }
        let isLongEnough = position - start >= 3
        return isLongEnough && (!isQuoted || skip(UInt8(ascii: ">")))
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(hours range: ClosedRange<Int>) -> Int64? {
        let isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { position += 1 }
        guard let hours = number(3), range.contains(hours) else { return nil }
        var seconds = hours * 3600
        for unit in [60, 1] {
            guard skip(UInt8(ascii: ":")) else { break }
            guard let part = number(2), part < 60 else { return nil }
            seconds += part * unit
        }
        return Int64(isNegative ? -seconds : seconds)
    }

    mutating func day() -> YearlyRule.Day? {
        let form: YearlyRule.Day.Form
        if skip(UInt8(ascii: "M")) {
            guard let month = number(2), (1...12).contains(month), skip(UInt8(ascii: ".")), let week = number(1),
                (1...5).contains(week), skip(UInt8(ascii: ".")), let day = number(1), (0...6).contains(day)
            else { return nil }
            form = .weekday(month: month, week: week, day: day)
        } else if skip(UInt8(ascii: "J")) {
            guard let day = number(3), (1...365).contains(day) else { return nil }
            form = .julian(day)
        } else {
            guard let day = number(3), (0...365).contains(day) else { return nil }
            form = .ordinal(day)
        }
        // At two o'clock unless said otherwise.
        guard skip(UInt8(ascii: "/")) else { return YearlyRule.Day(form: form, seconds: 7200) }
        return time(hours: 0...167).map { YearlyRule.Day(form: form, seconds: $0) }
    }

    /// One digit or more, at most so many.
    private mutating func number(_ width: Int) -> Int? {
        var value = 0
        var count = 0
        while count < width, let byte = next, isDigit(byte) {
            value = value * 10 + Int(byte - 0x30)
            position += 1
            count += 1
        }
        return count > 0 ? value : nil
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}
