/// The five fields of a crontab line: minute, hour, day of the month, month, day of the week (crontab(5)).
///
/// Where both days are restricted (neither begins with `*`) a day fits that fits either, as in every cron.
package struct Crontab: Sendable, Hashable {
    /// As it was written, blanks made one.
    package let text: String
    let minutes: FieldSet
    let hours: FieldSet
    let days: FieldSet
    let months: FieldSet
    /// 0 is Sunday.
    let weekdays: FieldSet
    /// Whether a day must fit only the one field that restricts it.
    let needsBothDays: Bool

    /// How many minutes of an hour it names.
    package var startsAnHour: Int { minutes.count }

    /// The first moment after the given one at which it is due, in whole minutes; nil only if that lies beyond the year 9999.
    ///
    /// A local time that a zone skips is due once, at the moment the clock jumps; one that comes twice is due the first time.
    package func next(after moment: Timestamp, in zone: ZoneRules) -> Timestamp? {
        let now = moment.seconds
        let local = LocalMinute(seconds: now + zone.offset(at: now))
        var candidate = local.next
        // Leap days come every eight years at the longest.
        for _ in 0..<4096 {
            guard let match = firstMatch(from: candidate) else { return nil }
            let instant = zone.instant(ofLocal: match.seconds)
            // In the hour that comes twice, local times come again that have had their run.
            if instant > now { return Timestamp(seconds: instant) }
            candidate = match.next
        }
        return nil
    }

    func matches(_ date: CivilDate) -> Bool {
        guard months.contains(date.month) else { return false }
        let day = days.contains(date.day)
        let weekday = weekdays.contains(date.weekday)
        return needsBothDays ? day && weekday : day || weekday
    }

    func matches(_ local: LocalMinute) -> Bool {
        minutes.contains(local.minute) && hours.contains(local.hour) && matches(local.date)
    }

    /// The first local minute that fits, from the given one on.
    private func firstMatch(from start: LocalMinute) -> LocalMinute? {
        var date = start.date
        var isFirst = true
        // 13 years hold a leap day even around a century without one.
        for _ in 0..<(13 * 366) {
            guard (0...9999).contains(date.year) else { return nil }
            if matches(date), let time = firstTime(from: isFirst ? start.hour * 60 + start.minute : 0) {
                return LocalMinute(date: date, hour: time / 60, minute: time % 60)
            }
            isFirst = false
            date = months.contains(date.month) ? date.next : date.firstOfNextMonth
        }
        return nil
    }

    /// The first minute of a day that fits, not before the given one.
    private func firstTime(from start: Int) -> Int? {
        var hour = start / 60
        var minute = start % 60
        while let fitting = hours.first(from: hour) {
            if fitting != hour { minute = 0 }
            if let found = minutes.first(from: minute) { return fitting * 60 + found }
            hour = fitting + 1
            minute = 0
        }
        return nil
    }
}

/// Small numbers as bits.
struct FieldSet: Sendable, Hashable {
    private var bits: UInt64 = 0

    var count: Int { bits.nonzeroBitCount }

    mutating func insert(_ number: Int) {
        if (0..<64).contains(number) { bits |= 1 << UInt64(number) }
    }

    func contains(_ number: Int) -> Bool {
        (0..<64).contains(number) && bits & (1 << UInt64(number)) != 0
    }

    /// The smallest member that is not below `start`.
    func first(from start: Int) -> Int? {
        guard (0..<64).contains(start) else { return nil }
        let rest = bits >> UInt64(start)
        return rest == 0 ? nil : start + rest.trailingZeroBitCount
    }
}

/// A minute that a clock on a wall shows, without saying in which zone.
struct LocalMinute: Hashable {
    let date: CivilDate
    let hour: Int
    let minute: Int

    init(date: CivilDate, hour: Int, minute: Int) {
        self.date = date
        self.hour = hour
        self.minute = minute
    }

    /// The minute in which the second lies that is so many seconds after 1970-01-01 00:00 of the same clock.
    init(seconds: Int64) {
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = Int(seconds - day * 86_400)
        date = CivilDate(daysSinceEpoch: day)
        hour = rest / 3_600
        minute = rest / 60 % 60
    }

    var seconds: Int64 { date.daysSinceEpoch * 86_400 + Int64(hour * 3_600 + minute * 60) }

    var next: LocalMinute { LocalMinute(seconds: seconds + 60) }
}

extension CivilDate {
    var next: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + 1) }

    var firstOfNextMonth: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + Int64(32 - day)).firstOfMonth }

    private var firstOfMonth: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch - Int64(day - 1)) }
}
