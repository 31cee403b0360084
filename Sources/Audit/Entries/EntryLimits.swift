/// How much of each text an entry keeps; longer ones are cut at a character boundary of UTF-8.
///
/// An entry is bounded so that nobody can fill the disk with one request.
enum EntryLimits {
    static let name = 256
    static let reason = 512
    static let address = 64
    static let action = 64
    static let objectKind = 64
    static let objectID = 128
    /// Objects beyond these are counted, not named.
    static let objects = 64
    /// No body is longer: every text cut, every byte escaped to six.
    static let body = 256 * 1024

    /// How many of the bytes are kept so that at most `limit` are and no character is split.
    static func prefixLength(of text: UnsafeBufferPointer<UInt8>, limit: Int) -> Int {
        guard text.count > limit else { return text.count }
        var end = limit
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var text = text
        return text.withUTF8 { String(decoding: $0.prefix(prefixLength(of: $0, limit: limit)), as: UTF8.self) }
    }
}
