import Testing

@testable import Cryptography

@Suite("Secret")
struct SecretTests {
    struct Refusal: Swift.Error, Equatable {}

    @Test("moving bytes in empties the array they came from")
    func moves() {
        var bytes = Array("hunter2".utf8)
        let secret = Secret(moving: &bytes)
        #expect(bytes.isEmpty)
        let held = secret.copy()
        #expect(held == Array("hunter2".utf8))
    }

    @Test("an empty secret holds nothing and equals only an empty one")
    func empty() {
        let empty = Secret([])
        let other = Secret([0])
        let (isEmpty, bytes, equalsEmpty, equalsOther) = (
            empty.isEmpty, empty.copy(), empty.isEqual(to: Secret([])), empty.isEqual(to: other)
        )
        #expect(isEmpty && bytes.isEmpty)
        #expect(equalsEmpty)
        #expect(!equalsOther)
    }

    @Test("two secrets are equal exactly when their bytes are")
    func equality() {
        let secret = Secret([1, 2, 3])
        let comparisons = [
            secret.isEqual(to: secret.duplicate()), secret.isEqual(to: Secret([1, 2, 4])), secret.isEqual(to: Secret([1, 2])),
        ]
        #expect(comparisons == [true, false, false])
    }

    @Test("what the filling closure did not write is not part of the secret, and wiped")
    func fillsPartly() {
        let partly = Secret(capacity: 8) { buffer in
            buffer.copyBytes(from: [9, 9, 9, 9, 9, 9, 9, 9])
            return 3
        }
        let kept = partly.copy()
        #expect(kept == [9, 9, 9])
        let counts = [
            Secret(capacity: 4) { _ in 100 }.count, Secret(capacity: 4) { _ in -1 }.count,
            Secret(capacity: -1) { $0.count }.count,
        ]
        #expect(counts == [4, 0, 0])
    }

    @Test("the filling closure's error comes out as it is")
    func passesFaultsOn() {
        #expect(throws: Refusal()) { _ = try Secret(capacity: 4) { _ throws(Refusal) in throw Refusal() } }
    }

    @Test("a secret that is handed over is taken once, by one of many threads")
    func handsOver() async {
        let handoff = SecretHandoff(Secret([5, 5]))
        let takers = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    guard let secret = handoff.take() else { return 0 }
                    return secret.count
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(takers.filter { $0 == 2 }.count == 1)
        #expect(takers.filter { $0 == 0 }.count == 31)
        let isTaken = handoff.take() == nil
        #expect(isTaken)
    }

    @Test("a symmetric key has 32 bytes", arguments: [0, 31, 33])
    func refusesKeyLength(_ count: Int) {
        #expect(throws: CryptographyFault.self) { _ = try SymmetricKey(Secret([UInt8](repeating: 0, count: count))) }
    }

    @Test("wiping overwrites with zeros")
    func wipes() {
        var bytes: [UInt8] = [1, 2, 3]
        bytes.withUnsafeMutableBytes { buffer in
            ConstantTime.wipe(buffer)
            #expect(buffer.allSatisfy { $0 == 0 })
        }
        ConstantTime.wipe(&bytes)
        #expect(bytes.isEmpty)
    }
}

@Suite("Secure random")
struct SecureRandomTests {
    @Test("each character of the alphabet is drawn about as often as every other")
    func unbiased() throws {
        let alphabet = SecureRandom.alphanumerics
        let drawn = try SecureRandom.characters(count: 62_000, from: alphabet).copy()
        var counts: [UInt8: Int] = [:]
        for byte in drawn { counts[byte, default: 0] += 1 }
        #expect(counts.count == alphabet.count)
        let expected = Double(drawn.count) / Double(alphabet.count)
        let chiSquare = counts.values.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // 61 degrees of freedom: above 140 once in ten million runs; a modulo bias would give about 1,500.
        #expect(chiSquare < 140)
    }

    @Test("an alphabet of no or too many characters is refused, and one of 1 or 256 is not")
    func alphabets() throws {
        #expect(throws: CryptographyFault.self) { _ = try SecureRandom.characters(count: 1, from: []) }
        #expect(throws: CryptographyFault.self) {
            _ = try SecureRandom.characters(count: 1, from: [UInt8](repeating: 1, count: 257))
        }
        #expect(throws: CryptographyFault.self) { _ = try SecureRandom.characters(count: -1, from: [65]) }
        let same = try SecureRandom.characters(count: 3, from: [65]).copy()
        let many = try SecureRandom.characters(count: 300, from: Array(0...255)).count
        let none = try SecureRandom.characters(count: 0, from: [65]).count
        #expect(same == [65, 65, 65] && many == 300 && none == 0)
    }

    @Test("two draws differ")
    func differs() throws {
        #expect(try SecureRandom.bytes(count: 16) != SecureRandom.bytes(count: 16))
        #expect(try SecureRandom.bytes(count: 0).isEmpty)
    }
}
