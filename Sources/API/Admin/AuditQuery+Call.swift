internal import Audit
internal import Domain
internal import JSON

extension AuditQuery {
    /// The page and the conditions that both lists of the audit have: dates, outcome, address, reason, search, and whose entries.
    ///
    /// By default those of the call's organization; `scope=server` shows every entry, those of no organization too.
    ///
    /// - Parameter lists: further fields that `name__in` filters.
    init(_ call: Call, _ page: Page, lists: Set<String> = []) throws(Refusal) {
        self.init()
        let query = call.query
        for name in query.names.sorted() where !lists.union(["outcome"]).contains(where: { $0 + "__in" == name }) {
            try Page.refuseOperator(name)
        }
        isOldestFirst = ["datetime", "id"].contains(page.order.first)
        switch query.text("scope") {
        case nil, "organization": organization = call.organization
        case "server": organization = nil
        default: throw .invalid("scope", "Choose one of: organization, server.")
        }
        offset = page.limit == nil ? 0 : page.offset
        limit = page.limit ?? Page.largestWhole
        from = try Self.date("date_from", query)
        to = try Self.date("date_to", query)
        for text in Self.values("outcome", query) {
            guard let outcome = AuditOutcome(rawValue: text) else {
                throw .invalid("outcome", "Choose one of: \(AuditOutcome.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            outcomes.append(outcome)
        }
        if let text = query.text("remote_addr") { texts.append(TextCondition(.address, is: text)) }
        if let text = query.text("reason") { texts.append(TextCondition(.reason, contains: text)) }
        if let text = page.search { texts.append(TextCondition(.anywhere, contains: text)) }
        request = try query.id("request_id")
    }

    /// `name=a` or `name__in=a,b`.
    static func values(_ name: String, _ query: Query) -> [String] {
        let one = query.text(name).map { [$0] } ?? []
        return one + (query.text(name + "__in")?.split(separator: ",").map { String($0) } ?? [])
    }

    private static func date(_ name: String, _ query: Query) throws(Refusal) -> Timestamp? {
        guard let text = query.text(name) else { return nil }
        // A plus sign that was not escaped reads as a blank.
        guard
            let date = WireDate.parse(text) ?? WireDate.parse(text + " 00:00:00")
                ?? Self.withPlus(text).flatMap({ WireDate.parse($0) })
        else { throw .invalid(name, "Datetime has wrong format. Use YYYY/MM/DD HH:MM:SS +ZZZZ or ISO 8601.") }
        return date
    }

    private static func withPlus(_ text: String) -> String? {
        guard let blank = text.lastIndex(of: " ") else { return nil }
        return text.replacing(at: blank, with: "+")
    }
}

extension String {
    fileprivate func replacing(at index: Index, with character: Character) -> String {
        String(self[..<index]) + String(character) + String(self[self.index(after: index)...])
    }
}

extension AuditPage {
    /// The page as an answer; without `limit` everything that matches, or a refusal that tells to page. A list that did not look at
    /// everything says so.
    func reply(_ page: Page, _ call: Call, _ write: (AuditRecord, inout JSONWriter<[UInt8]>) -> Void) throws(Refusal) -> Reply {
        try page.requireWhole(Int64(total))
        guard isComplete || page.limit != nil else {
            throw .malformed(
                "The audit is too long to be looked through: ask with date_from and date_to, or for pages with limit.")
        }
        return .list(records, total: total, page: page, call: call, isComplete: isComplete, write)
    }
}
