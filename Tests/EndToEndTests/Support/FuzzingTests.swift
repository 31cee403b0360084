import Testing
import TestSupport

@Suite("Fuzzing")
struct FuzzingTests {
    @Test("the same seed gives the same input, another one other input")
    func repeats() {
        func inputs(_ seed: UInt64) -> [[UInt8]] {
            var fuzzer = Fuzzer(seed: seed, samples: ["{\"a\":[1,2,3]}", "[true,null]"])
            return (0..<100).map { _ in fuzzer.next() }
        }
        #expect(inputs(1) == inputs(1))
        #expect(inputs(1) != inputs(2))
        #expect(Set(inputs(1)).count > 80)
    }

    @Test("the generator follows SplitMix64's published sequence")
    func vector() {
        var random = SeededGenerator(seed: 1_234_567)
        #expect([random.next(), random.next()] == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
    }

    @Test("nothing can be mutated")
    func nothing() {
        var empty = Fuzzer(seed: 3, samples: [])
        var blank = Fuzzer(seed: 3, samples: [""])
        for _ in 0..<1000 {
            _ = empty.next()
            _ = blank.next()
        }
        #expect(Fuzzer.rounds(100) >= 100)
    }
}
