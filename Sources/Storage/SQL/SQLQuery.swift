/// A statement composed at run time from fixed pieces; values come in as bindings only, so none can become SQL.
package struct SQLQuery: Sendable {
    package private(set) var text = ""
    package private(set) var bindings: [SQLValue] = []

    package init(_ piece: StaticString, _ bindings: [SQLValue] = []) { append(piece, bindings) }

    /// A statement that a migration's text was made into.
    init(rendered text: String) { self.text = text }

    /// Adds a piece with the values of its placeholders, in order. A blank goes between pieces.
    package mutating func append(_ piece: StaticString, _ values: [SQLValue] = []) {
        if !text.isEmpty { text.append(" ") }
        piece.withUTF8Buffer { text.append(String(decoding: $0, as: UTF8.self)) }
        bindings.append(contentsOf: values)
    }

    /// Adds another composed piece.
    package mutating func append(_ other: SQLQuery) {
        if !text.isEmpty { text.append(" ") }
        text.append(other.text)
        bindings.append(contentsOf: other.bindings)
    }

    /// Adds `(?, ?, …)` with the values; an empty list becomes `(NULL)`, which nothing is in.
    package mutating func append(listOf values: [SQLValue]) {
        if !text.isEmpty { text.append(" ") }
        text.append(values.isEmpty ? "(NULL)" : "(" + Array(repeating: "?", count: values.count).joined(separator: ", ") + ")")
        bindings.append(contentsOf: values)
    }

    func appending(_ piece: StaticString, _ values: [SQLValue] = []) -> SQLQuery {
        var longer = self
        longer.append(piece, values)
        return longer
    }
}
