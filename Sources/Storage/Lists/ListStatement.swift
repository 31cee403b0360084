/// The fixed parts of a list's statement; what is asked for goes between them.
struct ListStatement: Sendable {
    /// `SELECT …` without its `FROM`.
    let select: SQLQuery
    /// `FROM …` with the table whose rows are listed.
    let from: StaticString
    /// Further tables that the page shows: `JOIN …`; empty if none. Each must give every listed row exactly one.
    let join: StaticString
    /// Condition on a row of a further table: `x IN (SELECT … WHERE`, still to be followed by the condition and `)`. Asked once,
    /// where a join would be asked for each row.
    var related: StaticString = "("
    /// Whether `related` has placeholders for the scope's values.
    var isRelatedScoped = false
    /// What every row must fulfil, with the values given at run time; never empty.
    let scope: StaticString
    /// Columns that `search` looks into.
    let searched: [ListColumn]
    /// `ORDER BY` when nothing else is asked for, and after what is.
    let order: StaticString
}

extension ListStatement {
    /// Reads the page and the total.
    func run<Field: ListField, Row>(
        _ request: ListRequest<Field>, scope values: [SQLValue], on connection: any SQLConnection,
        _ row: (borrowing SQLRow) throws -> Row
    ) throws -> ListPage<Row> {
        var condition = SQLQuery("WHERE", [])
        condition.append(scope, values)
        for filter in request.filters {
            condition.append("AND")
            let isRelated = filter.field.column.isRelated
            if isRelated { condition.append(related, isRelatedScoped ? values : []) }
            condition.append(filter)
            if isRelated { condition.append(")") }
        }
        if let search = request.search, !search.isEmpty { append(search: search, scope: values, to: &condition) }

        var count = SQLQuery("SELECT COUNT(*)")
        count.append(from)
        count.append(condition)
        let total = try connection.first(count) { try $0.integer(0) } ?? 0

        var page = select
        page.append(from)
        page.append(join)
        page.append(condition)
        page.append("ORDER BY")
        for order in request.order where order.field.column.isOrdered {
            page.append(order.field.column.expression)
            page.append(order.isDescending ? "DESC," : "ASC,")
        }
        page.append(order)
        page.append("LIMIT ? OFFSET ?", [.integer(max(0, request.limit)), .integer(max(0, request.offset))])
        return ListPage(rows: try connection.query(page, row), total: total)
    }

    /// The same, each row decoded by itself, so that one that cannot be read takes none of the others with it. Its id is the first column.
    func found<Field: ListField, Row: Sendable>(
        _ request: ListRequest<Field>, scope values: [SQLValue], on connection: any SQLConnection,
        _ decode: (borrowing SQLRow) throws -> Row
    ) throws -> ListPage<FoundRow<Row>> {
        try run(request, scope: values, on: connection) { row -> FoundRow<Row> in
            do {
                return .success(try decode(row))
            } catch StorageFault.corrupt(let what) {
                return .failure(DamagedRow(id: try row.blob(0), what: what))
            }
        }
    }

    private func append(search: String, scope values: [SQLValue], to condition: inout SQLQuery) {
        condition.append("AND (1 = 0")
        for column in searched where !column.isRelated {
            condition.append("OR")
            condition.append(contains: search, in: column.expression)
        }
        if searched.contains(where: \.isRelated) {
            condition.append("OR")
            condition.append(related, isRelatedScoped ? values : [])
            condition.append("(1 = 0")
            for column in searched where column.isRelated {
                condition.append("OR")
                condition.append(contains: search, in: column.expression)
            }
            condition.append("))")
        }
        condition.append(")")
    }
}

extension SQLQuery {
    fileprivate mutating func append<Field>(_ filter: ListFilter<Field>) {
        let column = filter.field.column
        switch filter.match {
        case .exact(let value) where column.isMembership: append(membership: [value], of: column)
        case .anyOf(let values) where column.isMembership: append(membership: values, of: column)
        case .not where column.isMembership: append("1 = 0")
        case .not(let value):
            append(column.expression)
            append("<> ?", [value])
        case .contains, .startsWith, .containsExactly, .endsWith, .ordered:
            guard !column.isMembership, column.kind == .text else { return append("1 = 0") }
            append(textual: filter.match, of: column.expression)
        case .exact(let value):
            append(column.expression)
            append("= ?", [value])
        case .anyOf(let values):
            append(column.expression)
            append("IN")
            append(listOf: values)
        }
    }

    private mutating func append(textual match: ListMatch, of expression: StaticString) {
        switch match {
        case .contains(let text): append(contains: text, in: expression)
        case .startsWith(let text): append(start: text, of: expression)
        case .containsExactly(let text): append(part: text, of: expression)
        case .endsWith(let text): append(end: text, of: expression)
        case .ordered(let comparison, let text):
            append(expression)
            switch comparison {
            case .less: append("< ?", [.text(text)])
            case .lessOrEqual: append("<= ?", [.text(text)])
            case .greater: append("> ?", [.text(text)])
            case .greaterOrEqual: append(">= ?", [.text(text)])
            }
        case .exact, .anyOf, .not: append("1 = 0")
        }
    }

    private mutating func append(membership values: [SQLValue], of column: ListColumn) {
        append(column.expression)
        append(listOf: values)
        append(")")
    }

    /// The text anywhere in the column; its own `%` and `_` stand for themselves.
    mutating func append(contains text: String, in expression: StaticString) {
        // LIKE ends at a NUL and has a limit of length; no stored name has either.
        guard text.utf8.count <= 1024, !text.utf8.contains(0) else { return append("1 = 0") }
        var pattern = "%"
        for character in text.unicodeScalars {
            if character == "%" || character == "_" || character == "\\" { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(character)
        }
        append(expression)
        append("LIKE ? ESCAPE '\\'", [.text(pattern + "%")])
    }

    private mutating func append(start text: String, of expression: StaticString) {
        guard !text.utf8.contains(0) else { return append("1 = 0") }
        append("substr(")
        append(expression)
        append(", 1, length(?)) = ?", [.text(text), .text(text)])
    }

    /// The text anywhere in the column, with regard to case; taking it out must make a difference. An empty text is nowhere.
    private mutating func append(part text: String, of expression: StaticString) {
        guard !text.utf8.contains(0) else { return append("1 = 0") }
        append("replace(")
        append(expression)
        append(", ?, '') <>", [.text(text)])
        append(expression)
    }

    private mutating func append(end text: String, of expression: StaticString) {
        guard !text.utf8.contains(0) else { return append("1 = 0") }
        append("(length(")
        append(expression)
        append(") >= length(?) AND substr(", [.text(text)])
        append(expression)
        append(", length(")
        append(expression)
        append(") - length(?) + 1) = ?)", [.text(text), .text(text)])
    }
}
