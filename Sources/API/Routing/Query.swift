package import Domain

/// The parameters after the question mark, decoded; a name that comes twice is refused, since two readers could take two values.
package struct Query: Sendable {
    package static let limit = 100

    private let values: [String: String]

    package init(_ raw: some Sequence<UInt8>) throws(Refusal) {
        var values: [String: String] = [:]
        for pair in Array(raw).split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            guard values.count < Self.limit else { throw .malformed("Too many query parameters.") }
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, let name = PercentCoding.decode(first, plusIsSpace: true),
                let value = PercentCoding.decode(parts.count > 1 ? parts[1] : [], plusIsSpace: true)
            else { throw .malformed("A query parameter is not valid percent-encoded UTF-8.") }
            guard values.updateValue(value, forKey: name) == nil else { throw .malformed("A query parameter is given twice.") }
        }
        self.values = values
    }

    package subscript(name: String) -> String? { values[name] }

    /// A parameter that is there and not blank.
    package func text(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    /// `true`, `1`, `yes` and their opposites, in any case.
    package func flag(_ name: String) throws(Refusal) -> Bool? {
        guard let value = text(name) else { return nil }
        switch value.lowercased() {
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        default: throw .invalid(name, "Must be a valid boolean.")
        }
    }

    package func id<Entity>(_ name: String, of _: Entity.Type = Entity.self) throws(Refusal) -> Identifier<Entity>? {
        guard let value = text(name) else { return nil }
        guard let id = Identifier<Entity>(value) else { throw .invalid(name, "Must be a valid UUID.") }
        return id
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let value = text(name) else { return nil }
        guard let number = Int(value), range.contains(number) else { throw .invalid(name, "A valid integer is required.") }
        return number
    }

    package var names: [String] { Array(values.keys) }
}
