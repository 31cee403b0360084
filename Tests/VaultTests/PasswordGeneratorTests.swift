import Cryptography
import Domain
import TestSupport
import Testing

@testable import Vault

@Suite("Password generator")
struct PasswordGeneratorTests {
    static func draw(_ rules: PasswordRules) throws -> [UInt8] {
        try PasswordGenerator.password(by: rules).withBytes { Array($0) }
    }

    /// Rules of every shape that are good, from a fixed seed.
    static func someRules(_ count: Int) -> [PasswordRules] {
        var random = SeededGenerator(seed: 41)
        var list: [PasswordRules] = []
        while list.count < count {
            var minimums: [PasswordRules.CharacterClass: Int] = [:]
            for kind in PasswordRules.CharacterClass.allCases where Int.random(in: 0..<4, using: &random) > 0 {
                minimums[kind] = Int.random(in: 0...12, using: &random)
            }
            let symbols = Set((0x21...0x7E as ClosedRange<UInt8>).filter { PasswordRules.CharacterClass(of: $0) == .symbol })
            let excluded = Set((0..<40).map { _ in UInt8.random(in: 0x21...0x7E, using: &random) })
            let rules = try? PasswordRules(
                length: Int.random(in: PasswordRules.lengths, using: &random), minimums: minimums,
                symbols: symbols.filter { _ in Bool.random(using: &random) }, excluded: excluded,
                startsWithLetter: Bool.random(using: &random))
            if let rules { list.append(rules) }
        }
        return list
    }

    @Test("what is drawn keeps every rule, over thousands of draws by rules of every shape")
    func keepsRules() throws {
        for rules in Self.someRules(400) {
            for _ in 0..<10 {
                let password = try Self.draw(rules)
                #expect(password.count == rules.length)
                let broken = password.withUnsafeBytes { rules.violations(in: $0) }
                #expect(broken.isEmpty, "\(rules)")
            }
        }
    }

    @Test("the rules of every platform give passwords that keep them", arguments: Set(Platform.all.map(\.type)).sorted())
    func platforms(type: String) throws {
        let rules = PasswordRules.standard(for: type)
        for _ in 0..<20 {
            let password = try Self.draw(rules)
            #expect(password.withUnsafeBytes { rules.violations(in: $0) }.isEmpty)
        }
    }

    @Test("within a class each character is about as likely as every other, at the first place and at the last")
    func uniform() throws {
        let rules = try PasswordRules(length: 16)
        for place in [0, 7, 15] {
            var counts: [UInt8: Int] = [:]
            for _ in 0..<12_000 { counts[try Self.draw(rules)[place], default: 0] += 1 }
            for kind in PasswordRules.CharacterClass.allCases {
                let alphabet = rules.alphabet(of: kind)
                let total = alphabet.reduce(0) { $0 + counts[$1, default: 0] }
                let expected = Double(total) / Double(alphabet.count)
                let chiSquare = alphabet.reduce(0.0) { sum, character in
                    let difference = Double(counts[character, default: 0]) - expected
                    return sum + difference * difference / expected
                }
                // At most 25 degrees of freedom: above 90 less than once in a hundred million.
                #expect(expected > 50 && chiSquare < 90, "\(kind) at \(place): \(chiSquare)")
            }
        }
    }

    @Test("minimums that fill the whole length leave no place to chance but the order")
    func full() throws {
        let rules = try PasswordRules(length: 8, minimums: [.lowercase: 1, .uppercase: 0, .digit: 7], startsWithLetter: true)
        for _ in 0..<50 {
            let password = try Self.draw(rules)
            #expect(PasswordRules.CharacterClass(of: password[0]) == .lowercase)
            #expect(password.dropFirst().allSatisfy { PasswordRules.CharacterClass(of: $0) == .digit })
        }
    }

    @Test("a thousand draws are a thousand passwords")
    func differs() throws {
        let rules = PasswordRules.standard(for: "linux")
        let drawn = try Set((0..<1000).map { _ in try Self.draw(rules) })
        #expect(drawn.count == 1000)
    }
}
