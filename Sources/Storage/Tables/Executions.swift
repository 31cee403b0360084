package import Domain

/// Runs of tasks.
package enum Executions {
    package static func get(
        _ id: ExecutionID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Execution>? {
        var query = selection
        query.append("FROM executions e WHERE e.org_id = ? AND e.id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    package static func insert(_ row: Authenticated<Execution>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO executions (
                id, org_id, kind, task_id, task_name, run_by, author_id, author, what, status, date_created, date_start,
                date_finished, total, done, reason, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .text(value.kind.rawValue), .id(value.task), .text(value.taskName),
                .text(value.trigger.rawValue), .id(value.author.user), .text(value.author.name), .text(value.order.text),
                .text(value.status.rawValue), .time(value.dateCreated), .time(value.dateStart), .time(value.dateFinished),
                .integer(value.progress.total), .integer(value.progress.done), .text(value.reason), .blob(row.mac),
            ])
    }

    /// Writes how it stands, never what was asked for; false if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Execution>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            """
            UPDATE executions SET status = ?, date_start = ?, date_finished = ?, total = ?, done = ?, reason = ?, mac = ?
            WHERE org_id = ? AND id = ?
            """,
            [
                .text(value.status.rawValue), .time(value.dateStart), .time(value.dateFinished), .integer(value.progress.total),
                .integer(value.progress.done), .text(value.reason), .blob(row.mac), .id(value.organization), .id(value.id),
            ]) > 0
    }

    /// Notes that one more account is done.
    package static func advance(
        _ id: ExecutionID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws {
        try connection.execute("UPDATE executions SET done = done + 1 WHERE org_id = ? AND id = ?", [.id(organization), .id(id)])
    }

    /// Whether a run of the task is open.
    package static func hasOpen(
        of task: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Bool {
        try connection.exists(
            "SELECT 1 FROM executions WHERE task_id = ? AND org_id = ? AND status IN ('pending', 'running')",
            [.id(task), .id(organization)])
    }

    /// Open ones of every organization, the oldest first.
    package static func open(limit: Int64, on connection: any SQLConnection) throws -> [FoundRow<Authenticated<Execution>>] {
        var query = selection
        query.append(
            "FROM executions e WHERE e.status IN ('pending', 'running') ORDER BY e.date_created, e.id LIMIT ?", [.integer(limit)])
        return try connection.found(query, id: 0) { try decode($0) }
    }

    /// Where the next page of old executions begins.
    package struct OldPlace: Sendable {
        fileprivate let created: Timestamp
        fileprivate let execution: [UInt8]
    }

    /// Executions of every organization that ended before the moment and may be forgotten, the oldest first. Global.
    package static func old(
        before moment: Timestamp, after place: OldPlace? = nil, limit: Int64, on connection: any SQLConnection
    ) throws -> FoundPage<(id: ExecutionID, organization: OrganizationID), OldPlace> {
        let place = place ?? OldPlace(created: Timestamp(milliseconds: .min), execution: [])
        var query = SQLQuery("SELECT e.id, e.org_id, e.date_created FROM executions e WHERE", [])
        query.append(forgettable(before: moment))
        query.append(
            "AND (e.date_created, e.id) > (?, ?) ORDER BY e.date_created, e.id LIMIT ?",
            [.time(place.created), .blob(place.execution), .integer(limit)])
        return try connection.found(
            query, id: 0, limit: limit, at: { OldPlace(created: try $0.time(2), execution: try $0.blob(0)) }
        ) { (id: try $0.id(0), organization: try $0.id(1)) }
    }

    /// Whether an execution may be forgotten. Global.
    package static func isOld(_ id: ExecutionID, before moment: Timestamp, on connection: any SQLConnection) throws -> Bool {
        var query = SQLQuery("SELECT 1 FROM executions e WHERE e.id = ? AND", [.id(id)])
        query.append(forgettable(before: moment))
        return try connection.first(query) { _ in true } ?? false
    }

    /// Begun and ended long ago, and no change of its records is open (a record's change has the record's id), and not the last one of a task.
    private static func forgettable(before moment: Timestamp) -> SQLQuery {
        SQLQuery(
            """
            e.status NOT IN ('pending', 'running') AND e.date_created < ? AND COALESCE(e.date_finished, e.date_created) < ?
            AND NOT EXISTS (SELECT 1 FROM records r WHERE r.execution_id = e.id AND r.status = 'pending')
            AND NOT EXISTS (SELECT 1 FROM records r JOIN secret_changes c ON c.id = r.id WHERE r.execution_id = e.id)
            AND NOT EXISTS (SELECT 1 FROM task_states s WHERE s.last_execution_id = e.id)
            """, [.time(moment), .time(moment)])
    }

    /// False if there is none. Its records go before. Global.
    package static func delete(_ id: ExecutionID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM executions WHERE id = ?", [.id(id)]) > 0
    }

    /// Executions of an organization with ids above the given one.
    package static func page(
        after id: ExecutionID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Execution>] {
        var query = selection
        query.append(
            "FROM executions e WHERE e.id > ? AND e.org_id = ? ORDER BY e.id LIMIT ?",
            [.id(id ?? ExecutionID(high: 0, low: 0)), .id(organization), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }

    private static let selection = SQLQuery("SELECT", []).appending(
        """
        e.id, e.org_id, e.task_id, e.task_name, e.run_by, e.author_id, e.author, e.what, e.status, e.date_created, e.date_start, \
        e.date_finished, e.total, e.done, e.reason, e.mac
        """)

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Execution> {
        guard let order = TaskOrder(text: try row.text(7)) else { throw row.fault(7) }
        return Authenticated(
            value: Execution(
                id: try row.id(0), organization: try row.id(1), task: try row.idOrNil(2), taskName: try row.text(3),
                trigger: try row.value(4), author: Execution.Author(user: try row.idOrNil(5), name: try row.text(6)),
                order: order, dateCreated: try row.time(9), status: try row.value(8), dateStart: try row.timeOrNil(10),
                dateFinished: try row.timeOrNil(11),
                progress: Execution.Progress(total: try row.integer(12), done: try row.integer(13)), reason: try row.text(14)),
            mac: try row.blob(15))
    }
}

// MARK: - List

/// What the list of executions is filtered and ordered by.
package enum ExecutionField: String, ListField {
    case id, status, trigger
    case type = "kind"
    case automation = "automation_id"
    case automationName = "automation_name"
    case author
    case dateCreated = "date_created"
    case dateStart = "date_start"
    case dateFinished = "date_finished"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "e.id")
        case .status: ListColumn(.text, "e.status")
        case .trigger: ListColumn(.text, "e.run_by")
        case .type: ListColumn(.text, "e.kind")
        case .automation: ListColumn(.id, "e.task_id")
        case .automationName: ListColumn(.text, "e.task_name")
        case .author: ListColumn(.text, "e.author")
        case .dateCreated: ListColumn(.time, "e.date_created")
        case .dateStart: ListColumn(.time, "e.date_start")
        case .dateFinished: ListColumn(.time, "e.date_finished")
        }
    }
}

extension Executions {
    package static func list(
        _ request: ListRequest<ExecutionField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Execution>> {
        try statement.run(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    /// The same with what cannot be read in its place.
    package static func found(
        _ request: ListRequest<ExecutionField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<FoundRow<Authenticated<Execution>>> {
        try statement.found(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM executions e", join: "", scope: "e.org_id = ?",
        searched: [ExecutionField.automationName.column, ExecutionField.author.column], order: "e.date_created DESC, e.id")
}
