package import JSON

// JumpServer's `password_rules` (length, four switches, exclude_symbols), and what this product has beyond it: a minimum for each
// class, the list of symbols, the first character.

extension JSONRule where Value == PasswordRules {
    /// Rules as clients write them; what is absent is as in `fallback`.
    package static func passwordRules(default fallback: PasswordRules) -> JSONRule {
        JSONRule { json throws(JSONFieldErrors) in
            let body = try JSONObjectReader(json)
            let length = body.optional("length", .int(), default: fallback.length)
            let symbols = body.optional("symbols", .characters(), default: fallback.symbols)
            let excluded = body.optional("exclude_symbols", .characters(), default: fallback.excluded)
            let startsWithLetter = body.optional("first_letter", .bool, default: fallback.startsWithLetter)
            var minimums: [PasswordRules.CharacterClass: Int] = [:]
            for kind in PasswordRules.CharacterClass.allCases {
                let isUsed = body.optional(kind.rawValue, .bool, default: fallback.minimums[kind] != nil)
                let minimum = body.optional(
                    "min_" + kind.rawValue, .int(0...PasswordRules.lengths.upperBound), default: fallback.minimums[kind] ?? 1)
                if isUsed == true { minimums[kind] = minimum }
            }
            let (checkedLength, checkedSymbols, checkedExcluded, checkedFirst) = try body.finish(
                length, symbols, excluded, startsWithLetter)
            do throws(PasswordRulesFault) {
                return try PasswordRules(
                    length: checkedLength, minimums: minimums, symbols: checkedSymbols, excluded: checkedExcluded,
                    startsWithLetter: checkedFirst)
            } catch {
                throw JSONFieldErrors(error.field, error.message)
            }
        }
    }
}

extension JSONRule where Value == Set<UInt8> {
    /// A string of printable ASCII characters, taken as a set.
    fileprivate static func characters() -> JSONRule {
        JSONRule<String>.text(max: 128, blank: true, trim: false).then("Only printable ASCII characters are allowed.") { text in
            let bytes = Set(text.utf8)
            return bytes.allSatisfy { (0x20...0x7E).contains($0) } ? bytes : nil
        }
    }
}

extension PasswordRulesFault {
    /// The field of the wire form that it is about.
    package var field: String {
        switch self {
        case .lengthOutOfRange: "length"
        case .notASymbol: "symbols"
        case .nothingLeft: "exclude_symbols"
        case .noFirstLetter: "first_letter"
        case .onlySymbols, .minimumOutOfRange, .minimumsExceedLength: JSONFieldErrors.wholeBody
        }
    }

    package var message: String {
        switch self {
        case .lengthOutOfRange:
            "The length must be \(PasswordRules.lengths.lowerBound) to \(PasswordRules.lengths.upperBound)."
        case .notASymbol: "Only the symbols of ASCII are allowed."
        case .nothingLeft(let kind): "No character of the class \(kind.rawValue) is left."
        case .noFirstLetter: "The first character must be a letter, and the rules leave none or no place for it."
        case .onlySymbols: "At least one of lowercase, uppercase and digit must be used."
        case .minimumOutOfRange: "A minimum must be 0 to \(PasswordRules.lengths.upperBound)."
        case .minimumsExceedLength: "The minimums ask for more characters than the length."
        }
    }
}

extension PasswordRules {
    /// Writes the rules as an object that `JSONRule.passwordRules` reads back to the same rules.
    package func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object {
            $0.field("length", Int64(length))
            for kind in CharacterClass.allCases {
                $0.field(kind.rawValue, minimums[kind] != nil)
                $0.field("min_" + kind.rawValue, Int64(minimums[kind] ?? 1))
            }
            $0.field("symbols", String(decoding: symbols.sorted(), as: UTF8.self))
            $0.field("exclude_symbols", String(decoding: excluded.sorted(), as: UTF8.self))
            $0.field("first_letter", startsWithLetter)
        }
    }
}

extension PasswordRules {
    /// The stored form.
    package var text: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads the stored form; nil if it is none.
    package init?(text: String) {
        guard let json = try? JSONDocument.parse(text),
            let rules = try? JSONRule<PasswordRules>.passwordRules(default: PasswordRules.standard(for: "")).read(json)
        else { return nil }
        self = rules
    }
}
