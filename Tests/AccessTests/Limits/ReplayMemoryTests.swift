import Access
import Domain
import TestSupport
import Testing

@Suite("ReplayMemory")
struct ReplayMemoryTests {
    static let start = Timestamp(seconds: 1_000_000)
    let credential = CredentialID(high: 1, low: 1)
    let here = IPAddress(v4: 1)
    let there = IPAddress(v4: 2)

    static func mac(_ n: UInt64) -> SignatureMAC {
        var random = SeededGenerator(seed: n)
        let bytes = (0..<4).map { _ in random.next() }
        // The words are made of 32 bytes, so the decoding cannot fail; zeros would make the test fail.
        return bytes.withUnsafeBytes { SignatureMAC($0) } ?? mac(n + 1)
    }

    func check(
        _ memory: ReplayMemory, _ n: UInt64, date: Int64 = 0, now: Int64 = 0, from address: IPAddress? = nil,
        by credential: CredentialID? = nil
    ) -> ReplayMemory.Outcome {
        memory.check(
            Self.mac(n), credential: credential ?? self.credential, date: Self.start.adding(seconds: date),
            address: address ?? here, now: Self.start.adding(seconds: now))
    }

    @Test("the same signature again is repeated from the same address and replayed from any other")
    func outcomes() {
        let memory = ReplayMemory(windowSeconds: 60)
        #expect(check(memory, 1) == .fresh)
        #expect(check(memory, 1) == .repeated)
        #expect(check(memory, 1, from: there) == .replayed)
        #expect(check(memory, 1) == .repeated)
        #expect(check(memory, 2, from: there) == .fresh)
        #expect(check(memory, 1, by: CredentialID(high: 1, low: 2)) == .fresh)
        #expect(memory.count == 3)
    }

    @Test("a signature is known until its date has left the window, and too old for use afterwards")
    func expiry() {
        let memory = ReplayMemory(windowSeconds: 60)
        #expect(check(memory, 1, date: 0, now: 0) == .fresh)
        #expect(check(memory, 1, date: 0, now: 60, from: there) == .replayed)
        #expect(check(memory, 1, date: 0, now: 61) == .stale)
        #expect(memory.count == 0)
        #expect(check(memory, 2, date: 60, now: 0) == .fresh)
        #expect(check(memory, 2, date: 60, now: 120, from: there) == .replayed)
        #expect(check(memory, 3, date: 121, now: 60) == .stale)
    }

    @Test("a clock that goes back does not make a forgotten signature new")
    func clockBack() {
        let memory = ReplayMemory(windowSeconds: 60)
        #expect(check(memory, 1, date: 0, now: 0) == .fresh)
        #expect(check(memory, 2, date: 3_600, now: 3_600) == .fresh)
        #expect(check(memory, 1, date: 0, now: 0, from: there) == .stale)
        #expect(check(memory, 1, date: 0, now: 0) == .stale)
        #expect(check(memory, 3, date: 1, now: 1) == .fresh)
    }

    @Test("at its bound a credential is full, others are not, and nothing inside the window is forgotten")
    func full() {
        let memory = ReplayMemory(windowSeconds: 60, bounds: .init(entriesPerCredential: 100, entriesInAll: 150))
        for n in 0..<100 { #expect(check(memory, UInt64(n), date: Int64(n % 10)) == .fresh) }
        #expect(check(memory, 1_000) == .full)
        for n in 0..<100 { #expect(check(memory, UInt64(n), date: Int64(n % 10)) == .repeated) }
        let other = CredentialID(high: 9, low: 9)
        for n in 0..<50 { #expect(check(memory, UInt64(n), by: other) == .fresh) }
        #expect(check(memory, 50, by: other) == .full)
        #expect(check(memory, 1_000, date: 70, now: 70) == .fresh)
        memory.sweep(now: Self.start.adding(seconds: 200))
        #expect(memory.count == 0)
    }

    @Test("very many signatures are told apart")
    func many() {
        let memory = ReplayMemory(windowSeconds: 60)
        var random = SeededGenerator(seed: 13)
        let macs = (0..<20_000).map { _ in Self.mac(random.next()) }
        func all(from address: IPAddress) -> [ReplayMemory.Outcome] {
            macs.map { memory.check($0, credential: credential, date: Self.start, address: address, now: Self.start) }
        }
        #expect(all(from: here).allSatisfy { $0 == .fresh })
        #expect(all(from: there).allSatisfy { $0 == .replayed })
        #expect(memory.count == 20_000)
    }

    @Test("of many threads with one signature exactly one is first")
    func threads() async {
        let memory = ReplayMemory(windowSeconds: 60)
        for round in 0..<50 as Range<UInt64> {
            let fresh = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { check(memory, round) == .fresh ? 1 : 0 } }
                return await group.reduce(0, +)
            }
            #expect(fresh == 1)
        }
    }
}
