internal import Domain
internal import Storage

extension AuditLog {
    /// The entries that a query asks for, decoded.
    ///
    /// Looks from the newest entry back, in short read transactions, so that neither the committer nor other readers wait for it.
    package func list(_ query: AuditQuery) async throws -> AuditPage {
        let newest = try await database.read { try AuditEntries.last($0)?.seq ?? 0 }
        let oldest = max(1, newest - min(newest, max(1, query.scanLimit)) + 1)
        var page = AuditPage()
        page.isComplete = oldest == 1
        var upper = newest
        while upper >= oldest {
            try Task<Never, Never>.checkCancellation()
            let range = max(oldest, upper - Self.stride + 1)...upper
            page = try await database.read { [page] in try page.continued(with: query, in: range, $0) }
            upper = range.lowerBound - 1
        }
        return page
    }

    /// Entries looked at in one read transaction.
    private static var stride: Int64 { 20_000 }
}

extension AuditPage {
    /// This page with what matches among older entries.
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
