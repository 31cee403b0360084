/// The dates of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT` and its relatives (RFC 9110, section 5.6.7; RFC 1123; RFC 850; asctime).
///
/// Clients write the RFC 1123 form in any zone (`GMT`, `UTC`, `EST`, `+0800`) and with or without a zero before the day: all are read.
package enum HTTPDate {
    /// The moment that `text` names, in whole seconds; nil for anything else, and for days and times that do not exist.
    ///
    /// Years from 1970 to 9998. The name of the weekday is read but not compared with the date.
    package static func parse(_ text: UnsafeRawBufferPointer) -> Timestamp? {
        guard text.count <= 64 else { return nil }
        var cursor = DateCursor(text)
        if let byte = cursor.next, (0x30...0x39).contains(byte) { return rfc1123(&cursor) }
        guard let word = cursor.word(), isWeekday(word, cursor) else { return nil }
        guard cursor.skip(UInt8(ascii: ",")) else { return asctime(&cursor) }
        cursor.skipSpaces()
        return rfc1123(&cursor)
    }

    package static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }

    /// `6 Nov 1994 08:49:37 GMT`, or with hyphens and two digits for the year (RFC 850).
    private static func rfc1123(_ cursor: inout DateCursor) -> Timestamp? {
        guard let day = cursor.number(1...2) else { return nil }
        let isOld = cursor.next == UInt8(ascii: "-")
        let separator = isOld ? UInt8(ascii: "-") : 0x20
        guard cursor.skip(separator) else { return nil }
        guard let month = month(&cursor), cursor.skip(separator), let digits = cursor.number(isOld ? 2...2 : 4...4),
            cursor.skip(0x20), let clock = cursor.clock(), cursor.skip(0x20), let zone = zone(&cursor), cursor.isAtEnd
        else { return nil }
        let year = isOld ? digits + (digits < 70 ? 2000 : 1900) : digits
        return moment(year, month, day, clock, zone)
    }

    /// ` Nov  6 08:49:37 1994`, after the weekday; always UTC.
    private static func asctime(_ cursor: inout DateCursor) -> Timestamp? {
        guard cursor.skip(0x20), let month = month(&cursor), cursor.skip(0x20) else { return nil }
        cursor.skipSpaces()
        guard let day = cursor.number(1...2), cursor.skip(0x20), let clock = cursor.clock(), cursor.skip(0x20),
            let year = cursor.number(4...4), cursor.isAtEnd
        else { return nil }
        return moment(year, month, day, clock, 0)
    }

    private static func moment(
        _ year: Int, _ month: Int, _ day: Int, _ clock: (hour: Int, minute: Int, second: Int), _ zone: Int
    ) -> Timestamp? {
        guard (1970...9998).contains(year), let date = CivilDate(year: Int64(year), month: month, day: day),
            let time = CivilTime(
                date: date, hour: clock.hour, minute: clock.minute, second: clock.second, offsetMinutes: zone)
        else { return nil }
        let moment = time.timestamp
        return moment.milliseconds >= 0 ? moment : nil
    }

    // MARK: - Names

    private static let weekdays: [StaticString] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    private static let shortWeekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func isWeekday(_ word: Range<Int>, _ cursor: DateCursor) -> Bool {
        (word.count == 3 ? shortWeekdays : weekdays).contains { cursor.spells(word, $0) }
    }

    private static func month(_ cursor: inout DateCursor) -> Int? {
        guard let word = cursor.word(), let index = months.firstIndex(where: { cursor.spells(word, $0) }) else { return nil }
        return index + 1
    }

    private static func zone(_ cursor: inout DateCursor) -> Int? {
        guard let word = cursor.word() else { return cursor.numericZone() }
        return zones.first { cursor.spells(word, $0.name) }.map { $0.hours * 60 }
    }

    /// The names of RFC 822, section 5.1, which RFC 1123 keeps, and `UTC`. The military letters but `Z` mean nothing since RFC 1123, 5.2.14.
    private static let zones: [(name: StaticString, hours: Int)] = [
        ("GMT", 0), ("UTC", 0), ("UT", 0), ("Z", 0), ("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6),
        ("PST", -8), ("PDT", -7),
    ]
}

// MARK: - Writing

extension HTTPDate {
    /// Appends the preferred form, in UTC, for the `Date` header.
    package static func write(_ moment: Timestamp, to text: inout [UInt8]) {
        let time = CivilTime(moment)
        append(shortWeekdays[time.date.weekday], to: &text)
        text.append(contentsOf: [UInt8(ascii: ","), 0x20])
        appendDigits(time.date.day, width: 2, to: &text)
        text.append(0x20)
        append(months[time.date.month - 1], to: &text)
        text.append(0x20)
        appendDigits(time.date.year, width: 4, to: &text)
        text.append(0x20)
        time.appendClock(to: &text)
        append(" GMT", to: &text)
    }

    package static func format(_ moment: Timestamp) -> String {
        var text: [UInt8] = []
        write(moment, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ word: StaticString, to text: inout [UInt8]) {
        text.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}

extension CivilTime {
    /// `hh:mm:ss`
    func appendClock(to text: inout [UInt8]) {
        appendDigits(hour, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(minute, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(second, width: 2, to: &text)
    }
}
