/// Texts as one word of a POSIX shell.
enum ShellText {
    /// The text between quotes that mean nothing but themselves (POSIX 2.2.2). A NUL, which no word can hold, is left out.
    ///
    /// The one place where something becomes part of a command line; secrets never do.
    static func quoted(_ text: String) -> String {
        var word: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 where byte != 0 {
            if byte == UInt8(ascii: "'") { word += Array("'\\''".utf8) } else { word.append(byte) }
        }
        word.append(UInt8(ascii: "'"))
        return String(decoding: word, as: UTF8.self)
    }

    /// The text as a basic regular expression that matches it alone (POSIX 9.3), between slashes.
    static func basicExpression(_ text: String) -> String { escaped(text, #"\/.*[^$"#) }

    /// The same as an extended one (POSIX 9.4).
    static func extendedExpression(_ text: String) -> String { escaped(text, #"\.*[^$(){}+?|"#) }

    private static func escaped(_ text: String, _ special: String) -> String {
        let escaped = text.utf8.flatMap { byte in special.utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte] }
        return String(decoding: escaped, as: UTF8.self)
    }
}
