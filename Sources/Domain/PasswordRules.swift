/// What a password of an account must look like: how one is generated, and what one that is typed in is checked against.
///
/// Only printable ASCII without the space: what every target stores, every keyboard types and no shell or file format folds.
package struct PasswordRules: Sendable, Hashable {
    package enum CharacterClass: String, Sendable, CaseIterable {
        case lowercase, uppercase, digit, symbol
    }

    /// How many characters a generated password has, and the fewest that one that is typed in may have.
    package let length: Int
    /// The classes that are used, each with the fewest characters that must come from it. A class that is not here is not used.
    package let minimums: [CharacterClass: Int]
    /// The symbols that may be used.
    package let symbols: Set<UInt8>
    /// Characters that are used in no class.
    package let excluded: Set<UInt8>
    /// Whether the first character must be a letter, as some devices and databases want it.
    package let startsWithLetter: Bool

    package static let lengths = 8...128
    package static let defaultLength = 16

    /// Throws the first reason why no password could be made by these rules.
    package init(
        length: Int = PasswordRules.defaultLength, minimums: [CharacterClass: Int] = PasswordRules.oneOfEach,
        symbols: Set<UInt8> = PasswordRules.commonSymbols, excluded: Set<UInt8> = [], startsWithLetter: Bool = false
    ) throws(PasswordRulesFault) {
        guard Self.lengths.contains(length) else { throw .lengthOutOfRange }
        guard minimums.keys.contains(where: { $0 != .symbol }) else { throw .onlySymbols }
        guard minimums.values.allSatisfy({ (0...Self.lengths.upperBound).contains($0) }) else { throw .minimumOutOfRange }
        guard minimums.values.reduce(0, +) <= length else { throw .minimumsExceedLength }
        guard symbols.allSatisfy({ CharacterClass(of: $0) == .symbol }) else { throw .notASymbol }
        self.length = length
        self.minimums = minimums
        self.symbols = symbols
        self.excluded = excluded
        self.startsWithLetter = startsWithLetter
        for used in CharacterClass.allCases where minimums[used] != nil && alphabet(of: used).isEmpty {
            throw .nothingLeft(used)
        }
        if startsWithLetter, let fault = letterFault { throw fault }
    }

    /// Rules of this program's own, known to be good: the tests make a password by each of them.
    init(checkedLength length: Int, minimums: [CharacterClass: Int], symbols: Set<UInt8>, startsWithLetter: Bool) {
        self.length = length
        self.minimums = minimums
        self.symbols = symbols
        self.startsWithLetter = startsWithLetter
        excluded = []
    }

    /// The characters of a class that these rules allow, in order; empty if the class is not used.
    package func alphabet(of characterClass: CharacterClass) -> [UInt8] {
        guard minimums[characterClass] != nil else { return [] }
        let all = characterClass == .symbol ? symbols.sorted() : Array(characterClass.range)
        return all.filter { !excluded.contains($0) }
    }

    /// The first character takes a place that the minimums of the other classes may have asked for.
    private var letterFault: PasswordRulesFault? {
        let letters = alphabet(of: .lowercase) + alphabet(of: .uppercase)
        if letters.isEmpty { return .noFirstLetter }
        let others = (minimums[.digit] ?? 0) + (minimums[.symbol] ?? 0)
        return others < length ? nil : .noFirstLetter
    }
}

extension PasswordRules {
    package static let oneOfEach: [CharacterClass: Int] = [.lowercase: 1, .uppercase: 1, .digit: 1, .symbol: 1]

    /// JumpServer's list: no quotes, no backslash, no white space, nothing that ends a line of a file.
    package static let commonSymbols = Set("!#$%&()*+,-.:;<=?@[]_~".utf8)
}

extension PasswordRules.CharacterClass {
    /// The class of a character; nil for what is no printable ASCII character, and for the space.
    package init?(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): self = .lowercase
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): self = .uppercase
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self = .digit
        case 0x21...0x7E: self = .symbol
        default: return nil
        }
    }

    /// Of symbols the whole span that they stand in, with what is none.
    fileprivate var range: ClosedRange<UInt8> {
        switch self {
        case .lowercase: UInt8(ascii: "a")...UInt8(ascii: "z")
        case .uppercase: UInt8(ascii: "A")...UInt8(ascii: "Z")
        case .digit: UInt8(ascii: "0")...UInt8(ascii: "9")
        case .symbol: 0x21...0x7E
        }
    }
}

/// Why no password could be made by some rules.
package enum PasswordRulesFault: Swift.Error, Sendable, Hashable {
    case lengthOutOfRange
    /// A letter or digit class must be used.
    case onlySymbols
    case minimumOutOfRange
    /// The minimums ask for more characters than there are.
    case minimumsExceedLength
    /// A listed symbol is none of the 32 of ASCII.
    case notASymbol
    /// All characters of a class are excluded.
    case nothingLeft(PasswordRules.CharacterClass)
    /// The first character must be a letter and none may be used, or there is no place for it.
    case noFirstLetter
}

// MARK: - Checking

/// What a password that was typed in does not do; names rules and repeats nothing of the password.
package enum PasswordViolation: Sendable, Hashable {
    case tooShort(minimum: Int)
    case tooLong(maximum: Int)
    case tooFew(PasswordRules.CharacterClass, minimum: Int)
    /// A character of a class that is not used, that is excluded, or that no class has.
    case characterNotAllowed
    case firstIsNoLetter

    package var message: String {
        switch self {
        case .tooShort(let minimum): "The password must have at least \(minimum) characters."
        case .tooLong(let maximum): "The password must have at most \(maximum) characters."
        case .tooFew(let kind, let minimum):
            "The password must have at least \(minimum) characters of the class \(kind.rawValue)."
        case .characterNotAllowed: "The password has a character that the rules do not allow."
        case .firstIsNoLetter: "The password must begin with a letter."
        }
    }
}

extension PasswordRules {
    /// Every rule that a password breaks, each once; empty for a good one.
    package func violations(in password: UnsafeRawBufferPointer) -> [PasswordViolation] {
        var found: [PasswordViolation] = []
        if password.count < length { found.append(.tooShort(minimum: length)) }
        if password.count > Self.lengths.upperBound { found.append(.tooLong(maximum: Self.lengths.upperBound)) }
        var counts: [CharacterClass: Int] = [:]
        var isForeign = false
        for byte in password {
            guard let kind = CharacterClass(of: byte), allows(byte, of: kind) else {
                isForeign = true
                continue
            }
            counts[kind, default: 0] += 1
        }
        for kind in CharacterClass.allCases {
            if let minimum = minimums[kind], counts[kind, default: 0] < minimum { found.append(.tooFew(kind, minimum: minimum)) }
        }
        if isForeign { found.append(.characterNotAllowed) }
        if startsWithLetter, let first = password.first {
            let kind = CharacterClass(of: first)
            if kind != .lowercase && kind != .uppercase { found.append(.firstIsNoLetter) }
        }
        return found
    }

    private func allows(_ byte: UInt8, of kind: CharacterClass) -> Bool {
        minimums[kind] != nil && !excluded.contains(byte) && (kind != .symbol || symbols.contains(byte))
    }
}
