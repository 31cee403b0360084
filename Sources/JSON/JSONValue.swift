/// A view of one value in a document, which it keeps alive.
///
/// Accessors answer nil when the value is of another kind; nothing is converted silently.
package struct JSONValue: Sendable {
    package enum Kind: Sendable, Equatable {
        case null, bool, number, string, array, object
    }

    let document: JSONDocument
    let index: Int

    init(_ document: JSONDocument, _ index: Int) {
        self.document = document
        self.index = index
    }

    var token: JSONToken { document.tokens[index] }

    package var kind: Kind {
        switch token.kind {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    package var isNull: Bool { token.kind == .null }

    package var bool: Bool? {
        guard token.kind == .bool else { return nil }
        return document.text[Int(token.start)] == UInt8(ascii: "t")
    }

    /// The integer, if the number is written as one (no fraction, no exponent) and fits.
    package var int: Int64? {
        guard token.kind == .number else { return nil }
        var digits = document.text[Int(token.start)..<Int(token.end)]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        var value: Int64 = 0
        for byte in digits {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 0x30)
            let (sum, carry) = isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// The number as a double; nil if it is beyond what a double holds or written with more than 128 characters.
    package var double: Double? {
        guard token.kind == .number, token.end - token.start <= 128 else { return nil }
        let text = String(decoding: document.text[Int(token.start)..<Int(token.end)], as: UTF8.self)
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// Gives `body` the value as it stands in the text, strings with their quotes.
    package func withRawText<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let quote = token.kind == .string ? 1 : 0
        let range = (Int(token.start) - quote)..<(Int(token.end) + quote)
        return try withExtendedLifetime(document) { try body(UnsafeRawBufferPointer(rebasing: document.text[range])) }
    }
}

// MARK: - Strings

extension JSONValue {
    /// The string; never for a secret (use `unescape(into:)`).
    package var string: String? {
        guard token.kind == .string else { return nil }
        guard token.isEscaped else {
            return String(decoding: document.text[Int(token.start)..<Int(token.end)], as: UTF8.self)
        }
        return withExtendedLifetime(document) { String(decoding: Array(unescaped), as: UTF8.self) }
    }

    /// How many UTF-8 bytes the string stands for; nil if the value is no string.
    package var unescapedCount: Int? {
        guard token.kind == .string else { return nil }
        guard token.isEscaped else { return Int(token.end - token.start) }
        return withExtendedLifetime(document) { unescaped.reduce(into: 0) { count, _ in count += 1 } }
    }

    /// Writes the UTF-8 bytes of the string into `buffer` and returns how many there were.
    ///
    /// Nil, with nothing that is useful in `buffer`, if the value is no string or does not fit as a whole.
    package func unescape(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard token.kind == .string else { return nil }
        return withExtendedLifetime(document) {
            var count = 0
            for byte in unescaped {
                guard count < buffer.count else { return nil }
                buffer[count] = byte
                count += 1
            }
            return count
        }
    }

    /// True if the string stands for exactly these characters, without making a string of it.
    package func isString(_ text: String) -> Bool {
        guard token.kind == .string else { return false }
        return withExtendedLifetime(document) { unescaped.elementsEqual(text.utf8) }
    }

    private var unescaped: UnescapedBytes {
        UnescapedBytes(document.text, from: Int(token.start), to: Int(token.end))
    }
}
