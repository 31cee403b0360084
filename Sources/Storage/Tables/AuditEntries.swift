package import Domain

/// What an audit entry is found by without reading its body; each repeats what the body says, which alone the chain covers.
package struct AuditColumns: Sendable, Equatable {
    package var time: Timestamp
    package var action: String
    package var outcome: String
    package var actorKind: String
    package var actorID: Identifier<Actor>?
    package var organization: OrganizationID?

    package init(
        time: Timestamp, action: String, outcome: String, actorKind: String, actorID: Identifier<Actor>?,
        organization: OrganizationID?
    ) {
        self.time = time
        self.action = action
        self.outcome = outcome
        self.actorKind = actorKind
        self.actorID = actorID
        self.organization = organization
    }

    package init(_ entry: borrowing AuditEntry) {
        time = entry.time
        action = entry.action.rawValue
        outcome = entry.outcome.rawValue
        actorKind = entry.actor.kind
        organization = entry.organization
        switch entry.actor {
        case .user(let id, _): actorID = id.retyped()
        case .application(let id, _, _): actorID = id.retyped()
        case .system, .operatorLocal, .anonymous: actorID = nil
        }
    }

    init(_ row: borrowing SQLRow, from first: Int) throws {
        time = try row.time(first)
        action = try row.text(first + 1)
        outcome = try row.text(first + 2)
        actorKind = try row.text(first + 3)
        actorID = try row.idOrNil(first + 4)
        organization = try row.idOrNil(first + 5)
    }
}

/// An audit entry as it is stored: its number in the chain, its canonical body and the hash that links it.
package struct AuditRow: Sendable, Equatable {
    package var seq: Int64
    package var columns: AuditColumns
    package var body: [UInt8]
    /// 32 bytes.
    package var hash: [UInt8]

    package init(seq: Int64, columns: AuditColumns, body: [UInt8], hash: [UInt8]) {
        self.seq = seq
        self.columns = columns
        self.body = body
        self.hash = hash
    }

    init(_ row: borrowing SQLRow) throws {
        seq = try row.integer(0)
        columns = try AuditColumns(row, from: 1)
        body = try row.withBlob(7) { PackedBody.expand($0) }
        hash = try row.blob(8)
    }
}

/// The entries of the audit, in the order of the chain. Rows are only ever added; bodies may be stored packed, and are read expanded.
package enum AuditEntries {
    /// `body` is the entry's body or its packed form.
    package static func insert(
        _ columns: AuditColumns, seq: Int64, hash: [UInt8], body: UnsafeRawBufferPointer, _ connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO audit_entries
                (seq, time_ms, action, outcome, actor_kind, actor_id, organization_id, hash, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(seq), .time(columns.time), .text(columns.action), .text(columns.outcome), .text(columns.actorKind),
                .id(columns.actorID), .id(columns.organization), .blob(hash),
            ], lending: body)
    }

    /// The newest entry, if there is one.
    package static func last(_ connection: any SQLConnection) throws -> AuditRow? {
        try connection.query(
            """
            SELECT seq, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash
            FROM audit_entries ORDER BY seq DESC LIMIT 1
            """, []
        ) { try AuditRow($0) }.first
    }

    package static func entry(_ seq: Int64, _ connection: any SQLConnection) throws -> AuditRow? {
        try connection.query(
            """
            SELECT seq, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash
            FROM audit_entries WHERE seq = ?
            """, [.integer(seq)]
        ) { try AuditRow($0) }.first
    }

    /// At most `limit` entries after a number, oldest first.
    package static func page(after seq: Int64, limit: Int64, _ connection: any SQLConnection) throws -> [AuditRow] {
        try connection.query(
            """
            SELECT seq, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash
            FROM audit_entries WHERE seq > ? ORDER BY seq LIMIT ?
            """, [.integer(seq), .integer(limit)]
        ) { try AuditRow($0) }
    }
}

// MARK: - Lists

/// Which entries a list wants, as far as columns tell.
package struct AuditRowFilter: Sendable {
    package var organization: OrganizationID?
    package var actions: [String] = []
    package var outcomes: [String] = []
    package var actorKinds: [String] = []
    package var actorID: Identifier<Actor>?
    /// Inclusive.
    package var from: Timestamp?
    /// Inclusive.
    package var to: Timestamp?
    package var isOldestFirst = false

    package init() {}
}

extension AuditEntries {
    /// Steps from the newest to the oldest, or the other way, of the entries numbered `range` that pass the filter, until the closure returns false.
    ///
    /// The closure gets the number, the hash and the body, which is borrowed: valid inside it only.
    package static func scan(
        _ range: ClosedRange<Int64>, _ filter: AuditRowFilter, _ connection: any SQLConnection,
        _ row: (_ seq: Int64, _ hash: [UInt8], _ body: UnsafeRawBufferPointer) -> Bool
    ) throws {
        var query = SQLQuery(
            "SELECT seq, hash, body FROM audit_entries WHERE seq >= ? AND seq <= ?",
            [.integer(range.lowerBound), .integer(range.upperBound)])
        if let organization = filter.organization { query.append("AND organization_id = ?", [.id(organization)]) }
        if let actor = filter.actorID { query.append("AND actor_id = ?", [.id(actor)]) }
        append("AND action IN", filter.actions, to: &query)
        append("AND outcome IN", filter.outcomes, to: &query)
        append("AND actor_kind IN", filter.actorKinds, to: &query)
        if let from = filter.from { query.append("AND time_ms >= ?", [.time(from)]) }
        if let to = filter.to { query.append("AND time_ms <= ?", [.time(to)]) }
        query.append(filter.isOldestFirst ? "ORDER BY seq" : "ORDER BY seq DESC")
        try connection.scan(query) { columns in
            let (seq, hash) = (try columns.integer(0), try columns.blob(1))
            return try columns.withBlob(2) { stored in
                if stored.first.map({ $0 >= 0x20 }) ?? true { return row(seq, hash, stored) }
                return PackedBody.expand(stored).withUnsafeBytes { row(seq, hash, $0) }
            }
        }
    }

    /// An empty list is no condition.
    private static func append(_ piece: StaticString, _ texts: [String], to query: inout SQLQuery) {
        guard !texts.isEmpty else { return }
        query.append(piece)
        query.append(listOf: texts.map { .text($0) })
    }
}
