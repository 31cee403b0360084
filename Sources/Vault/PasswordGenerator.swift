package import Cryptography
package import Domain

/// Makes passwords by rules, in memory that is wiped and from the cryptographic generator.
///
/// First each class gets the characters that it must have at least, then the rest is drawn from all classes together, then the
/// places are shuffled (Fisher and Yates). Every number is drawn without modulo bias, so within a class each character is equally
/// likely at each place.
package enum PasswordGenerator {
    package static func password(by rules: PasswordRules) throws(CryptographyFault) -> Secret {
        let alphabets = PasswordRules.CharacterClass.allCases.map { rules.alphabet(of: $0) }
        var missing = PasswordRules.CharacterClass.allCases.map { rules.minimums[$0] ?? 0 }
        let all = alphabets.flatMap { $0 }
        // Where the minimums leave no place over, the first letter must be one that a minimum asks for.
        let isFull = missing.reduce(0, +) >= rules.length
        let letters = [PasswordRules.CharacterClass.lowercase, .uppercase].flatMap { kind in
            isFull && rules.minimums[kind, default: 0] == 0 ? [] : rules.alphabet(of: kind)
        }
        guard !all.isEmpty else { throw .badInput("no characters to choose from") }
        return try Secret(capacity: rules.length) { (place) throws(CryptographyFault) in
            var count = 0
            func draw(from alphabet: [UInt8]) throws(CryptographyFault) {
                guard count < place.count else { throw .badInput("minimums beyond the length") }
                place[count] = alphabet[try SecureRandom.number(below: alphabet.count)]
                count += 1
            }
            if rules.startsWithLetter {
                guard !letters.isEmpty else { throw .badInput("no letter to begin with") }
                try draw(from: letters)
                let kind = PasswordRules.CharacterClass(of: place[0])
                for (index, one) in PasswordRules.CharacterClass.allCases.enumerated() where one == kind {
                    missing[index] = max(missing[index] - 1, 0)
                }
            }
            let fixed = count
            for (index, alphabet) in alphabets.enumerated() {
                for _ in 0..<missing[index] { try draw(from: alphabet) }
            }
            while count < place.count { try draw(from: all) }
            var last = count - 1
            while last > fixed {
                let other = fixed + (try SecureRandom.number(below: last - fixed + 1))
                place.swapAt(last, other)
                last -= 1
            }
            return count
        }
    }
}
