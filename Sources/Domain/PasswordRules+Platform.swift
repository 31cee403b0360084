extension PasswordRules {
    /// The rules for a type of platform where nobody set others: what the target takes everywhere that its passwords are written,
    /// so also in connection addresses, client files and dialogues.
    ///
    /// `type` is a platform's `type`; one that is not known gets the common rules.
    package static func standard(for type: String) -> PasswordRules {
        known[type] ?? common
    }

    private static let known: [String: PasswordRules] = {
        var rules: [String: PasswordRules] = [:]
        // chpasswd divides its lines at the first colon, and tools around it at any.
        for type in ["linux", "unix"] { rules[type] = make(symbols: "!#$%&()*+,-.;<=?@[]_~") }
        // What stands for itself in a connection address (RFC 3986, 2.3 and part of 2.2) and in every dialect's literals.
        for type in ["mysql", "mariadb", "postgresql", "mongodb", "redis", "clickhouse", "dameng", "db2", "sqlserver"] {
            rules[type] = make(symbols: "!*+-._~")
        }
        // An unquoted Oracle password: at most 30 bytes, a letter first, and these three symbols.
        rules["oracle"] = make(symbols: "_#$", startsWithLetter: true)
        // A question mark asks a network device's command line for its help, and some take no password that begins with a symbol.
        rules["general"] = make(symbols: "!#$%*+,-.:=@_~", startsWithLetter: true)
        return rules
    }()

    private static let common = make(symbols: "!#$%&()*+,-.:;<=?@[]_~")

    private static func make(symbols: String, startsWithLetter: Bool = false) -> PasswordRules {
        PasswordRules(
            checkedLength: defaultLength, minimums: oneOfEach, symbols: Set(symbols.utf8), startsWithLetter: startsWithLetter)
    }
}

// MARK: - Passwords that somebody has chosen

extension PasswordRules {
    /// What keeps accounts of a platform from having a password that somebody has chosen, where nobody gave rules for it: only what its
    /// targets would refuse or misread, and what is too short for anything. `standard` says how passwords are made; a chosen one may well be
    /// a line of words.
    ///
    /// `type` is a platform's `type`; one that is not known has no more to say than all have.
    package static func violations(in password: UnsafeRawBufferPointer, onPlatform type: String) -> [PasswordViolation] {
        let limits = chosen[type] ?? ChosenPasswords()
        var found: [PasswordViolation] = []
        if password.count < lengths.lowerBound { found.append(.tooShort(minimum: lengths.lowerBound)) }
        if password.count > limits.longest { found.append(.tooLong(maximum: limits.longest)) }
        if password.contains(where: { !limits.allows($0) }) { found.append(.characterNotAllowed) }
        if limits.startsWithLetter, let first = password.first {
            let kind = CharacterClass(of: first)
            if kind != .lowercase && kind != .uppercase { found.append(.firstIsNoLetter) }
        }
        return found
    }

    private static let chosen: [String: ChosenPasswords] = [
        // Without quotation marks; with them nothing but a quotation mark itself is refused, and few tools write them.
        "oracle": ChosenPasswords(longest: 30, symbols: Set("_#$".utf8), startsWithLetter: true),
        // A line that is typed: a question mark asks for help, and what is no ASCII character is lost on the way.
        "general": ChosenPasswords(symbols: Set(0x20...0x7E).subtracting([UInt8(ascii: "?")]), startsWithLetter: true),
    ]

    /// The limits of a platform's passwords, in bytes.
    private struct ChosenPasswords {
        var longest = PasswordRules.lengths.upperBound
        /// Beside letters and digits of ASCII; nil for all that is no control character.
        var symbols: Set<UInt8>?
        var startsWithLetter = false

        func allows(_ byte: UInt8) -> Bool {
            guard let symbols else { return byte >= 0x20 && byte != 0x7F }
            if let kind = CharacterClass(of: byte), kind != .symbol { return true }
            return symbols.contains(byte)
        }
    }
}
