internal import Domain

extension ListFilter {
    /// Reads a query parameter: `name`, `name__exact`, `name__icontains`, `name__startswith`, `name__in` (comma-separated).
    ///
    /// Returns nil for a field or operator that the list does not have; throws `.unreadable` for a value that is none of the
    /// field's kind.
    package init?(parameter: String, value: String) throws(ListParameterError) {
        var name = Substring(parameter)
        var relation = Substring("exact")
        if let mark = Self.lastMark(in: parameter) {
            name = parameter[..<mark.lowerBound]
            relation = parameter[mark.upperBound...]
        }
        guard let field = Field(rawValue: String(name)) else { return nil }
        let kind = field.column.kind
        switch relation {
        case "exact": self.init(field, .exact(try Self.read(value, kind)))
        case "in":
            var values: [SQLValue] = []
            for part in value.split(separator: ",") { values.append(try Self.read(String(part), kind)) }
            self.init(field, .anyOf(values))
        case "icontains" where kind == .text && !field.column.isMembership: self.init(field, .contains(value))
        case "startswith" where kind == .text && !field.column.isMembership: self.init(field, .startsWith(value))
        default: return nil
        }
    }

    private static func lastMark(in text: String) -> Range<String.Index>? {
        var found: Range<String.Index>?
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == "_", next < text.endIndex, text[next] == "_" { found = index..<text.index(after: next) }
            index = next
        }
        return found
    }

    private static func read(_ text: String, _ kind: ListColumn.Kind) throws(ListParameterError) -> SQLValue {
        switch kind {
        case .text: return .text(text)
        case .id:
            guard let id = Identifier<Account>(text) else { throw .unreadable }
            return .id(id)
        case .flag:
            switch text.lowercased() {
            case "true", "1": return .flag(true)
            case "false", "0": return .flag(false)
            default: throw .unreadable
            }
        case .integer, .time:
            guard let number = Int64(text) else { throw .unreadable }
            return .integer(number)
        }
    }
}

/// A value that is none of its field's kind.
package enum ListParameterError: Error { case unreadable }
