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
}
