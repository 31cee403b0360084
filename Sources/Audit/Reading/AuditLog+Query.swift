internal import Domain
internal import Storage

extension AuditLog {
    /// The entries that a query asks for, decoded.
    ///
    /// Looks from the newest entry back, or from the oldest on, in short read transactions, so that neither the committer nor other readers wait for it.
    package func list(_ query: AuditQuery) async throws -> AuditPage {
        let stretch = try await database.read { try ChainStretch(of: query, $0) }
        var page = AuditPage()
        page.isComplete = stretch.isWhole
        var (lower, upper) = (stretch.oldest, stretch.newest)
        while lower <= upper {
            try Task<Never, Never>.checkCancellation()
            let range =
                query.isOldestFirst ? lower...min(upper, lower + Self.stride - 1) : max(lower, upper - Self.stride + 1)...upper
            page = try await database.read { [page] in try page.continued(with: query, in: range, $0) }
            if query.isOldestFirst { lower = range.upperBound + 1 } else { upper = range.lowerBound - 1 }
        }
        return page
    }

    /// Entries looked at in one read transaction.
    private static var stride: Int64 { 20_000 }
}

extension AuditPage {
    /// This page with what matches among the entries that come next.
    fileprivate func continued(
        with query: AuditQuery, in range: ClosedRange<Int64>, _ connection: any SQLConnection
    ) throws -> AuditPage {
        var page = self
        let match = EntryMatch(query)
        var fault: AuditFault?
        try AuditEntries.scan(range, query.rowFilter, connection) { seq, hash, body in
            do throws(AuditFault) {
                try page.take(seq, hash, body, query, match)
                return true
            } catch {
                fault = .unreadable("entry \(seq): \(error)")
                return false
            }
        }
        if let fault { throw fault }
        return page
    }

    private mutating func take(
        _ seq: Int64, _ hash: [UInt8], _ body: UnsafeRawBufferPointer, _ query: AuditQuery, _ match: EntryMatch
    ) throws(AuditFault) {
        guard match.mayMatch(body) else { return }
        let isShown = total >= query.offset && records.count < query.limit
        if match.isTrivial, !isShown {
            total += 1
            return
        }
        let entry = try EntryReader.read(body)
        guard match.matches(entry) else { return }
        if isShown { records.append(AuditRecord(seq: seq, hash: hash, entry: entry)) }
        total += 1
    }
}

/// The entries that a query looks at: all of a chain that is short enough, else the newest that its dates allow.
private struct ChainStretch {
    let oldest: Int64
    /// Less than `oldest` if there are none.
    let newest: Int64
    /// Whether nothing was left out that the dates allow.
    let isWhole: Bool

    init(of query: AuditQuery, _ connection: any SQLConnection) throws {
        let end = try AuditEntries.last(connection)?.seq ?? 0
        let limit = max(1, query.scanLimit)
        guard end > limit else {
            (oldest, newest, isWhole) = (1, end, true)
            return
        }
        let slack = max(0, query.clockSlack)
        let last = try query.to.map { to in try Self.count(of: end, connection) { $0 <= to.adding(seconds: slack) } } ?? end
        let first = try query.from.map { from in try Self.count(of: end, connection) { $0 < from.adding(seconds: -slack) } } ?? 0
        newest = last
        oldest = max(first, last - limit) + 1
        isWhole = first >= last - limit
    }

    /// How many entries from the first on are early enough, by halving: times rise along the chain.
    private static func count(
        of end: Int64, _ connection: any SQLConnection, _ isEarly: (Timestamp) -> Bool
    ) throws -> Int64 {
        var (low, high) = (Int64(0), end)
        while low < high {
            let middle = low + (high - low + 1) / 2
            let row = try AuditEntries.page(after: middle - 1, limit: 1, connection).first
            if let row, isEarly(row.columns.time) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
