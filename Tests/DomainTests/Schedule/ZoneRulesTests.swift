import Domain
import Foundation
import TestSupport
import Testing

@Suite("Rules of time zones")
struct ZoneRulesTests {
    @Test("offsets are those that the system's own library has, from 1970 to 2037", arguments: ZoneSamples.names)
    func fuzzOffsets(name: String) throws {
        let rules = try ZoneSamples.rules(name)
        let found = TimeZone(identifier: name)
        let known = try #require(found)
        var random = SeededGenerator(seed: 7)
        for _ in 0..<Fuzzer.rounds(500) {
            let moment = Int64.random(in: 0..<2_145_916_800, using: &random)
            let expected = known.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
            #expect(rules.offset(at: moment) == Int64(expected), "\(name) at \(moment)")
        }
    }

    @Test(
        "the rule at the end of a file holds for ever",
        arguments: [
            ("Europe/Berlin", "2090/07/01 00:00:00", 7200), ("Europe/Berlin", "2090/12/01 00:00:00", 3600),
            ("Australia/Sydney", "2090/12/01 00:00:00", 39600), ("Australia/Sydney", "2090/07/01 00:00:00", 36000),
            ("Asia/Shanghai", "2090/07/01 00:00:00", 28800), ("America/Nuuk", "2090/07/01 00:00:00", -3600),
            // The minute of the change itself: 01:00 UTC on the last Sundays of March and October.
            ("Europe/Berlin", "2090/03/26 00:59:59", 3600), ("Europe/Berlin", "2090/03/26 01:00:00", 7200),
            ("Europe/Berlin", "2090/10/29 00:59:59", 7200), ("Europe/Berlin", "2090/10/29 01:00:00", 3600),
        ])
    func future(name: String, at text: String, expected: Int64) throws {
        let moment = try CrontabTests.moment(text + " +0000").seconds
        #expect(try ZoneSamples.rules(name).offset(at: moment) == expected)
    }

    @Test("whatever a zone file says, it is read or refused, and then answers for every moment")
    func fuzz() throws {
        let samples = try ["Europe/Berlin", "Australia/Lord_Howe", "UTC"].map { name in
            try Array(Data(contentsOf: URL(filePath: ZoneSamples.path + name)))
        }
        var random = SeededGenerator(seed: 3)
        var read = 0
        for _ in 0..<Fuzzer.rounds(1500) {
            guard var bytes = samples.randomElement(using: &random) else { continue }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(place...)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                // Near the end stands the rule as text.
                default: bytes[max(0, bytes.count - 1 - place % 30)] = UInt8.random(in: 32...126, using: &random)
                }
                if bytes.isEmpty { break }
            }
            guard let rules = try? ZoneRules(file: bytes) else { continue }
            read += 1
            for moment in [Int64.min / 4, -1, 0, 1_800_000_000, 1 << 50] { _ = rules.offset(at: moment) }
            _ = try Crontab("30 2 * * *").next(after: Timestamp(seconds: 1_800_000_000), in: rules)
        }
        #expect(read > 100)
    }

    @Test(
        "names that could lead elsewhere are no names of zones",
        arguments: ["", "/etc/passwd", "../x", "Europe/../x", "Europe//Berlin", ".", "Europe/", "a b", "x\0", "1", "Ümea"])
    func names(text: String) {
        #expect(ZoneName(text) == nil)
    }

    @Test("whatever is taken for a name stays in the directory of zones")
    func fuzzNames() {
        var fuzzer = Fuzzer(seed: 36, samples: ["America/Argentina/Buenos_Aires", "Etc/GMT+5", "../../etc/passwd"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(5_000) {
            guard let name = ZoneName(String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            read += 1
            #expect(
                !name.description.split(separator: "/", omittingEmptySubsequences: false).contains {
                    $0.isEmpty || $0.first == "."
                })
            #expect(name.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        }
        #expect(read > 50)
    }

    @Test("names of zones are names of zones", arguments: ZoneSamples.names + ["Etc/GMT+5", "America/Argentina/Buenos_Aires"])
    func goodNames(text: String) {
        #expect(ZoneName(text)?.description == text)
    }
}
