import Domain
import TestSupport
import Testing

@Suite("Crontabs")
struct CrontabTests {
    /// A moment of UTC, `2026/03/29 01:00:00 +0000`.
    static func moment(_ text: String) throws -> Timestamp { try #require(WireDate.parse(text)) }

    private static func next(_ crontab: String, after text: String, in zone: ZoneRules = .utc) throws -> String? {
        try Crontab(crontab).next(after: moment(text), in: zone).map { WireDate.format($0) }
    }

    @Test(
        "the next run is the first minute that fits",
        arguments: [
            ("* * * * *", "2026/01/01 00:00:00", "2026/01/01 00:01:00"),
            ("* * * * *", "2026/01/01 00:00:59", "2026/01/01 00:01:00"),
            ("0 3 * * sun", "2026/11/21 15:00:00", "2026/11/22 03:00:00"),
            ("0 3 * * 0", "2026/11/22 03:00:00", "2026/11/29 03:00:00"),
            ("0 3 * * 7", "2026/11/21 15:00:00", "2026/11/22 03:00:00"),
            ("*/15 9-17 * * mon-fri", "2026/11/20 17:45:00", "2026/11/23 09:00:00"),
            ("0 0 31 * *", "2026/01/31 00:00:00", "2026/03/31 00:00:00"),
            ("0 0 29 2 *", "2024/02/29 00:00:00", "2028/02/29 00:00:00"),
            ("0 0 29 2 *", "2096/02/29 00:00:00", "2104/02/29 00:00:00"),
            ("30 4 1,15 * fri", "2026/11/02 00:00:00", "2026/11/06 04:30:00"),
            ("30 4 1,15 * fri", "2026/11/13 05:00:00", "2026/11/15 04:30:00"),
            ("30 4 */10 * fri", "2026/11/01 00:00:00", "2026/12/11 04:30:00"),
            ("0 12 31 dec *", "2026/12/31 12:00:00", "2027/12/31 12:00:00"),
            ("@daily", "2026/12/31 23:59:00", "2027/01/01 00:00:00"), ("@hourly", "2026/12/31 23:00:00", "2027/01/01 00:00:00"),
            ("@weekly", "2026/11/21 00:00:00", "2026/11/22 00:00:00"), ("@yearly", "2026/11/21 00:00:00", "2027/01/01 00:00:00"),
            ("@monthly", "2028/02/01 00:00:00", "2028/03/01 00:00:00"),
            ("5/20 * * * *", "2026/01/01 00:05:00", "2026/01/01 00:25:00"),
            ("0 0 * JAN-mar MON", "2026/03/30 00:00:00", "2027/01/04 00:00:00"),
            ("59 23 28 2 *", "1999/02/28 23:58:59", "1999/02/28 23:59:00"),
        ])
    func table(crontab: String, after: String, expected: String) throws {
        #expect(try Self.next(crontab, after: after + " +0000") == expected + " +0000")
    }

    @Test(
        "what is no crontab is refused",
        arguments: [
            "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *",
            "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1, * * * *", "1,,2 * * * *", "-1 * * * *", "1- * * * *",
            "*/ * * * *", "1/2/3 * * * *", "@reboot", "@every 5m", "mon * * * *", "0 0 * mon *", "0 0 30 2 *", "0 0 31 4,6 *",
            "+5 * * * *", "٣ * * * *", "1-2-3 * * * *", "** * * * *", "100 * * * *",
        ])
    func refused(text: String) {
        #expect(throws: CrontabFault.self) { try Crontab(text) }
    }

    @Test("blanks and capitals do not matter, and an hour's starts are counted")
    func text() throws {
        #expect(try Crontab("  0\t3  *   * SUN ") == Crontab("0 3 * * sun"))
        #expect(try Crontab("*/5 * * * *").startsAnHour == 12)
        #expect(try Crontab("* * * * *").startsAnHour == 60)
    }

    @Test("whatever the text is, it is a crontab that reads as the same one again and is due at moments that it names, or none")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 35, samples: ["*/15 0-5,23 1,15 jan-mar mon-fri", "0 3 * * sun", "@daily", "5/10 * 31 */2 7", "59 23 29 2 *"])
        let start = Timestamp(seconds: 1_800_000_000)
        var read = 0
        for _ in 0..<Fuzzer.rounds(2_000) {
            guard let crontab = try? Crontab(String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            read += 1
            #expect((try? Crontab(crontab.text)) == crontab, "\(crontab.text)")
            #expect((1...60).contains(crontab.startsAnHour))
            guard let next = crontab.next(after: start, in: .utc) else {
                Issue.record("\(crontab.text) is never due")
                continue
            }
            #expect(next > start && next.milliseconds % 60_000 == 0)
        }
        #expect(read > 50)
    }

    @Test("beyond the year 9999 nothing is due")
    func end() throws {
        #expect(try Crontab("0 0 1 1 *").next(after: Self.moment("9999/12/31 00:00:00 +0000"), in: .utc) == nil)
        #expect(try Crontab("* * * * *").next(after: Timestamp(milliseconds: .max), in: .utc) == nil)
    }
}
