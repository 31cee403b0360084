internal import Domain
internal import Storage

extension ListRequest {
    /// Reads page, order and filters of a list from the query.
    ///
    /// Parameters that the list does not have are ignored, as JumpServer does, but not an operator that a field does not have: a filter that
    /// was meant and left out would show too much. `own` are the parameters that the resource reads itself.
    init(_ call: Call, _ page: Page, own: Set<String> = []) throws(Refusal) {
        var filters: [ListFilter<Field>] = []
        for name in call.query.names.sorted() where !own.contains(name) && !Page.parameters.contains(name) {
            guard let value = call.query.text(name) else { continue }
            let filter: ListFilter<Field>?
            do throws(ListParameterError) {
                filter = try ListFilter<Field>(parameter: name, value: value)
            } catch {
                throw .invalid(name, "Enter a valid value.")
            }
            if let filter {
                filters.append(filter)
            } else {
                try Page.refuseOperator(name)
            }
        }
        self.init(
            filters: filters, search: page.search, order: page.order.compactMap { ListOrder(parameter: $0) },
            offset: page.limit == nil ? 0 : Int64(page.offset),
            limit: page.limit == nil ? Int64(Page.largestWhole) : Int64(page.rows))
    }
}

extension Page {
    static let parameters: Set<String> = ["limit", "offset", "search", "q", "order", "ordering", "oid", "format"]

    /// Rows that a list without `limit` has at most; JumpServer has no bound.
    static let largestWhole = 10_000

    /// Refuses to answer a part of a list as if it were the whole.
    func requireWhole(_ total: Int64) throws(Refusal) {
        guard limit == nil, total > Int64(Self.largestWhole) else { return }
        throw .malformed("The list has \(total) rows; ask for pages of it with limit and offset.")
    }
}
