import Testing
import TestSupport

@Suite("FuzzRandom")
struct FuzzRandomTests {
    @Test("the same seed gives the same mutations, another one others")
    func repeats() {
        let original = Array("{\"a\":[1,2,3]}".utf8)
        func mutations(_ seed: UInt64) -> [[UInt8]] {
            var random = FuzzRandom(seed: seed)
            return (0..<100).map { _ in random.mutation(of: original) }
        }
        #expect(mutations(1) == mutations(1))
        #expect(mutations(1) != mutations(2))
        #expect(mutations(1).filter { $0 != original }.count > 90)
    }

    @Test("it follows SplitMix64's published sequence")
    func vector() {
        var random = FuzzRandom(seed: 1_234_567)
        #expect([random.next(), random.next()] == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    }

    @Test("nothing, and very little, can be mutated")
    func small() {
        var random = FuzzRandom(seed: 3)
        for _ in 0..<1000 {
            _ = random.mutation(of: [])
            _ = random.mutation(of: [0])
        }
        #expect(random.bytes(-1).isEmpty)
        #expect(random.text(16).count == 16)
    }
}
