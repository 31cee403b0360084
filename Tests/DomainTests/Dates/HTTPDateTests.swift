import Domain
import TestSupport
import Testing

@Suite("CivilDate")
struct CivilDateTests {
    @Test("every day from 1600 to 2400 comes back from its number, one after the other")
    func roundTrip() throws {
        let first = try #require(CivilDate(year: 1600, month: 1, day: 1)).daysSinceEpoch
        let last = try #require(CivilDate(year: 2400, month: 12, day: 31)).daysSinceEpoch
        #expect(last - first == 292_559)
        for day in first...last {
            let date = CivilDate(daysSinceEpoch: day)
            guard CivilDate(year: date.year, month: date.month, day: date.day)?.daysSinceEpoch == day else {
                Issue.record("day \(day) became \(date)")
                return
            }
        }
    }

    @Test("known days have their weekday")
    func weekdays() throws {
        #expect(CivilDate(daysSinceEpoch: 0).weekday == 4)
        #expect(try #require(CivilDate(year: 2026, month: 11, day: 20)).weekday == 5)
        #expect(try #require(CivilDate(year: 1600, month: 1, day: 1)).weekday == 6)
    }

    @Test("extreme moments do not trap")
    func extremes() {
        for moment in [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max), Timestamp(milliseconds: -1)] {
            #expect(!HTTPDate.format(moment).isEmpty)
            #expect(!WireDate.format(moment, offsetMinutes: 840).isEmpty)
        }
    }
}

@Suite("HTTPDate")
struct HTTPDateTests {
    @Test(
        "all forms of one moment are read as that moment",
        arguments: [
            "Fri, 20 Nov 2026 21:24:38 GMT", "Fri, 20 Nov 2026 21:24:38 UTC", "Fri, 20 Nov 2026 21:24:38 UT",
            "Fri, 20 Nov 2026 21:24:38 +0000", "Fri, 20 Nov 2026 21:24:38 -0000", "Fri, 20 Nov 2026 21:24:38 Z",
            "Sat, 21 Nov 2026 05:24:38 +0800", "Fri, 20 Nov 2026 15:54:38 -0530", "20 Nov 2026 21:24:38 GMT",
            "fri, 20 nov 2026 21:24:38 gmt", "Friday, 20-Nov-26 21:24:38 GMT", "Fri Nov 20 21:24:38 2026",
            "Fri, 20 Nov 2026 16:24:38 EST", "Fri, 20 Nov 2026 17:24:38 EDT", "Fri, 20 Nov 2026 15:24:38 cst",
            "Fri, 20 Nov 2026 16:24:38 CDT", "Fri, 20 Nov 2026 14:24:38 MST", "Fri, 20 Nov 2026 15:24:38 MDT",
            "Fri, 20 Nov 2026 13:24:38 PST", "Fri, 20 Nov 2026 14:24:38 PDT",
            "Fri,  20 Nov 2026 21:24:38 GMT", "Sat, 21 Nov 2026 05:24:38 +08:00",
        ])
    func same(text: String) {
        #expect(HTTPDate.parse(text) == Timestamp(seconds: 1_795_209_878))
    }

    @Test("an unpadded or padded day is the same")
    func days() {
        let moment = HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(moment == Timestamp(seconds: 784_111_777))
        #expect(HTTPDate.parse("Sun, 6 Nov 1994 08:49:37 GMT") == moment)
        #expect(HTTPDate.parse("Sun Nov  6 08:49:37 1994") == moment)
        #expect(HTTPDate.parse("Sunday, 06-Nov-94 08:49:37 GMT") == moment)
        #expect(HTTPDate.parse("Thu, 29 Feb 2024 00:00:00 GMT") == Timestamp(seconds: 1_709_164_800))
        #expect(HTTPDate.parse("Thu, 1 Jan 1970 00:00:00 GMT") == Timestamp(seconds: 0))
    }

    @Test(
        "absurd dates and other texts are nothing",
        arguments: [
            "", " ", "Fri", "Fri,", "Fri, 20", "Fri, 20 Nov 2026 21:24:38", "Fri, 20 Nov 2026 21:24:38 ",
            "Fri, 20 Nov 2026 21:24:38 GMT ", "Fri, 20 Nov 2026 21:24:38 EST5", "Fri, 20 Nov 2026 21:24:38 A",
            "Fri, 20 Nov 2026 21:24:38 CET",
            "Fri, 20 Nov 2026 21:24:38 +1500",
            "Fri, 20 Nov 2026 21:24:38 +0860", "Fri, 20 Nov 2026 21:24:38 +080", "Fri, 20 Nov 2026 24:00:00 GMT",
            "Fri, 20 Nov 2026 21:60:38 GMT", "Sat, 31 Dec 2016 23:59:60 GMT", "Fri, 30 Feb 2026 21:24:38 GMT",
            "Sun, 29 Feb 2026 00:00:00 GMT", "Fri, 0 Nov 2026 21:24:38 GMT", "Fri, 32 Nov 2026 21:24:38 GMT",
            "Fri, 120 Nov 2026 21:24:38 GMT", "Fri, 20 Nov 0000 21:24:38 GMT", "Fri, 20 Nov 9999 21:24:38 GMT",
            "Fri, 20 Nov 1969 21:24:38 GMT", "Fri, 20 Nov -2026 21:24:38 GMT", "Fri, 20 Nov 20260 21:24:38 GMT",
            "Fri, 20 Nov 26 21:24:38 GMT", "Thu, 1 Jan 1970 00:00:00 +0800", "Foo, 20 Nov 2026 21:24:38 GMT",
            "Fri, 20 Foo 2026 21:24:38 GMT", "Fri, 20 Nov 2026 9:24:38 GMT", "Fri, 20 Nov 2026 21:24 GMT", "1795209878",
            "Fri, 99999999999999999999 Nov 2026 21:24:38 GMT", "2026-11-20T21:24:38Z", "Fri, 20 Nov 2026 21:24:38 GMT\0",
            "Fri, 20-Nov-26 21:24:38 \u{e9}", "Fri, 20 Nov 2026 21:24:38 --0800", "Fri, 20 Nov 2026 +1:24:38 GMT",
        ])
    func absurd(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }

    @Test("what is written is read back")
    func written() {
        #expect(HTTPDate.format(Timestamp(seconds: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        var random = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let moment = Timestamp(seconds: Int64.random(in: 0..<250_000_000_000, using: &random))
            #expect(HTTPDate.parse(HTTPDate.format(moment)) == moment)
            let offset = Int.random(in: -840...840, using: &random)
            #expect(WireDate.parse(WireDate.format(moment, offsetMinutes: offset)) == moment)
        }
    }

    @Test("arbitrary bytes never trap")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 3,
            samples: ["Fri, 20 Nov 2026 21:24:38 GMT", "Sunday, 06-Nov-94 08:49:37 +0830", "Sun Nov  6 08:49:37 1994"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(20_000) {
            let moment = fuzzer.next().withUnsafeBytes { HTTPDate.parse($0) }
            if let moment {
                read += 1
                #expect((0..<253_370_764_800).contains(moment.seconds))
            }
        }
        #expect(read > 10)
    }
}

@Suite("WireDate")
struct WireDateTests {
    @Test("it is written as JumpServer does, in the zone asked for")
    func write() {
        let moment = Timestamp(seconds: 1_795_209_878)
        #expect(WireDate.format(moment) == "2026/11/20 21:24:38 +0000")
        #expect(WireDate.format(moment, offsetMinutes: 480) == "2026/11/21 05:24:38 +0800")
        #expect(WireDate.format(moment, offsetMinutes: -330) == "2026/11/20 15:54:38 -0530")
    }

    @Test(
        "the known forms are read",
        arguments: [
            ("2026/11/20 21:24:38 +0000", 0), ("2026-11-21 05:24:38 +0800", 0), ("2026-11-20T21:24:38Z", 0),
            ("2026-11-20T21:24:38.250Z", 250), ("2026-11-20T21:24:38.123456+00:00", 123), ("2026-11-20 21:24:38", 0),
        ] as [(String, Int64)])
    func read(text: String, milliseconds: Int64) {
        #expect(WireDate.parse(text) == Timestamp(milliseconds: 1_795_209_878_000 + milliseconds))
    }

    @Test(
        "other texts are nothing",
        arguments: [
            "", "2026", "2026-11-20", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026/11-20 00:00:00 +0000",
            "2026-11-20T21:24:38.Z", "2026-11-20T21:24:38.1234567890Z", "2026-11-20T21:24:38 +9900", "2026-11-20T21:24:60Z",
            "0000/01/01 00:00:00 +0001", "9999/12/31 23:59:59 -0001",
        ])
    func refuse(text: String) {
        #expect(WireDate.parse(text) == nil)
    }

    @Test("whatever is read is written and read again as the same moment, in either form")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 31,
            samples: [
                "2026/11/20 21:24:38 +0000", "2026-11-20T21:24:38.123456-14:00", "9999-12-31 23:59:59 +1400",
                "0000/01/01 00:00:00 -0001",
            ])
        var read = 0
        for _ in 0..<Fuzzer.rounds(20_000) {
            let text = String(decoding: fuzzer.next(), as: UTF8.self)
            guard let moment = WireDate.parse(text) else { continue }
            read += 1
            let second = Timestamp(seconds: moment.seconds)
            #expect((0..<1000).contains(moment.milliseconds - second.milliseconds), "\(text)")
            #expect(WireDate.parse(WireDate.formatISO(moment)) == second, "\(text)")
            #expect(WireDate.parse(WireDate.format(moment)) == second, "\(text)")
        }
        #expect(read > 100)
    }
}
