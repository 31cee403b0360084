/// The dates in JSON bodies: written `2026/11/20 21:24:38 +0000` (JumpServer's form), read in that form and in ISO 8601.
package enum WireDate {
    package static func write(_ moment: Timestamp, offsetMinutes: Int = 0, to text: inout [UInt8]) {
        let time = CivilTime(moment, offsetMinutes: offsetMinutes)
        appendDigits(time.date.year, width: 4, to: &text)
        text.append(UInt8(ascii: "/"))
        appendDigits(time.date.month, width: 2, to: &text)
        text.append(UInt8(ascii: "/"))
        appendDigits(time.date.day, width: 2, to: &text)
        text.append(0x20)
        time.appendClock(to: &text)
        text.append(0x20)
        text.append(time.offsetMinutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        appendDigits(abs(time.offsetMinutes) / 60, width: 2, to: &text)
        appendDigits(abs(time.offsetMinutes) % 60, width: 2, to: &text)
    }

    package static func format(_ moment: Timestamp, offsetMinutes: Int = 0) -> String {
        var text: [UInt8] = []
        write(moment, offsetMinutes: offsetMinutes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// `2026-11-20T21:24:38Z` (RFC 3339), as everybody but JumpServer's clients expects it.
    package static func formatISO(_ moment: Timestamp) -> String {
        let time = CivilTime(moment)
        var text: [UInt8] = []
        appendDigits(time.date.year, width: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(time.date.month, width: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(time.date.day, width: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        time.appendClock(to: &text)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads `YYYY/MM/DD HH:MM:SS +ZZZZ`, the same with hyphens, and `YYYY-MM-DDTHH:MM:SS[.fff](Z|±hh:mm)`; no zone means UTC.
    ///
    /// A fraction is kept to the millisecond. Nil for anything else, and for a moment whose year in UTC has not four digits: it is written in UTC.
    package static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    private static func parse(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        guard text.count <= 64 else { return nil }
        var cursor = DateCursor(text)
        guard let year = cursor.number(4...4), let separator = cursor.next,
            separator == UInt8(ascii: "/") || separator == UInt8(ascii: "-"), cursor.skip(separator),
            let month = cursor.number(2...2), cursor.skip(separator), let day = cursor.number(2...2),
            cursor.skip(0x20) || cursor.skip(UInt8(ascii: "T")), let clock = cursor.clock(),
            let milliseconds = fraction(&cursor), let zone = zone(&cursor), cursor.isAtEnd,
            let date = CivilDate(year: Int64(year), month: month, day: day),
            let time = CivilTime(date: date, hour: clock.hour, minute: clock.minute, second: clock.second, offsetMinutes: zone)
        else { return nil }
        let moment = time.timestamp
        guard (0...9999).contains(CivilTime(moment).date.year) else { return nil }
        return Timestamp(milliseconds: moment.milliseconds + milliseconds)
    }

    private static func fraction(_ cursor: inout DateCursor) -> Int64? {
        guard cursor.skip(UInt8(ascii: ".")) else { return 0 }
        let start = cursor.position
        guard var value = cursor.number(1...9) else { return nil }
        for _ in 0..<(9 - (cursor.position - start)) { value *= 10 }
        return Int64(value / 1_000_000)
    }

    private static func zone(_ cursor: inout DateCursor) -> Int? {
        cursor.skipSpaces()
        if cursor.isAtEnd || cursor.skip(UInt8(ascii: "Z")) { return 0 }
        return cursor.numericZone()
    }
}
