internal import Domain
internal import JSON
internal import Storage

extension Call {
    /// The list that the query asks for: a filter for each parameter that names a field of it, search, order, and the page.
    ///
    /// Parameters that name nothing are left aside, as JumpServer does; an operator or a value that does not fit its field is refused,
    /// for leaving it aside would widen the list. `aliases` are further names of fields.
    func list<Field: ListField>(
        _ page: Page, aliases: [String: Field] = [:], except handled: Set<String> = []
    ) throws(Refusal) -> ListRequest<Field> {
        var request = ListRequest<Field>(search: page.search, offset: Int64(page.offset), limit: Int64(page.rows))
        for name in query.names.sorted() where !handled.contains(name) {
            guard let value = query.text(name) else { continue }
            let parts = Self.split(name)
            guard let field = aliases[parts.field] ?? Field(rawValue: parts.field) else { continue }
            request.filters.append(try Self.filter(field, parts.operation, value, named: name))
        }
        request.order = page.order.compactMap { ListOrder(parameter: $0) }
        return request
    }

    private static func filter<Field: ListField>(
        _ field: Field, _ operation: String, _ value: String, named name: String
    ) throws(Refusal) -> ListFilter<Field> {
        do {
            guard let filter = try ListFilter<Field>(parameter: field.rawValue + operation, value: value) else {
                throw Refusal.invalid(name, "This field cannot be filtered so.")
            }
            return filter
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .invalid(name, "Not a valid value.")
        }
    }

    /// `name__icontains` as `name` and `__icontains`.
    private static func split(_ name: String) -> (field: String, operation: String) {
        guard let mark = name.utf8.indices.dropLast().last(where: { name.utf8[$0] == 0x5F && name.utf8[name.utf8.index(after: $0)] == 0x5F })
        else { return (name, "") }
        return (String(name[..<mark]), String(name[mark...]))
    }
}

extension Page {
    /// Rows that a list without `limit` carries at most.
    static let largestWhole = 10_000

    /// Reads the page; without a `limit` the whole list in steps, or a refusal that tells to page where it is longer than one answer carries.
    func read<Field: ListField, Row>(
        _ request: ListRequest<Field>, _ list: (ListRequest<Field>) throws -> ListPage<Row>
    ) throws -> ListPage<Row> {
        guard limit == nil else { return try list(request) }
        var request = request
        request.offset = 0
        request.limit = Int64(Self.largest)
        var whole = try list(request)
        try checkWhole(whole.total)
        while whole.rows.count < whole.total {
            request.offset = Int64(whole.rows.count)
            let more = try list(request)
            guard !more.rows.isEmpty else { break }
            whole.rows += more.rows
        }
        return whole
    }

    /// Refuses to give a list without `limit` that is longer than one answer carries.
    func checkWhole(_ total: Int64) throws(Refusal) {
        guard limit == nil, total > Self.largestWhole else { return }
        throw .invalid("limit", "The list has \(total) rows: ask for it in pages, with limit and offset.")
    }
}
