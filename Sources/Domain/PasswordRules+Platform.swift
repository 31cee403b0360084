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
