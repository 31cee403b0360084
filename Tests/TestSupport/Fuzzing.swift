import Glibc

/// Random numbers that are the same in every run (SplitMix64), so that a failure can be repeated.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Input for decoders: known texts, mutated, and plain random bytes.
package struct Fuzzer {
    package private(set) var random: SeededGenerator
    private let samples: [[UInt8]]

    package init(seed: UInt64, samples: [String]) {
        self.init(seed: seed, bytes: samples.map { Array($0.utf8) })
    }

    /// The same for formats that are not text.
    package init(seed: UInt64, bytes samples: [[UInt8]]) {
        random = SeededGenerator(seed: seed)
        self.samples = samples
    }

    /// `base` rounds, times KEYTURN_FUZZ where that is set.
    package static func rounds(_ base: Int) -> Int {
        guard let text = getenv("KEYTURN_FUZZ"), let factor = Int(String(cString: text)), factor > 0 else { return base }
        return base * min(factor, 1_000_000)
    }

    /// The next input: mostly a sample with a few bytes changed, cut, doubled or spliced with another sample.
    package mutating func next() -> [UInt8] {
        guard Int.random(in: 0..<8, using: &random) > 0, var bytes = samples.randomElement(using: &random) else {
            let count = Int.random(in: 0..<64, using: &random)
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        }
        for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
        case 1: bytes.insert(contentsOf: Array("\"\\{}[]:,0-e.u% =*/".utf8).shuffled(using: &random).prefix(2), at: place)
        case 2 where place < bytes.count: bytes.remove(at: place)
        case 3 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 4: bytes.replaceSubrange(place..., with: (samples.randomElement(using: &random) ?? []).suffix(20))
        default: bytes.insert(contentsOf: bytes.suffix(from: place).prefix(30), at: place)
        }
    }
}
