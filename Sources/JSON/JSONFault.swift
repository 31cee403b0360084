/// Why a text is not taken as JSON, and at which byte; it never carries any of the text.
package struct JSONFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case tooLarge = "the text is too large"
        case tooDeep = "nested too deeply"
        case tooManyValues = "too many values"
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "unexpected character"
        case trailingBytes = "something follows the end of the value"
        case controlCharacter = "unescaped control character in a string"
        case invalidUTF8 = "not valid UTF-8"
        case invalidEscape = "invalid escape in a string"
        case invalidSurrogate = "half of a surrogate pair in a string"
        case invalidNumber = "invalid number"
        case duplicateKey = "a key occurs twice in one object"
    }

    package let kind: Kind
    /// Offset of the byte at which the fault was seen, counted from zero.
    package let offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    package var description: String { "\(kind.rawValue) (at byte \(offset))" }
}
