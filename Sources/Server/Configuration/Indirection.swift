/// Looks for the parts of YAML by which one place of a file stands for another or changes its type.
///
/// A configuration has no use for them, and a few lines of them can describe a tree that no memory holds.
enum Indirection {
    /// The first line, counted from 1, on which an anchor, an alias or a tag seems to begin.
    static func line(in text: String) -> Int? {
        var line = 1
        var previous = UInt8(ascii: "\n")
        var quote: UInt8?
        var isComment = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                isComment = false
            case _ where isComment: break
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if quote == byte { quote = nil } else if quote == nil, begins(after: previous) { quote = byte }
            case _ where quote != nil: break
            case UInt8(ascii: "#"): isComment = begins(after: previous)
            case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"):
                if begins(after: previous) { return line }
            default: break
            }
            previous = byte
        }
        return nil
    }

    /// Whether a word can begin behind this byte.
    private static func begins(after byte: UInt8) -> Bool {
        byte <= 0x20
            || [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "?")].contains(byte)
    }
}
