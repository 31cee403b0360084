/// How far the clocks of a time zone are ahead of UTC, at which moment: the zone's history and the rule that goes on after it.
package struct ZoneRules: Sendable, Hashable {
    /// From a moment on, in seconds since 1970, this offset, in seconds east of UTC.
    struct Change: Sendable, Hashable {
        let moment: Int64
        let offset: Int64
    }

    /// Before the first change.
    let first: Int64
    /// In order of their moments.
    let changes: [Change]
    /// After the last change; nil where the last offset stays for good.
    let rule: YearlyRule?

    init(first: Int64, changes: [Change], rule: YearlyRule?) {
        self.first = first
        self.changes = changes
        self.rule = rule
    }

    /// Coordinated Universal Time.
    package static let utc = ZoneRules(first: 0, changes: [], rule: nil)

    /// Seconds east of UTC at a moment in seconds since 1970.
    package func offset(at moment: Int64) -> Int64 {
        if let rule, moment >= (changes.last?.moment ?? .min) { return rule.offset(at: moment) }
        let place = index(after: moment)
        return place == 0 ? first : changes[place - 1].offset
    }

    /// The first change of the offset after a moment; nil if there is none any more.
    func nextChange(after moment: Int64) -> Int64? {
        let place = index(after: moment)
        if place < changes.count { return changes[place].moment }
        return rule?.nextChange(after: moment)
    }

    /// The moment at which clocks show a local time, given in seconds as if it were UTC: the first one where there are two, the end of the
    /// gap where there is none.
    func instant(ofLocal local: Int64) -> Int64 {
        // No offset reaches farther than 26 hours (RFC 9636, section 3.2).
        var start = local - 30 * 3600
        for _ in 0..<16 {
            let end = nextChange(after: start) ?? .max
            let instant = local - offset(at: start)
            if instant < start { return start }
            if instant < end { return instant }
            start = end
        }
        return local - offset(at: start)
    }

    /// The place of the first change after a moment.
    private func index(after moment: Int64) -> Int {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].moment <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A zone that changes its clocks on the same days every year, or never.
struct YearlyRule: Sendable, Hashable {
    /// Seconds east of UTC.
    let standard: Int64
    let summer: Summer?

    struct Summer: Sendable, Hashable {
        let offset: Int64
        let start: Day
        let end: Day
    }

    /// A day of the year with the local time at which the clocks change.
    struct Day: Sendable, Hashable {
        enum Form: Sendable, Hashable {
            /// The day 1 to 365, never the leap day.
            case julian(Int)
            /// The day 0 to 365, leap days counted.
            case ordinal(Int)
            /// Month, week 1 to 5 (5 is the last), weekday from 0 for Sunday.
            case weekday(month: Int, week: Int, day: Int)
        }

        let form: Form
        /// After the day's midnight, possibly negative or beyond the day.
        let seconds: Int64
    }

    func offset(at moment: Int64) -> Int64 {
        guard let summer else { return standard }
        return changes(around: moment, summer).last { $0.moment <= moment }?.offset ?? standard
    }

    func nextChange(after moment: Int64) -> Int64? {
        guard let summer else { return nil }
        return changes(around: moment, summer).first { $0.moment > moment }?.moment
    }

    /// The changes of the year before, of the year itself and of the year after, in order.
    private func changes(around moment: Int64, _ summer: Summer) -> [ZoneRules.Change] {
        let local = LocalMinute(seconds: moment + standard)
        var all: [ZoneRules.Change] = []
        for year in (local.date.year - 1)...(local.date.year + 1) {
            guard let new = CivilDate(year: min(max(year, 0), 9999), month: 1, day: 1) else { continue }
            all.append(ZoneRules.Change(moment: summer.start.local(in: new) - standard, offset: summer.offset))
            all.append(ZoneRules.Change(moment: summer.end.local(in: new) - summer.offset, offset: standard))
        }
        return all.sorted { $0.moment < $1.moment }
    }
}

extension YearlyRule.Day {
    /// The local time of the change in the year that begins on the given day, in seconds as if it were UTC.
    func local(in new: CivilDate) -> Int64 {
        let first = new.daysSinceEpoch
        let day: Int64
        switch form {
        case .ordinal(let number): day = first + Int64(number)
        case .julian(let number):
            let isLeap = CivilDate(year: new.year, month: 2, day: 29) != nil
            day = first + Int64(number - 1) + (isLeap && number >= 60 ? 1 : 0)
        case .weekday(let month, let week, let weekday):
            guard let start = CivilDate(year: new.year, month: month, day: 1) else { return first * 86_400 }
            let earliest = start.daysSinceEpoch + Int64((weekday - start.weekday + 7) % 7)
            var found = earliest + Int64(week - 1) * 7
            while CivilDate(daysSinceEpoch: found).month != month { found -= 7 }
            day = found
        }
        return day * 86_400 + seconds
    }
}
