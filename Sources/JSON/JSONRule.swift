/// How one field is read: which values it takes, and what is said about others.
///
/// A rule throws the messages for its field; nested rules throw them under their own names.
package struct JSONRule<Value> {
    package let read: (JSONValue) throws(JSONFieldErrors) -> Value

    package init(_ read: @escaping (JSONValue) throws(JSONFieldErrors) -> Value) {
        self.read = read
    }

    /// The same rule with a further condition; nil from `transform` refuses the value with `message`.
    package func then<Other>(_ message: String, _ transform: @escaping (Value) -> Other?) -> JSONRule<Other> {
        JSONRule<Other> { [read] value throws(JSONFieldErrors) in
            guard let other = transform(try read(value)) else { throw .value(message) }
            return other
        }
    }
}

extension JSONFieldErrors {
    /// A message about the value that a rule is reading.
    package static func value(_ message: String) -> JSONFieldErrors {
        JSONFieldErrors(wholeBody, message)
    }
}

// MARK: - Scalars

extension JSONRule where Value == String {
    /// Text of at most `max` characters (Unicode scalars), without NUL; white space around it is cut off.
    package static func text(max: Int, min: Int = 0, blank: Bool = false, trim: Bool = true) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard var text = value.string else { throw .value("Not a valid string.") }
            if trim { text = trimmed(text) }
            guard !text.utf8.contains(0) else { throw .value("Null characters are not allowed.") }
            guard blank || !text.isEmpty else { throw .value("This field may not be blank.") }
            let count = text.unicodeScalars.count
            guard count <= max else { throw .value("Ensure this field has no more than \(max) characters.") }
            guard count >= min else { throw .value("Ensure this field has at least \(min) characters.") }
            return text
        }
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}

extension JSONRule where Value == Int {
    package static func int(_ range: ClosedRange<Int> = Int.min...Int.max) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard let wide = value.int, let int = Int(exactly: wide) else { throw .value("A valid integer is required.") }
            guard int >= range.lowerBound else {
                throw .value("Ensure this value is greater than or equal to \(range.lowerBound).")
            }
            guard int <= range.upperBound else {
                throw .value("Ensure this value is less than or equal to \(range.upperBound).")
            }
            return int
        }
    }
}

extension JSONRule where Value == Bool {
    package static var bool: JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard let bool = value.bool else { throw .value("Must be a valid boolean.") }
            return bool
        }
    }
}

extension JSONRule where Value == JSONValue {
    /// Any value, to be read by somebody else.
    package static var any: JSONRule {
        JSONRule { value throws(JSONFieldErrors) in value }
    }

    /// A string of at most `max` bytes that is taken from the document byte by byte and never becomes a `String`.
    package static func secret(max: Int, blank: Bool = false) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard let count = value.unescapedCount else { throw .value("Not a valid string.") }
            guard blank || count > 0 else { throw .value("This field may not be blank.") }
            guard count <= max else { throw .value("Ensure this field has no more than \(max) bytes.") }
            return value
        }
    }
}
