/// What is wrong with the fields of a request body, field by field, in the order in which it was found.
///
/// Messages name rules and never repeat values: a value in the wrong place may be a secret.
package struct JSONFieldErrors: Error, Equatable, Sendable {
    /// The name that stands for the body as a whole.
    package static let wholeBody = "non_field_errors"

    package struct Entry: Equatable, Sendable {
        package let field: String
        package var messages: [String]
    }

    package private(set) var entries: [Entry] = []

    package init() {}

    package init(_ field: String, _ message: String) {
        add(field, message)
    }

    package var isEmpty: Bool { entries.isEmpty }

    package mutating func add(_ field: String, _ message: String) {
        if let place = entries.firstIndex(where: { $0.field == field }) {
            entries[place].messages.append(message)
        } else {
            entries.append(Entry(field: field, messages: [message]))
        }
    }

    /// Takes over the errors of a nested value, each field's name behind `prefix` and a dot.
    package mutating func add(_ nested: JSONFieldErrors, under prefix: String) {
        for entry in nested.entries {
            let field = entry.field == Self.wholeBody ? prefix : "\(prefix).\(entry.field)"
            for message in entry.messages { add(field, message) }
        }
    }

    package subscript(field field: String) -> [String] {
        entries.first { $0.field == field }?.messages ?? []
    }

    /// `{"field": ["message", …], …}`
    package func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object {
            for entry in entries { $0.field(entry.field, entry.messages) }
        }
    }
}
