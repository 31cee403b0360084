import Access
import Domain
import Testing

@Suite("RateLimit")
struct RateLimitTests {
    static func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_000_000_000 + milliseconds) }

    @Test("a key has its limit in each window and is told how long to wait")
    func windows() {
        let rates = RateLimit<Int>(windowSeconds: 60)
        for use in 0..<5 { #expect(rates.count(1, limit: 5, now: Self.at(Int64(use) * 100)) == .allowed) }
        #expect(rates.count(1, limit: 5, now: Self.at(1_000)) == .refused(retryAfterSeconds: 59))
        #expect(rates.count(2, limit: 5, now: Self.at(1_000)) == .allowed)
        #expect(rates.count(1, limit: 5, now: Self.at(59_999)) == .refused(retryAfterSeconds: 1))
        #expect(rates.count(1, limit: 5, now: Self.at(60_000)) == .allowed)
    }

    @Test("a limit of zero allows nothing")
    func zero() {
        #expect(RateLimit<Int>().count(1, limit: 0, now: Self.at(0)) == .refused(retryAfterSeconds: 60))
    }

    @Test("a clock that goes back begins a new window instead of an endless one")
    func clockBack() {
        let rates = RateLimit<Int>()
        #expect(rates.count(1, limit: 1, now: Self.at(1_000_000)) == .allowed)
        #expect(rates.count(1, limit: 1, now: Self.at(0)) == .allowed)
        #expect(rates.count(1, limit: 1, now: Self.at(1)) == .refused(retryAfterSeconds: 60))
    }

    @Test("memory is bounded, and known keys stay limited while it is full")
    func bounded() {
        let rates = RateLimit<Int>(maximumKeys: 16 * 8)
        for key in 0..<10_000 { _ = rates.count(key, limit: 1, now: Self.at(0)) }
        let refused = (0..<10_000).count { rates.count($0, limit: 1, now: Self.at(1)) != .allowed }
        #expect(refused == 16 * 8)
        let later = (10_000..<10_100).filter { rates.count($0, limit: 1, now: Self.at(70_000)) == .allowed }
        #expect(later.count == 100)
        #expect(rates.count(10_000, limit: 1, now: Self.at(70_001)) != .allowed)
    }
}

@Suite("SignatureThrottle")
struct SignatureThrottleTests {
    @Test("only the address that fails is slowed down, IPv6 by its first half")
    func byAddress() throws {
        let throttle = SignatureThrottle(failuresPerMinute: 3)
        let now = Timestamp(seconds: 1_000)
        let bad = try #require(IPAddress("2001:db8:1:1::1"))
        let neighbour = try #require(IPAddress("2001:db8:1:1:ffff::2"))
        let other = try #require(IPAddress("2001:db8:1:2::1"))
        for _ in 0..<3 { #expect(throttle.noteFailure(from: bad, now: now) == .allowed) }
        #expect(throttle.noteFailure(from: neighbour, now: now) == .refused(retryAfterSeconds: 60))
        #expect(throttle.noteFailure(from: other, now: now) == .allowed)
        #expect(throttle.noteFailure(from: IPAddress(v4: 7), now: now) == .allowed)
        #expect(throttle.noteFailure(from: bad, now: now.adding(seconds: 60)) == .allowed)
    }
}
