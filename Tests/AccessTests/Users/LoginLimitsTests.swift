import Domain
import Testing

@testable import Access

@Suite("LoginLimits")
struct LoginLimitsTests {
    let now = TestHouse.start
    let here = IPAddress(v4: 1)

    @Test("a pair is locked after five failures, and heard again after the window")
    func pair() {
        let limits = LoginLimits()
        for _ in 0..<5 { #expect(limits.admit(account: "admin", address: here, now: now) == nil) }
        #expect(limits.admit(account: "admin", address: here, now: now) == 901)
        #expect(limits.admit(account: "admin", address: IPAddress(v4: 2), now: now) == nil)
        #expect(limits.admit(account: "other", address: here, now: now) == nil)
        #expect(limits.admit(account: "admin", address: here, now: now.adding(seconds: 900)) == nil)
    }

    @Test("an address is locked after thirty failures, and a whole IPv6 subscriber is one address")
    func address() {
        let limits = LoginLimits()
        for n in 0..<30 as Range<UInt64> {
            #expect(limits.admit(account: "user\(n)", address: IPAddress(v6: 0x2001_0DB8_0000_0001, n + 1), now: now) == nil)
        }
        #expect(limits.admit(account: "another", address: IPAddress(v6: 0x2001_0DB8_0000_0001, 99), now: now) != nil)
        #expect(limits.admit(account: "another", address: IPAddress(v6: 0x2001_0DB8_0000_0002, 99), now: now) == nil)
    }

    @Test("an account is locked after a hundred failures from wherever")
    func account() {
        let limits = LoginLimits()
        for n in 0..<100 as Range<UInt32> { #expect(limits.admit(account: "admin", address: IPAddress(v4: n), now: now) == nil) }
        #expect(limits.admit(account: "admin", address: IPAddress(v4: 7_000), now: now) != nil)
        #expect(limits.admit(account: "admin", address: nil, now: now) != nil)
    }

    @Test("a good try is forgotten with the pair's failures; one that nobody looked at counts for nothing")
    func forgiven() {
        let limits = LoginLimits()
        for _ in 0..<4 { #expect(limits.admit(account: "admin", address: here, now: now) == nil) }
        limits.forget(account: "admin", address: here)
        for _ in 0..<5 { #expect(limits.admit(account: "admin", address: here, now: now) == nil) }
        #expect(limits.admit(account: "admin", address: here, now: now) != nil)
        for _ in 0..<50 {
            #expect(limits.admit(account: "busy", address: IPAddress(v4: 9), now: now) == nil)
            limits.withdraw(account: "busy", address: IPAddress(v4: 9))
        }
    }

    @Test("whoever floods the table unlocks nobody and resets no count of an account under attack")
    func flood() {
        let limits = LoginLimits(capacity: 1_000)
        for _ in 0..<5 { _ = limits.admit(account: "admin", address: here, now: now) }
        for n in 0..<90 as Range<UInt32> { _ = limits.admit(account: "root", address: IPAddress(v4: 100 + n), now: now) }
        for n in 0..<20_000 as Range<UInt32> {
            _ = limits.admit(account: "user\(n)", address: IPAddress(v4: 10_000 + n), now: now)
        }
        #expect(limits.admit(account: "admin", address: here, now: now) != nil, "still locked")
        for n in 0..<10 as Range<UInt32> {
            #expect(limits.admit(account: "root", address: IPAddress(v4: 500 + n), now: now) == nil)
        }
        #expect(
            limits.admit(account: "root", address: IPAddress(v4: 700), now: now) != nil, "the count went on through the flood")
        #expect(limits.admit(account: "honest", address: IPAddress(v4: 3), now: now) == nil, "others are heard")
    }

    @Test("of many guesses at once no more are heard than one after another")
    func parallel() async {
        let (limits, here, now) = (LoginLimits(), here, now)
        let heard = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<200 { group.addTask { limits.admit(account: "admin", address: here, now: now) == nil ? 1 : 0 } }
            return await group.reduce(0, +)
        }
        #expect(heard == 5)
    }
}
