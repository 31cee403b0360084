/// One numbered step of a database's schema; immutable once released.
package struct Migration: Sendable {
    package let number: Int64
    package let name: String
    /// Statements in the subset that the drivers share, with the tokens of `Dialect`.
    let statements: [StaticString]

    init(_ number: Int64, _ name: String, _ statements: [StaticString]) {
        self.number = number
        self.name = name
        self.statements = statements
    }
}

extension Migration {
    /// The vault's database, in order.
    package static let main: [Migration] = [.m0001, .m0002, .m0003, .m0004, .m0005, .m0006]

    /// The newest step that changed what the ledger of rows counts: of an older database `migrate` counts the rows anew.
    package static let rowLedger: Int64 = 6
}

/// What the drivers write differently: a token in a migration for each.
enum Dialect {
    /// SQLite, where `STRICT` makes the column types binding.
    static func sqlite(_ statement: StaticString) -> String {
        var text = statement.description
        for (token, written) in sqliteTokens { text = replace(token, with: written, in: text) }
        return text
    }

    /// PostgreSQL would have: UUID, BYTEA, BIGINT, TEXT, and nothing for the last two.
    private static let sqliteTokens: [(String, String)] = [
        ("$uuid", "BLOB"), ("$bytes", "BLOB"), ("$integer", "INTEGER"), ("$text", "TEXT"),
        ("$clustered", "STRICT, WITHOUT ROWID"),
        ("$table", "STRICT"),
    ]

    private static func replace(_ token: String, with written: String, in text: String) -> String {
        var out = ""
        var rest = Substring(text)
        while let start = rest.firstIndex(of: "$") {
            out += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix(token) {
                out += written
                rest = rest.dropFirst(token.count)
            } else {
                out += "$"
                rest = rest.dropFirst()
            }
        }
        return out + rest
    }
}
