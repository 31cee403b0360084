package import Domain

/// What executions did to single accounts.
package enum Records {
    package static func get(
        _ id: RecordID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Record>? {
        var query = selection
        query.append("FROM records r WHERE r.org_id = ? AND r.id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    /// Refused (`.constraint(.foreignKey, …)`) when the execution is not in the same organization.
    package static func insert(_ row: Authenticated<Record>, on connection: any SQLConnection) throws {
        let value = row.value
        try References.require(
            "SELECT 1 FROM executions WHERE org_id = ? AND id = ?", value.execution, in: value.organization,
            "records.execution_id", on: connection)
        try connection.execute(
            """
            INSERT INTO records (
                id, org_id, execution_id, kind, asset_id, asset_name, username, secret_type, date_created, account_id, status,
                reason, detail, date_until, old_version, new_version, steps, date_start, date_finished, is_ignored, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .id(value.execution), .text(value.kind.rawValue), .id(value.asset),
                .text(value.assetName), .text(value.username), .text(value.secretType.rawValue), .time(value.dateCreated),
            ] + changing(row))
    }

    /// Writes what came of it; false if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Record>, on connection: any SQLConnection) throws -> Bool {
        try connection.execute(
            """
            UPDATE records SET account_id = ?, status = ?, reason = ?, detail = ?, date_until = ?, old_version = ?,
                new_version = ?, steps = ?, date_start = ?, date_finished = ?, is_ignored = ?, mac = ?
            WHERE org_id = ? AND id = ?
            """,
            changing(row) + [.id(row.value.organization), .id(row.value.id)]) > 0
    }

    /// An execution's records that are pending, the oldest first.
    package static func pending(
        of execution: ExecutionID, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [FoundRow<Authenticated<Record>>] {
        var query = selection
        query.append(
            "FROM records r WHERE r.execution_id = ? AND r.org_id = ? AND r.status = 'pending' ORDER BY r.date_created, r.id LIMIT ?",
            [.id(execution), .id(organization), .integer(limit)])
        return try connection.found(query, id: 0) { try decode($0) }
    }

    /// Records that were never closed, of executions that are over; by pages in the order of ids, from the bytes of one on. Global.
    package static func leftOpen(
        after id: [UInt8]?, limit: Int64, on connection: any SQLConnection
    ) throws -> FoundPage<Authenticated<Record>, [UInt8]> {
        var query = selection
        query.append(
            """
            FROM records r JOIN executions e ON e.id = r.execution_id
            WHERE r.id > ? AND r.status = 'pending' AND e.status NOT IN ('pending', 'running')
            ORDER BY r.id LIMIT ?
            """,
            [.blob(id ?? []), .integer(limit)])
        return try connection.found(query, id: 0, limit: limit, at: { try $0.blob(0) }) { try decode($0) }
    }

    /// Records of an organization with ids above the given one.
    package static func page(
        after id: RecordID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Record>] {
        var query = selection
        query.append(
            "FROM records r WHERE r.id > ? AND r.org_id = ? ORDER BY r.id LIMIT ?",
            [.id(id ?? RecordID(high: 0, low: 0)), .id(organization), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }

    /// Deletes some of an execution's records and returns how many. Global.
    package static func delete(of execution: ExecutionID, limit: Int64, on connection: any SQLConnection) throws -> Int {
        try connection.execute(
            "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE execution_id = ? LIMIT ?)",
            [.id(execution), .integer(limit)])
    }

    /// How many records of an execution are in which state.
    package static func counts(
        of execution: ExecutionID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Record.Status: Int64] {
        Dictionary(try counts(of: execution, in: organization, on: connection) { try $0.value(0, of: Record.Status.self) }) { $1 }
    }

    /// The same for a view of it: a record in a state that there is not is left out.
    package static func readableCounts(
        of execution: ExecutionID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Record.Status: Int64] {
        let rows = try counts(of: execution, in: organization, on: connection) { try Record.Status(rawValue: $0.text(0)) }
        return rows.reduce(into: [:]) { counts, row in if let status = row.0 { counts[status] = row.1 } }
    }

    private static func counts<Status>(
        of execution: ExecutionID, in organization: OrganizationID, on connection: any SQLConnection,
        _ status: (borrowing SQLRow) throws -> Status
    ) throws -> [(Status, Int64)] {
        try connection.query(
            "SELECT status, COUNT(*) FROM records WHERE execution_id = ? AND org_id = ? GROUP BY status",
            [.id(execution), .id(organization)]
        ) { (try status($0), try $0.integer(1)) }
    }

    /// Accounts whose newest record is uncertain, of every organization.
    package static func uncertainAccounts(on connection: any SQLConnection) throws -> Int64 {
        try connection.integer(
            """
            SELECT COUNT(DISTINCT r.account_id) FROM records r WHERE r.status = 'uncertain' AND NOT EXISTS (
                SELECT 1 FROM records n WHERE n.account_id = r.account_id AND n.date_created > r.date_created
                AND n.status NOT IN ('pending', 'skipped'))
            """)
    }

    private static func changing(_ row: Authenticated<Record>) -> [SQLValue] {
        let value = row.value
        return [
            .id(value.account), .text(value.status.rawValue), .text(value.reason?.rawValue), .text(value.detail),
            .time(value.until), .integer(value.oldVersion), .integer(value.newVersion),
            .list(packed(value.steps)), .time(value.dateStart),
            .time(value.dateFinished), .flag(value.isIgnored), .blob(row.mac),
        ]
    }
}

// MARK: - Columns

extension Records {
    static let selection = SQLQuery("SELECT", []).appending(
        """
        r.id, r.org_id, r.execution_id, r.kind, r.asset_id, r.asset_name, r.account_id, r.username, r.secret_type, r.status, \
        r.reason, r.detail, r.date_until, r.old_version, r.new_version, r.steps, r.date_created, r.date_start, r.date_finished, \
        r.is_ignored, r.mac
        """)

    static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Record> {
        Authenticated(
            value: Record(
                id: try row.id(0), organization: try row.id(1), execution: try row.id(2), kind: try row.value(3),
                asset: try row.id(4), assetName: try row.text(5), account: try row.idOrNil(6), username: try row.text(7),
                secretType: try row.value(8), status: try row.value(9), reason: row.isNull(10) ? nil : try row.value(10),
                detail: try row.text(11), until: try row.timeOrNil(12), oldVersion: try row.integerOrNil(13),
                newVersion: try row.integerOrNil(14), steps: try steps(row, 15), dateCreated: try row.time(16),
                dateStart: try row.timeOrNil(17), dateFinished: try row.timeOrNil(18), isIgnored: try row.flag(19)),
            mac: try row.blob(20))
    }

    /// The first text names the form: four texts a step. The form before had none, and two texts a step, so it is told by its even number.
    private static let form = "steps-2"

    private static func packed(_ steps: [Record.Step]) -> [String] {
        steps.reduce(into: [form]) { texts, step in
            texts += [step.step.name, step.reason?.rawValue ?? "", step.words, String(step.date.milliseconds)]
        }
    }

    private static func steps(_ row: borrowing SQLRow, _ column: Int) throws -> [Record.Step] {
        let texts = try row.texts(column)
        let isOld = texts.count.isMultiple(of: 2)
        guard isOld || texts.first == form else { throw row.fault(column) }
        let (parts, width) = (texts.dropFirst(isOld ? 0 : 1), isOld ? 2 : 4)
        guard parts.count.isMultiple(of: width) else { throw row.fault(column) }
        return try stride(from: parts.startIndex, to: parts.endIndex, by: width).map { start in
            let found = isOld ? oldStep(parts[start], parts[start + 1]) : step(Array(parts[start..<start + width]))
            guard let found else { throw row.fault(column) }
            return found
        }
    }

    private static func step(_ texts: [String]) -> Record.Step? {
        guard texts.count == 4, let step = TurnStep(name: texts[0]), let date = Int64(texts[3]) else { return nil }
        let reason = Record.Reason(rawValue: texts[1])
        guard reason != nil || texts[1].isEmpty else { return nil }
        return Record.Step(step, reason: reason, words: texts[2], date: Timestamp(milliseconds: date))
    }

    /// `verify: words`, or `verify`.
    private static func oldStep(_ text: String, _ milliseconds: String) -> Record.Step? {
        let colon = text.firstRange(of: ": ")
        let name = String(text[..<(colon?.lowerBound ?? text.endIndex)])
        guard let step = TurnStep(name: name), let date = Int64(milliseconds) else { return nil }
        let words = colon.map { String(text[$0.upperBound...]) } ?? ""
        return Record.Step(step, words: words, date: Timestamp(milliseconds: date))
    }
}
