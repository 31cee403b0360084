import Glibc

/// A random source that gives the same numbers for the same seed, so that a failing fuzz test fails again.
///
/// SplitMix64 (Steele, Lea, Flood 2014): good enough to mutate input, useless for anything that must not be guessed.
package struct FuzzRandom: RandomNumberGenerator, Sendable {
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

    /// How many rounds a fuzz test runs: `usual`, times the environment variable KEYTURN_FUZZ when `make fuzz` sets it.
    package static func iterations(_ usual: Int) -> Int {
        guard let text = getenv("KEYTURN_FUZZ"), let factor = Int(String(cString: text)), factor > 0 else { return usual }
        let (product, overflow) = usual.multipliedReportingOverflow(by: factor)
        return overflow ? Int.max : product
    }
}

extension FuzzRandom {
    /// `range` must not be empty.
    package mutating func int(in range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    package mutating func chance(_ oneIn: Int) -> Bool {
        int(in: 1...max(1, oneIn)) == 1
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<max(0, count)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Bytes of which most mean something to a parser of text.
    package mutating func text(
        _ count: Int, alphabet: [UInt8] = Array(#"{}[]":,\/.-+ =()*%&?#@"'eE0123456789abcuntrlfsxyz"#.utf8)
    ) -> [UInt8] {
        (0..<max(0, count)).map { _ in alphabet.randomElement(using: &self) ?? 0 }
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.randomElement(using: &self)
    }

    /// A few changes to `original`: bits flipped, bytes replaced, removed, doubled and inserted, ranges moved, the end cut.
    package mutating func mutation(of original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<int(in: 1...4) {
            mutate(&bytes)
        }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = self.bytes(int(in: 0...8))
            return
        }
        let place = int(in: 0...bytes.count - 1)
        let length = min(int(in: 1...16), bytes.count - place)
        switch int(in: 0...7) {
        case 0: bytes[place] ^= 1 << UInt8(int(in: 0...7))
        case 1: bytes[place] = pick([0, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x2C, 0x5C, 0x7F, 0x80, 0xC0, 0xED, 0xFF]) ?? 0
        case 2: bytes[place] = UInt8(truncatingIfNeeded: next())
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 5: bytes.insert(contentsOf: chance(2) ? self.bytes(length) : text(length), at: place)
        case 6: bytes.removeSubrange(place...)
        default:
            let moved = Array(bytes[place..<place + length])
            bytes.removeSubrange(place..<place + length)
            bytes.insert(contentsOf: moved, at: int(in: 0...bytes.count))
        }
    }
}
