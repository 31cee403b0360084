internal import Domain

/// The fields of a list that is short enough to be held in memory, with the conventions of those that the database pages: filters
/// (`name`, `name__in`, `name__icontains`, `name__startswith`), search, and order.
struct ShortList<Row>: Sendable {
    struct Field: Sendable {
        enum Kind { case text, flag, integer }

        let name: String
        let kind: Kind
        /// Whether `search` looks into it.
        let isSearched: Bool
        let value: @Sendable (Row) -> Value

        /// A text.
        static func text(_ name: String, searched: Bool = false, _ value: @escaping @Sendable (Row) -> String?) -> Field {
            Field(name: name, kind: .text, isSearched: searched) { value($0).map { .text($0) } ?? .absent }
        }

        /// A number, or a time in milliseconds.
        static func integer(_ name: String, _ value: @escaping @Sendable (Row) -> Int64?) -> Field {
            Field(name: name, kind: .integer, isSearched: false) { value($0).map { .integer($0) } ?? .absent }
        }

        static func flag(_ name: String, _ value: @escaping @Sendable (Row) -> Bool) -> Field {
            Field(name: name, kind: .flag, isSearched: false) { .integer(value($0) ? 1 : 0) }
        }
    }

    /// What is absent comes first.
    enum Value: Comparable, Sendable {
        case absent
        case integer(Int64)
        case text(String)

        /// Whatever the case of letters; no number contains anything.
        func contains(_ text: String) -> Bool {
            guard case .text(let own) = self else { return false }
            return own.lowercased().contains(text.lowercased())
        }

        func starts(with text: String) -> Bool {
            guard case .text(let own) = self else { return false }
            return own.lowercased().hasPrefix(text.lowercased())
        }
    }

    let fields: [Field]

    /// The rows that the query of a call asks for, in its order, all pages of them.
    ///
    /// As for other lists, parameters that the list does not have are ignored, but not operators that a field does not have.
    func matching(_ rows: [Row], _ call: Call, _ page: Page) throws(Refusal) -> [Row] {
        var found = rows
        for name in call.query.names.sorted() where !Page.parameters.contains(name) {
            guard let text = call.query.text(name) else { continue }
            if let holds = try condition(name, text) {
                found = found.filter(holds)
            } else {
                try Page.refuseOperator(name)
            }
        }
        if let text = page.search {
            let searched = fields.filter(\.isSearched)
            found = found.filter { row in searched.contains { $0.value(row).contains(text) } }
        }
        return sorted(found, page.order)
    }

    private func condition(_ parameter: String, _ text: String) throws(Refusal) -> ((Row) -> Bool)? {
        for field in fields {
            let value = field.value
            switch parameter {
            case field.name, field.name + "__exact":
                let wanted = try Self.read(text, field, parameter)
                return { value($0) == wanted }
            case field.name + "__in":
                var wanted: [Value] = []
                for part in text.split(separator: ",") { wanted.append(try Self.read(String(part), field, parameter)) }
                return { wanted.contains(value($0)) }
            case field.name + "__icontains" where field.kind == .text: return { value($0).contains(text) }
            case field.name + "__startswith" where field.kind == .text: return { value($0).starts(with: text) }
            default: continue
            }
        }
        return nil
    }

    private static func read(_ text: String, _ field: Field, _ parameter: String) throws(Refusal) -> Value {
        switch (field.kind, text.lowercased()) {
        case (.text, _): return .text(text)
        case (.flag, "true"), (.flag, "1"): return .integer(1)
        case (.flag, "false"), (.flag, "0"): return .integer(0)
        case (.integer, _):
            if let number = Int64(text) { return .integer(number) }
        case (.flag, _): break
        }
        throw .invalid(parameter, "Enter a valid value.")
    }

    private func sorted(_ rows: [Row], _ order: [String]) -> [Row] {
        let keys = order.compactMap { text -> (field: Field, isDescending: Bool)? in
            let isDescending = text.hasPrefix("-")
            return fields.first { $0.name == text.dropFirst(isDescending ? 1 : 0) }.map { ($0, isDescending) }
        }
        guard !keys.isEmpty else { return rows }
        return rows.enumerated().sorted { a, b in
            for key in keys {
                let (first, second) = (key.field.value(a.element), key.field.value(b.element))
                if first != second { return key.isDescending ? second < first : first < second }
            }
            return a.offset < b.offset
        }.map(\.element)
    }
}

extension Page {
    /// The rows of this page.
    func cut<Row>(_ rows: [Row]) -> [Row] {
        limit == nil ? rows : Array(rows.dropFirst(offset).prefix(self.rows))
    }

    /// Refuses a filter that a list does not have: one that was meant and left out would show too much.
    static func refuseOperator(_ parameter: String) throws(Refusal) {
        if parameter.contains("__") { throw .invalid(parameter, "There is no such filter.") }
    }

    /// The same of a list that has no filters but pages.
    static func refuseFilters(_ query: Query) throws(Refusal) {
        for name in query.names.sorted() { try refuseOperator(name) }
    }
}
