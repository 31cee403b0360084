import Domain
import Synchronization
import Testing

@testable import Audit

@Suite("Folded refusals")
struct RefusalFoldTests {
    /// A clock that the test sets.
    final class HandClock: Sendable {
        private let time = Mutex(Timestamp(seconds: 1_700_000_040))

        func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }

        var wall: WallClock { WallClock { self.time.withLock { $0 } } }
    }

    let clock = HandClock()
    let home = IPAddress(v4: 0xC000_0201)

    func fold(perPrefix: Int = 2, overall: Int = 4, counters: Int = 10) -> RefusalFold {
        RefusalFold(limits: RefusalLimits(perPrefix: perPrefix, overall: overall, counters: counters), clock: clock.wall)
    }

    @Test("up to the rate of its prefix a refusal is written, beyond it is counted, and a minute later it is written again")
    func perPrefix() {
        let fold = fold()
        let neighbour = IPAddress(v4: 0xC000_02FF)
        let verdicts = [home, neighbour, home, neighbour].map { fold.admit(address: $0, action: .fetch, reason: "unknown key") }
        #expect(verdicts == [.write, .write, .counted, .counted])
        #expect(fold.admit(address: IPAddress(v4: 0xC000_0301), action: .fetch, reason: "unknown key") == .write)
        clock.advance(seconds: 60)
        #expect(fold.admit(address: home, action: .fetch, reason: "unknown key") == .write)
    }

    @Test("beyond the overall rate every prefix is counted")
    func overall() {
        let fold = fold()
        let verdicts = (0..<6).map { fold.admit(address: IPAddress(v4: UInt32($0) << 8), action: .fetch, reason: "x") }
        #expect(verdicts == [.write, .write, .write, .write, .counted, .counted])
    }

    @Test("what was counted becomes one entry for each prefix, reason and minute, once the minute is over")
    func entries() throws {
        let fold = fold(perPrefix: 0)
        for reason in ["unknown key", "unknown key", "stale date"] {
            #expect(fold.admit(address: home, action: .fetch, reason: reason) == .counted)
        }
        _ = fold.admit(address: IPAddress(v6: 0x2001_0db8_0001_0002, 3), action: .login, reason: "wrong password")
        #expect(fold.drain().isEmpty)
        clock.advance(seconds: 60)
        _ = fold.admit(address: home, action: .fetch, reason: "unknown key")
        let entries = fold.drain()
        #expect(entries.map(\.address) == ["192.0.2.0/24", "192.0.2.0/24", "2001:db8:1::/48"])
        #expect(entries.map(\.reason) == ["stale date", "unknown key", "wrong password"])
        #expect(entries.map(\.count) == [1, 2, 1])
        #expect(entries.allSatisfy { $0.actor == .anonymous && $0.outcome == .refused })
        #expect(fold.drain(all: true).map(\.count) == [1])
        #expect(fold.drain(all: true).isEmpty)
    }

    @Test("counters beyond the bound share one, and nothing is lost from the sum")
    func bounded() {
        let fold = fold(perPrefix: 0, counters: 10)
        for number in 0..<1000 { _ = fold.admit(address: IPAddress(v4: UInt32(number) << 8), action: .fetch, reason: "x") }
        let entries = fold.drain(all: true)
        #expect(entries.count == 11)
        #expect(entries.reduce(0) { $0 + $1.count } == 1000)
        #expect(entries.filter { $0.action.rawValue == "refusal.other" }.map(\.count) == [990])
    }

    @Test("an unknown address has a counter of its own")
    func noAddress() {
        let fold = fold(perPrefix: 1)
        #expect(fold.admit(address: nil, action: .fetch, reason: "x") == .write)
        #expect(fold.admit(address: nil, action: .fetch, reason: "x") == .counted)
        #expect(fold.drain(all: true).map(\.address) == [""])
    }

    @Test("several threads lose no count")
    func threads() async {
        let fold = fold(perPrefix: 0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { [home] in
                    for _ in 0..<500 { _ = fold.admit(address: home, action: .fetch, reason: "x") }
                }
            }
        }
        #expect(fold.drain(all: true).map(\.count) == [2000])
    }

    @Test(
        "prefixes are written as networks",
        arguments: [
            (IPAddress(v4: 0x0A01_02FF), "10.1.2.0/24"), (IPAddress(v6: 0, 1), "::/48"),
            (IPAddress(v6: 0x2001_0000_0000_0000, 1), "2001::/48"),
            (IPAddress(v6: 0x0000_0001_0000_0000, 1), "0:1::/48"), (IPAddress(v6: 0, 0xFFFF_0A01_0203), "10.1.2.0/24"),
        ])
    func prefixes(_ address: IPAddress, _ text: String) {
        #expect(AddressPrefix(address).text == text)
    }
}
