/// The one form in which a user name is stored, looked up and counted: lower-case ASCII letters, digits, `.`, `_`, `-`, `@`, at most 128.
///
/// One form only, so that no two stored names look alike and no other spelling slips past a lock-out.
enum Username {
    /// The canonical form; nil for what can be nobody's name.
    static func canonical(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard (1...128).contains(bytes.count) else { return nil }
        var out: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): out.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): out.append(byte)
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "@"): out.append(byte)
            default: return nil
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
