package import Domain

/// A page of a list that is asked for.
package struct ListRequest<Field: ListField>: Sendable {
    /// All must hold.
    package var filters: [ListFilter<Field>]
    /// Found in any of the list's searched columns, whatever the case of ASCII letters; nil or empty finds everything.
    package var search: String?
    /// First by the first; the list's own order when empty.
    package var order: [ListOrder<Field>]
    package var offset: Int64
    package var limit: Int64

    package init(
        filters: [ListFilter<Field>] = [], search: String? = nil, order: [ListOrder<Field>] = [], offset: Int64 = 0,
        limit: Int64 = 100
    ) {
        self.filters = filters
        self.search = search
        self.order = order
        self.offset = offset
        self.limit = limit
    }
}

/// A page of a list, with how many rows the whole list has.
package struct ListPage<Row: Sendable>: Sendable {
    package var rows: [Row]
    package var total: Int64

    package init(rows: [Row], total: Int64) {
        self.rows = rows
        self.total = total
    }
}

/// One column to order by.
package struct ListOrder<Field: ListField>: Sendable {
    package var field: Field
    package var isDescending: Bool

    package init(_ field: Field, descending: Bool = false) {
        self.field = field
        isDescending = descending
    }

    /// Reads `name` or `-name`; nil if the list has no such field or is not ordered by it.
    package init?(parameter: String) {
        let isDescending = parameter.hasPrefix("-")
        guard let field = Field(rawValue: String(parameter.dropFirst(isDescending ? 1 : 0))), field.column.isOrdered else {
            return nil
        }
        self.init(field, descending: isDescending)
    }
}

/// One condition on a field.
package struct ListFilter<Field: ListField>: Sendable {
    package var field: Field
    package var match: ListMatch

    package init(_ field: Field, _ match: ListMatch) {
        self.field = field
        self.match = match
    }

    /// Any of the ids, as for a node with its descendants.
    package init<Entity>(_ field: Field, anyOf ids: [Identifier<Entity>]) {
        self.init(field, .anyOf(ids.map { .id($0) }))
    }
}

/// How a field must be.
package enum ListMatch: Sendable, Hashable {
    case exact(SQLValue)
    case anyOf([SQLValue])
    /// Whatever the case of ASCII letters.
    case contains(String)
    case startsWith(String)
    /// Anything else.
    case not(SQLValue)
    /// With regard to case.
    case containsExactly(String)
    case endsWith(String)
    /// Before or behind a text, by the order of their bytes.
    case ordered(ListComparison, String)
}

/// How a text may lie to another one.
package enum ListComparison: Sendable, Hashable {
    case less, lessOrEqual, greater, greaterOrEqual
}

/// The fields of a list that can be filtered and ordered by: a closed set, named as in the API.
package protocol ListField: RawRepresentable<String>, CaseIterable, Sendable {
    var column: ListColumn { get }
}

/// Where a field stands in the list's statement.
package struct ListColumn: Sendable {
    package enum Kind: Sendable { case text, id, flag, integer, time }

    package let kind: Kind
    let expression: StaticString
    /// Of a field that is matched through a link table: `x IN (SELECT … WHERE y IN`, still to be followed by the list of values
    /// and `)`.
    let isMembership: Bool
    /// Whether the column is of a further table, not of the one that is listed.
    let isRelated: Bool

    init(_ kind: Kind, _ expression: StaticString, related: Bool = false, membership: Bool = false) {
        self.kind = kind
        self.expression = expression
        isRelated = related
        isMembership = membership
    }

    package var isOrdered: Bool { !isMembership }
}
