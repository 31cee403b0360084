import Testing

@testable import API

@Suite("The pace of long changes")
struct PaceTests {
    private func rest(entries: Int64, after took: Duration) -> Duration? {
        let start = ContinuousClock.now
        return Pace.Part(entries: 1000, start: start).rest(entries: 1000 + entries, at: start + took)
    }

    @Test("where nobody fetches there is no rest, however short a part was: its own entries do not count")
    func idle() {
        for took in [Duration.microseconds(100), .milliseconds(1), .milliseconds(40), .seconds(3)] {
            #expect(rest(entries: 2, after: took) == nil, "\(took)")
        }
        #expect(rest(entries: 2 + 20, after: .milliseconds(40)) == nil, "500 a second are few")
        #expect(rest(entries: 100, after: .zero) == nil)
    }

    @Test("where applications fetch a rest is five times its part, 0.4 seconds at least and 0.6 at most")
    func busy() {
        #expect(rest(entries: 2 + 21, after: .milliseconds(40)) == .milliseconds(400))
        #expect(rest(entries: 1_000, after: .milliseconds(10)) == .milliseconds(400))
        #expect(rest(entries: 1_000, after: .milliseconds(100)) == .milliseconds(500))
        #expect(rest(entries: 100_000, after: .seconds(3)) == .milliseconds(600))
        #expect(rest(entries: .max / 1_000_000, after: .seconds(1)) == .milliseconds(600))
    }
}
