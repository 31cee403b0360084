import Domain
import JSON
import TestSupport
import Testing

@Suite("Password rules")
struct PasswordRulesTests {
    static func fault(_ body: () throws(PasswordRulesFault) -> PasswordRules) -> PasswordRulesFault? {
        do {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("rules by which no password could be made are refused by name")
    func refuses() {
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(length: 7) } == .lengthOutOfRange)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(length: 129) } == .lengthOutOfRange)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(minimums: [.symbol: 1]) } == .onlySymbols)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(minimums: [:]) } == .onlySymbols)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(minimums: [.digit: -1]) } == .minimumOutOfRange)
        #expect(
            Self.fault { () throws(PasswordRulesFault) in try PasswordRules(length: 8, minimums: [.digit: 5, .lowercase: 4]) }
                == .minimumsExceedLength)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(symbols: Set("a".utf8)) } == .notASymbol)
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(symbols: Set(" ".utf8)) } == .notASymbol)
        #expect(
            Self.fault { () throws(PasswordRulesFault) in try PasswordRules(excluded: Set("0123456789".utf8)) }
                == .nothingLeft(.digit))
        #expect(Self.fault { () throws(PasswordRulesFault) in try PasswordRules(symbols: []) } == .nothingLeft(.symbol))
        #expect(
            Self.fault { () throws(PasswordRulesFault) in try PasswordRules(minimums: [.digit: 1], startsWithLetter: true) }
                == .noFirstLetter)
        #expect(
            Self.fault { () throws(PasswordRulesFault) in
                try PasswordRules(length: 8, minimums: [.digit: 8, .lowercase: 0], startsWithLetter: true)
            } == .noFirstLetter)
    }

    @Test("a password that is typed in is checked, and every rule that it breaks is named once")
    func checks() throws {
        let rules = try PasswordRules(length: 10, minimums: [.lowercase: 2, .uppercase: 1, .digit: 1], startsWithLetter: true)
        func broken(_ text: String) -> [PasswordViolation] { Array(text.utf8).withUnsafeBytes { rules.violations(in: $0) } }
        #expect(broken("abCdefgh12").isEmpty)
        #expect(broken("abC1") == [.tooShort(minimum: 10)])
        #expect(broken(String(repeating: "aB1", count: 43)) == [.tooLong(maximum: 128)])
        #expect(broken("ABCDEFGHIJ") == [.tooFew(.lowercase, minimum: 2), .tooFew(.digit, minimum: 1)])
        #expect(broken("1bCdefgh12") == [.firstIsNoLetter])
        #expect(broken("abCdefgh1!") == [.characterNotAllowed])
        #expect(broken("abCdefgh1 ") == [.characterNotAllowed])
        #expect(broken("abCdefgh1\n") == [.characterNotAllowed])
        #expect(broken("abCdefgh1é") == [.characterNotAllowed])
        #expect(broken("").contains(.tooShort(minimum: 10)))
    }

    static func read(_ json: String) throws -> PasswordRules {
        try JSONRule.passwordRules(default: PasswordRules.standard(for: "other")).read(try JSONDocument.parse(json))
    }

    @Test("JumpServer's form is read, and what is absent is as it was")
    func readsJumpServer() throws {
        let rules = try Self.read(
            #"{"length":20,"lowercase":true,"uppercase":false,"digit":true,"symbol":false,"exclude_symbols":"0Ol1"}"#)
        #expect(rules.length == 20)
        #expect(rules.minimums == [.lowercase: 1, .digit: 1])
        #expect(rules.excluded == Set("0Ol1".utf8))
        #expect(try Self.read("{}") == PasswordRules.standard(for: "other"))
    }

    @Test("what is written is read back the same, of every platform")
    func roundTrips() throws {
        for type in Set(Platform.all.map(\.type)) {
            let rules = PasswordRules.standard(for: type)
            var writer = JSONWriter()
            rules.write(to: &writer)
            #expect(try Self.read(String(decoding: writer.bytes, as: UTF8.self)) == rules, "\(type)")
        }
        let odd = try PasswordRules(
            length: 64, minimums: [.lowercase: 0, .digit: 40], symbols: Set("\"\\".utf8), excluded: Set("7 ".utf8),
            startsWithLetter: true)
        var writer = JSONWriter()
        odd.write(to: &writer)
        #expect(try Self.read(String(decoding: writer.bytes, as: UTF8.self)) == odd)
    }

    @Test("whatever the text is, it gives rules that are written and read back the same, or none")
    func fuzz() {
        var fuzzer = Fuzzer(
            seed: 37,
            samples: Set(Platform.all.map(\.type)).sorted().map { PasswordRules.standard(for: $0).text } + [
                #"{"length":20,"lowercase":true,"uppercase":false,"min_digit":9,"exclude_symbols":"0Ol1","first_letter":true}"#
            ])
        var read = 0
        for _ in 0..<Fuzzer.rounds(3_000) {
            guard let rules = PasswordRules(text: String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            read += 1
            #expect(PasswordRules(text: rules.text) == rules, "\(rules.text)")
        }
        #expect(read > 10)
    }

    @Test(
        "a fault is told at its field",
        arguments: [
            (#"{"length":4}"#, "length"), (#"{"length":"x"}"#, "length"), (#"{"min_digit":200}"#, "min_digit"),
            (#"{"symbols":"é"}"#, "symbols"), (#"{"symbols":"a"}"#, "symbols"),
            (#"{"exclude_symbols":"0123456789"}"#, "exclude_symbols"),
            (#"{"lenght":8}"#, "lenght"), (#"{"lowercase":false,"uppercase":false,"digit":false}"#, JSONFieldErrors.wholeBody),
            (#"{"lowercase":false,"uppercase":false,"first_letter":true}"#, "first_letter"),
        ])
    func namesFields(json: String, field: String) throws {
        let errors = #expect(throws: JSONFieldErrors.self) { try Self.read(json) }
        #expect(errors?[field: field].count == 1)
    }

    @Test(
        "the rules of a Linux host have no colon, and those of databases nothing that a literal or an address would need quoted")
    func platforms() {
        #expect(!PasswordRules.standard(for: "linux").symbols.contains(UInt8(ascii: ":")))
        let troublesome = Set("'\"\\`$/@:?#[]%&= ".utf8)
        for type in ["mysql", "mariadb", "postgresql", "redis"] {
            #expect(PasswordRules.standard(for: type).symbols.isDisjoint(with: troublesome))
        }
    }

    @Test(
        "a password that somebody chose is held to what a platform takes, and to nothing more",
        arguments: [
            ("linux", "correct horse battery", []), ("mariadb", #"a"b'c\d %_@:/#"#, []), ("redis", "p\u{E4}ssw\u{F6}rt", []),
            ("postgresql", "seven-7", [PasswordViolation.tooShort(minimum: 8)]), ("", "tab\tinside", [.characterNotAllowed]),
            ("linux", String(repeating: "x", count: 129), [.tooLong(maximum: 128)]), ("oracle", "Plain_word$1", []),
            ("oracle", "1-more-than-thirty-characters-of-it", [.tooLong(maximum: 30), .characterNotAllowed, .firstIsNoLetter]),
            ("general", "What is it?", [.characterNotAllowed]), ("general", "a line of words!", []),
            ("general", "9 letters", [.firstIsNoLetter]),
        ] as [(String, String, [PasswordViolation])])
    func chosen(type: String, password: String, violations: [PasswordViolation]) {
        let found = Array(password.utf8).withUnsafeBytes { PasswordRules.violations(in: $0, onPlatform: type) }
        #expect(found == violations)
    }

    @Test("what is made by a platform's standard rules is what the platform takes", arguments: Set(Platform.all.map(\.type)))
    func standardIsTaken(type: String) {
        let rules = PasswordRules.standard(for: type)
        let all = PasswordRules.CharacterClass.allCases.flatMap { rules.alphabet(of: $0) }
        let password = Array("a".utf8) + all.prefix(PasswordRules.lengths.lowerBound * 3)
        let symbols = Array("a".utf8) + rules.alphabet(of: .symbol) + Array("bcdefgh".utf8)
        for made in [password, symbols] {
            #expect(made.withUnsafeBytes { PasswordRules.violations(in: $0, onPlatform: type) }.isEmpty)
        }
    }
}
