internal import Streams

/// The one place where text becomes part of an SQL statement of MariaDB.
package enum MariaDBQuoting {
    /// A name or a host of an account between backticks, in which only the backtick means anything, whatever `sql_mode` says.
    ///
    /// Refused is what the server would turn into something else: it keeps names in three-byte UTF-8 and puts a question mark
    /// for every other character, and it takes off what stands beyond its longest name.
    package static func name(_ name: String, longest: Int = 80) throws(MariaDBFault) -> String {
        guard !name.isEmpty, name.unicodeScalars.count <= longest else {
            throw MariaDBFault(.badInput, "a name has 1 to \(longest) characters")
        }
        guard name.unicodeScalars.allSatisfy({ $0.value != 0 && $0.value < 0x10000 }) else {
            throw MariaDBFault(.badInput, "a name has no characters beyond the basic plane, and no NUL")
        }
        // Names are compared and stored without the spaces at their end.
        guard name.unicodeScalars.last != " " else { throw MariaDBFault(.badInput, "a name does not end with a space") }
        // At a login the server takes such quotes off, and looks for another account.
        guard !(name.hasPrefix("'") && name.hasSuffix("'")) else {
            throw MariaDBFault(.badInput, "a name does not stand between quotes")
        }
        return quoted(name, UInt8(ascii: "`"))
    }

    /// Any text, as the bytes that it is: nothing in it can mean anything.
    package static func value(_ text: String) -> String {
        guard !text.isEmpty else { return "''" }
        let digits = Array("0123456789ABCDEF".utf8)
        return "X'" + String(decoding: text.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self) + "'"
    }

    /// Text where the grammar wants quotes, under a `sql_mode` without `NO_BACKSLASH_ESCAPES`, which the session has set.
    package static func literal(_ text: String) throws(MariaDBFault) -> String {
        guard !text.utf8.contains(0) else { throw MariaDBFault(.badInput, "a NUL byte") }
        return quoted(String(decoding: doubled(Array(text.utf8), UInt8(ascii: "\\")), as: UTF8.self), UInt8(ascii: "'"))
    }

    private static func quoted(_ text: String, _ quote: UInt8) -> String {
        String(decoding: [quote] + doubled(Array(text.utf8), quote) + [quote], as: UTF8.self)
    }

    // Over bytes: over characters, a quote followed by a combining mark would be one character that is not a quote.
    private static func doubled(_ bytes: [UInt8], _ byte: UInt8) -> [UInt8] {
        bytes.flatMap { $0 == byte ? [byte, byte] : [$0] }
    }
}
