import Domain
import TestSupport
import Testing

@Suite("Crontabs on the clocks of a zone")
struct CrontabZoneTests {
    @Test(
        "a time that a zone skips is due at the end of the gap, one that comes twice the first time",
        arguments: [
            // 02:00 to 03:00 is skipped on 29 March 2026, and comes twice on 25 October.
            ("Europe/Berlin", "30 2 * * *", "2026/03/28 12:00:00", "2026/03/29 01:00:00"),
            ("Europe/Berlin", "30 2 * * *", "2026/03/29 01:00:00", "2026/03/30 00:30:00"),
            ("Europe/Berlin", "30 2 * * *", "2026/10/24 12:00:00", "2026/10/25 00:30:00"),
            ("Europe/Berlin", "30 2 * * *", "2026/10/25 00:30:00", "2026/10/26 01:30:00"),
            ("Europe/Berlin", "*/20 * * * *", "2026/03/29 00:40:00", "2026/03/29 01:00:00"),
            ("Europe/Berlin", "*/20 * * * *", "2026/03/29 01:00:00", "2026/03/29 01:20:00"),
            // The hour that comes twice has its runs once: from 02:40 summer time to 03:00 standard time.
            ("Europe/Berlin", "*/20 * * * *", "2026/10/25 00:40:00", "2026/10/25 02:00:00"),
            ("America/New_York", "0 2 * * *", "2026/03/08 06:00:00", "2026/03/08 07:00:00"),
            ("America/New_York", "0 1 * * *", "2026/11/01 04:00:00", "2026/11/01 05:00:00"),
            ("America/New_York", "0 1 * * *", "2026/11/01 05:00:00", "2026/11/02 06:00:00"),
            // Half an hour: 02:00 becomes 02:30 on 4 October 2026.
            ("Australia/Lord_Howe", "15 2 * * *", "2026/10/03 12:00:00", "2026/10/03 15:30:00"),
            ("Australia/Lord_Howe", "45 1 * * *", "2026/04/04 12:00:00", "2026/04/04 14:45:00"),
            // The whole of 30 December 2011 is missing.
            ("Pacific/Apia", "0 12 30 12 *", "2011/12/29 00:00:00", "2011/12/30 10:00:00"),
            // Midnight itself is skipped there.
            ("America/Santiago", "0 0 * * *", "2026/09/05 12:00:00", "2026/09/06 04:00:00"),
            ("Asia/Kathmandu", "0 3 * * *", "2026/01/01 00:00:00", "2026/01/01 21:15:00"),
        ])
    func table(zone: String, crontab: String, after: String, expected: String) throws {
        let next = try Crontab(crontab).next(after: CrontabTests.moment(after + " +0000"), in: ZoneSamples.rules(zone))
        #expect(next.map { WireDate.format($0) } == expected + " +0000")
    }

    /// Goes minute by minute through the clock on the wall and notes when it is due: what the rule means, without its cleverness.
    private static func minuteByMinute(
        _ isDue: (LocalTime) -> Bool, from start: Int64, minutes: Int64, _ rules: ZoneRules
    ) -> [Int64] {
        var due: [Int64] = []
        var latest = (start - 60) + rules.offset(at: start - 60)
        // What the clock showed lately: a time that comes again has had its run.
        var seen: Set<Int64> = []
        for back in 1...1500 {
            let moment = start - Int64(back) * 60
            seen.insert(moment + rules.offset(at: moment))
        }
        for step in 0..<minutes {
            let moment = start + step * 60
            let shown = moment + rules.offset(at: moment)
            var times: [Int64] = [shown]
            if shown > latest + 60 { times = Array(stride(from: latest + 60, through: shown, by: 60)) }
            let new = times.filter { seen.insert($0).inserted }
            if new.contains(where: { isDue(LocalTime($0)) }) { due.append(moment) }
            latest = max(latest, shown)
        }
        return due
    }

    struct LocalTime {
        let time: CivilTime
        init(_ seconds: Int64) { time = CivilTime(Timestamp(seconds: seconds)) }
    }

    private static func numbers(_ random: inout SeededGenerator, _ range: ClosedRange<Int>) -> (text: String, set: Set<Int>) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return ("*", Set(range))
        case 1:
            let step = Int.random(in: 1...20, using: &random)
            return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
        case 2:
            let low = Int.random(in: range, using: &random)
            let high = Int.random(in: low...range.upperBound, using: &random)
            return ("\(low)-\(high)", Set(low...high))
        default:
            let list = (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: range, using: &random) }
            return (list.map(String.init).joined(separator: ","), Set(list))
        }
    }

    @Test("the next runs are those that going minute by minute finds", arguments: ZoneSamples.names)
    func fuzzAgainstMinutes(zone: String) throws {
        let rules = try ZoneSamples.rules(zone)
        var random = SeededGenerator(seed: zone.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) })
        for _ in 0..<Fuzzer.rounds(6) {
            let (minutes, hours) = (Self.numbers(&random, 0...59), Self.numbers(&random, 0...23))
            let (days, weekdays) = (Self.numbers(&random, 1...31), Self.numbers(&random, 0...6))
            let crontab = try Crontab("\(minutes.text) \(hours.text) \(days.text) * \(weekdays.text)")
            let needsBoth = days.text.hasPrefix("*") || weekdays.text.hasPrefix("*")
            let isDue = { (local: LocalTime) in
                let (day, weekday) = (days.set.contains(local.time.date.day), weekdays.set.contains(local.time.date.weekday))
                return minutes.set.contains(local.time.minute) && hours.set.contains(local.time.hour)
                    && (needsBoth ? day && weekday : day || weekday)
            }
            // Half of the windows lie around a change of the clocks, the others anywhere.
            var start = Int64.random(in: 15_000_000...35_000_000, using: &random) * 60
            if Bool.random(using: &random), let change = Self.change(after: start, rules) { start = change - 86_400 }
            let expected = Self.minuteByMinute(isDue, from: start, minutes: 2 * 1440, rules)
            var found: [Int64] = []
            var moment = Timestamp(seconds: start - 1)
            while let next = crontab.next(after: moment, in: rules), next.seconds < start + 2 * 86_400 {
                #expect(next > moment)
                found.append(next.seconds)
                moment = next
            }
            let isSame = found == expected
            #expect(isSame, "\(crontab.text) in \(zone) from \(start)")
        }
    }

    /// The first change of the offset within a year, found by looking.
    private static func change(after start: Int64, _ rules: ZoneRules) -> Int64? {
        let offset = rules.offset(at: start)
        guard let hour = (1...(366 * 24)).first(where: { rules.offset(at: start + Int64($0) * 3600) != offset }) else {
            return nil
        }
        return start + Int64(hour) * 3600
    }
}
