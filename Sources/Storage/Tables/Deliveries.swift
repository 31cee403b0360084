package import Domain

/// The outbox: messages that were promised in a transaction and are sent after it.
///
/// The sender serves all organizations, so `due`, `settle` and `prune` look at all of them; what administrators see is scoped.
package enum Deliveries {
    /// In the transaction of what the message tells of, so that neither is there without the other.
    package static func insert(_ row: Authenticated<Delivery>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO deliveries (id, org_id, channel, recipient, event, subject, body, payload, date_created, date_due, attempts,
                state, fault, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .text(value.channel), .text(value.recipient), .text(value.event),
                .text(value.subject), .text(value.text), .text(value.payload), .time(value.dateCreated), .time(value.dateDue),
                .integer(value.attempts), .text(value.state.rawValue), .text(value.fault), .blob(row.mac),
            ])
    }

    package static func exists(_ id: Delivery.ID, on connection: any SQLConnection) throws -> Bool {
        try connection.exists("SELECT 1 FROM deliveries WHERE id = ?", [.id(id)])
    }

    /// What waits and is due, the longest due first; one that cannot be read keeps none of the others waiting.
    package static func due(
        at moment: Timestamp, limit: Int64, on connection: any SQLConnection
    ) throws -> [FoundRow<Authenticated<Delivery>>] {
        try connection.query(
            """
            SELECT id, org_id, channel, recipient, event, subject, body, payload, date_created, date_due, attempts, state, fault, mac
            FROM deliveries WHERE state = 'waiting' AND date_due <= ? ORDER BY date_due LIMIT ?
            """,
            [.time(moment), .integer(max(0, limit))]
        ) { row -> FoundRow<Authenticated<Delivery>> in
            do {
                return .success(try decode(row))
            } catch StorageFault.corrupt(let what) {
                return .failure(DamagedRow(id: try row.blob(0), what: what))
            }
        }
    }

    /// Gives a message up that cannot be read.
    package static func abandon(_ row: DamagedRow, on connection: any SQLConnection) throws {
        try connection.execute(
            "UPDATE deliveries SET state = 'abandoned', fault = ? WHERE id = ?", [.text("damaged: " + row.what), .blob(row.id)])
    }

    /// Every message of an organization, newest first, by pages.
    package static func page(
        in organization: OrganizationID, offset: Int64, limit: Int64, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Delivery>> {
        let total = try connection.integer("SELECT COUNT(*) FROM deliveries WHERE org_id = ?", [.id(organization)])
        let rows = try connection.query(
            """
            SELECT id, org_id, channel, recipient, event, subject, body, payload, date_created, date_due, attempts, state, fault, mac
            FROM deliveries WHERE org_id = ? ORDER BY date_created DESC, id LIMIT ? OFFSET ?
            """,
            [.id(organization), .integer(max(0, limit)), .integer(max(0, offset))], decode)
        return ListPage(rows: rows, total: total)
    }

    /// Every message of every organization, by pages in the order of ids.
    package static func page(
        after id: Delivery.ID?, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Delivery>] {
        try connection.query(
            """
            SELECT id, org_id, channel, recipient, event, subject, body, payload, date_created, date_due, attempts, state, fault, mac
            FROM deliveries WHERE id > ? ORDER BY id LIMIT ?
            """,
            [.id(id ?? Delivery.ID(high: 0, low: 0)), .integer(max(0, limit))], decode)
    }

    /// Writes what an attempt came to; what is said to whom never changes.
    package static func settle(_ value: Delivery, on connection: any SQLConnection) throws {
        try connection.execute(
            "UPDATE deliveries SET date_due = ?, attempts = ?, state = ?, fault = ? WHERE id = ? AND org_id = ?",
            [
                .time(value.dateDue), .integer(value.attempts), .text(value.state.rawValue), .text(value.fault), .id(value.id),
                .id(value.organization),
            ])
    }

    /// Deletes what was settled and made before the moment, at most 1000 at once, and returns how many.
    package static func prune(before moment: Timestamp, on connection: any SQLConnection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM deliveries WHERE id IN (
                SELECT id FROM deliveries WHERE state <> 'waiting' AND date_created < ? LIMIT 1000)
            """,
            [.time(moment)])
    }

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Delivery> {
        let value = Delivery(
            id: try row.id(0), organization: try row.id(1), channel: try row.text(2), recipient: try row.text(3),
            event: try row.text(4), subject: try row.text(5), text: try row.text(6), payload: try row.text(7),
            dateCreated: try row.time(8), dateDue: try row.time(9), attempts: try row.integer(10), state: try row.value(11),
            fault: try row.text(12))
        return Authenticated(value: value, mac: try row.blob(13))
    }
}
