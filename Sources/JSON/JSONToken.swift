/// One value or key of a scanned document, in the order of the text.
///
/// An object's children are key, value, key, value…; a child's subtree ends where `next` points.
struct JSONToken {
    enum Kind: UInt8 {
        case null, bool, number, string, array, object
    }

    let kind: Kind
    /// True if a string contains a backslash, so that its bytes are not yet its text.
    let isEscaped: Bool
    /// The first byte of the token; for a string the one after its quote.
    let start: UInt32
    /// One past the last byte; for a string its closing quote.
    var end: UInt32
    /// Index of the first token after this one and everything in it.
    var next: UInt32
    /// Elements of an array, members of an object, otherwise zero.
    var count: UInt32
}
