/// A moment as a calendar and a clock in some zone show it, to the second.
package struct CivilTime: Hashable, Sendable {
    package let date: CivilDate
    package let hour: Int
    package let minute: Int
    package let second: Int
    /// East of UTC.
    package let offsetMinutes: Int

    /// Nil if the clock has no such time; a leap second is not known here. Zones reach from -14:00 to +14:00.
    package init?(date: CivilDate, hour: Int, minute: Int, second: Int, offsetMinutes: Int = 0) {
        guard (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
            (-14 * 60...14 * 60).contains(offsetMinutes)
        else { return nil }
        self.date = date
        self.hour = hour
        self.minute = minute
        self.second = second
        self.offsetMinutes = offsetMinutes
    }

    package init(_ moment: Timestamp, offsetMinutes: Int = 0) {
        let offset = min(max(offsetMinutes, -14 * 60), 14 * 60)
        let local = moment.seconds + Int64(offset) * 60
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let rest = Int(local - day * 86_400)
        date = CivilDate(daysSinceEpoch: day)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
        self.offsetMinutes = offset
    }

    package var timestamp: Timestamp {
        Timestamp(
            seconds: date.daysSinceEpoch * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - Int64(offsetMinutes) * 60)
    }
}

// MARK: - Digits

/// Appends `value` with at least `width` digits; for the parts of dates, which are never negative.
func appendDigits(_ value: some BinaryInteger, width: Int, to text: inout [UInt8]) {
    var rest = Int(clamping: value).magnitude
    let start = text.count
    repeat {
        text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
    } while rest > 0 || text.count - start < width
    text[start...].reverse()
}
