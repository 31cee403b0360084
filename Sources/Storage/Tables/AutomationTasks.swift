package import Domain

/// Tasks that administrators have defined.
package enum AutomationTasks {
    package static func get(
        _ id: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<AutomationTask>? {
        var query = selection
        query.append("FROM tasks t WHERE t.org_id = ? AND t.id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    /// How a planned task stands, for deciding in a transaction whether it is started.
    package struct Standing: Sendable {
        /// The code of its row, for finding out whether it is still the one that was verified.
        package let code: [UInt8]
        package let state: TaskState
        /// Whether a run of it is open.
        package let isRunning: Bool
    }

    /// Nil if there is no such task, or it was never planned.
    package static func standing(
        of id: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Standing? {
        // One statement, since ten thousand tasks may be due at once.
        try connection.first(
            """
            SELECT t.mac, s.task_id, s.org_id, s.date_planned, s.date_begins, s.date_last_run, s.last_execution_id,
                CASE WHEN EXISTS (SELECT 1 FROM executions e WHERE e.task_id = t.id AND e.org_id = t.org_id
                    AND e.status IN ('pending', 'running')) THEN 1 ELSE 0 END
            FROM tasks t JOIN task_states s ON s.task_id = t.id AND s.org_id = t.org_id WHERE t.org_id = ? AND t.id = ?
            """, [.id(organization), .id(id)]
        ) { Standing(code: try $0.blob(0), state: try TaskStates.decode($0, from: 1), isRunning: try $0.flag(7)) }
    }

    /// Refused (`.constraint(.foreignKey, …)`) when an asset or node is not in the same organization, and (`.unique`) when a task of that
    /// kind has the name.
    ///
    /// - Parameter original: the order of the task that this one is a copy of. What it names may be gone by now.
    package static func insert(
        _ row: Authenticated<AutomationTask>, copying original: TaskOrder? = nil, on connection: any SQLConnection
    ) throws {
        let value = row.value
        try checkReferences(value, besides: original, on: connection)
        try connection.execute(
            """
            INSERT INTO tasks (
                id, org_id, kind, name, what, secret, is_periodic, crontab, interval_hours, zone, date_begin, missed,
                jitter, date_scheduled, recipients, is_active, comment, created_by, updated_by, date_created, date_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [.id(value.id), .id(value.organization), .text(value.kind.rawValue)] + common(value) + [
                .text(value.createdBy), .text(value.updatedBy), .time(value.dateCreated), .time(value.dateUpdated),
                .blob(row.mac),
            ])
    }

    /// Writes everything but id, organization, kind and what tells of the creation; false if there is none of that id in the
    /// organization.
    ///
    /// - Parameter before: the order that is stored. What it names may be gone by now: that keeps nobody from switching the task off.
    package static func update(
        _ row: Authenticated<AutomationTask>, from before: TaskOrder? = nil, on connection: any SQLConnection
    ) throws -> Bool {
        let value = row.value
        try checkReferences(value, besides: before, on: connection)
        return try connection.execute(
            """
            UPDATE tasks SET name = ?, what = ?, secret = ?, is_periodic = ?, crontab = ?, interval_hours = ?,
                zone = ?, date_begin = ?, missed = ?, jitter = ?, date_scheduled = ?, recipients = ?, is_active = ?, comment = ?,
                updated_by = ?, date_updated = ?, mac = ?
            WHERE org_id = ? AND id = ?
            """,
            common(value) + [
                .text(value.updatedBy), .time(value.dateUpdated), .blob(row.mac), .id(value.organization), .id(value.id),
            ]) > 0
    }

    /// What kind of task has the id; nil if there is none. Says so also of one that cannot be read any further.
    package static func kind(
        of id: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> String? {
        try connection.first("SELECT kind FROM tasks WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) {
            try $0.text(0)
        }
    }

    /// Deletes the task; its executions and records stay. False if there is none of that id in the organization.
    package static func delete(
        _ id: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute("DELETE FROM task_states WHERE task_id = ? AND org_id = ?", [.id(id), .id(organization)])
        return try connection.execute("DELETE FROM tasks WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    /// Those that run by themselves, of every organization, with their states: for planning and for telling what is overdue. By pages in the
    /// order of ids, from the bytes of one on.
    package static func periodic(
        after id: [UInt8]?, limit: Int64, on connection: any SQLConnection
    ) throws -> FoundPage<(task: Authenticated<AutomationTask>, state: TaskState?), [UInt8]> {
        var query = selection.appending(", ").appending(TaskStates.columns)
        query.append(
            """
            FROM tasks t LEFT JOIN task_states s ON s.task_id = t.id
            WHERE t.is_periodic = 1 AND t.is_active = 1 AND t.id > ? ORDER BY t.id LIMIT ?
            """, [.blob(id ?? []), .integer(limit)])
        return try connection.found(query, id: 0, limit: limit, at: { try $0.blob(0) }) { row in
            (try decode(row), row.isNull(columnCount) ? nil : try TaskStates.decode(row, from: columnCount))
        }
    }

    /// Tasks of every organization whose rows cannot be read. Global.
    package static func damaged(on connection: any SQLConnection) throws -> [DamagedRow] {
        var damaged: [DamagedRow] = []
        var place: [UInt8]? = []
        while let last = place {
            var query = selection
            query.append("FROM tasks t WHERE t.id > ? ORDER BY t.id LIMIT 500", [.blob(last)])
            let page = try connection.found(query, id: 0, limit: 500, at: { try $0.blob(0) }) { try decode($0) }
            for case .failure(let row) in page.rows { damaged.append(row) }
            place = page.next
        }
        return damaged
    }

    /// Where the next page of due tasks begins.
    package struct DuePlace: Sendable {
        fileprivate let begins: Timestamp
        fileprivate let task: [UInt8]
    }

    /// Those whose next run has begun by the given moment, of every organization that is switched on, the earliest first.
    package static func due(
        at moment: Timestamp, after place: DuePlace? = nil, limit: Int64, on connection: any SQLConnection
    ) throws -> FoundPage<(task: Authenticated<AutomationTask>, state: TaskState), DuePlace> {
        let place = place ?? DuePlace(begins: Timestamp(milliseconds: .min), task: [])
        var query = selection.appending(", ").appending(TaskStates.columns)
        query.append(
            """
            FROM task_states s JOIN tasks t ON t.id = s.task_id JOIN organizations o ON o.id = t.org_id AND o.is_active = 1
            WHERE s.date_begins IS NOT NULL AND (s.date_begins, s.task_id) > (?, ?) AND s.date_begins <= ?
            ORDER BY s.date_begins, s.task_id LIMIT ?
            """, [.time(place.begins), .blob(place.task), .time(moment), .integer(limit)])
        return try connection.found(
            query, id: columnCount, limit: limit,
            at: { DuePlace(begins: try $0.time(columnCount + 3), task: try $0.blob(columnCount)) }
        ) { (try decode($0), try TaskStates.decode($0, from: columnCount)) }
    }

    private static func common(_ value: AutomationTask) -> [SQLValue] {
        let timing = value.timing
        return [
            .text(value.name), .text(value.order.text), .sealed(value.secret),
            .flag(timing.isPeriodic), .text(timing.crontab), .integer(timing.interval), .text(timing.zone), .time(timing.start),
            .text(timing.missed.rawValue), .integer(timing.jitter), .time(timing.since), .list(value.recipients),
            .flag(value.isActive), .text(value.comment),
        ]
    }

    private static func checkReferences(
        _ task: AutomationTask, besides known: TaskOrder? = nil, on connection: any SQLConnection
    ) throws {
        for asset in Set(task.order.assets).subtracting(known?.assets ?? []) {
            try References.require(
                "SELECT 1 FROM assets WHERE org_id = ? AND id = ?", asset, in: task.organization, "tasks.assets", on: connection)
        }
        for node in Set(task.order.nodes).subtracting(known?.nodes ?? []) {
            try References.require(
                "SELECT 1 FROM nodes WHERE org_id = ? AND id = ?", node, in: task.organization, "tasks.nodes", on: connection)
        }
    }
}

// MARK: - Columns

extension AutomationTasks {
    private static let selection = SQLQuery("SELECT", []).appending(
        """
        t.id, t.org_id, t.name, t.what, t.secret, t.is_periodic, t.crontab, t.interval_hours, t.zone, t.date_begin, \
        t.missed, t.jitter, t.date_scheduled, t.recipients, t.is_active, t.comment, t.created_by, t.updated_by, t.date_created, \
        t.date_updated, t.mac
        """)
    private static let columnCount = 21

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<AutomationTask> {
        guard let order = TaskOrder(text: try row.text(3)) else { throw row.fault(3) }
        let timing = TaskTiming(
            isPeriodic: try row.flag(5), crontab: try row.text(6), interval: try row.integer(7), zone: try row.text(8),
            start: try row.timeOrNil(9), missed: try row.value(10), jitter: try row.integer(11), since: try row.time(12))
        return Authenticated(
            value: AutomationTask(
                id: try row.id(0), organization: try row.id(1), name: try row.text(2), order: order,
                secret: try row.sealedOrNil(4), timing: timing, recipients: try row.texts(13), isActive: try row.flag(14),
                comment: try row.text(15), createdBy: try row.text(16), updatedBy: try row.text(17),
                dateCreated: try row.time(18), dateUpdated: try row.time(19)),
            mac: try row.blob(20))
    }

    /// Tasks of an organization with ids above the given one.
    package static func page(
        after id: AutomationTaskID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<AutomationTask>] {
        var query = selection
        query.append(
            "FROM tasks t WHERE t.id > ? AND t.org_id = ? ORDER BY t.id LIMIT ?",
            [.id(id ?? AutomationTaskID(high: 0, low: 0)), .id(organization), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }
}

// MARK: - List

/// What the list of tasks is filtered and ordered by.
package enum AutomationTaskField: String, ListField {
    case id, name, comment, crontab, interval
    case type = "kind"
    case isActive = "is_active"
    case isPeriodic = "is_periodic"
    case dateCreated = "date_created"
    case dateUpdated = "date_updated"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "t.id")
        case .name: ListColumn(.text, "t.name")
        case .comment: ListColumn(.text, "t.comment")
        case .crontab: ListColumn(.text, "t.crontab")
        case .interval: ListColumn(.integer, "t.interval_hours")
        case .type: ListColumn(.text, "t.kind")
        case .isActive: ListColumn(.flag, "t.is_active")
        case .isPeriodic: ListColumn(.flag, "t.is_periodic")
        case .dateCreated: ListColumn(.time, "t.date_created")
        case .dateUpdated: ListColumn(.time, "t.date_updated")
        }
    }
}

extension AutomationTasks {
    package static func list(
        _ request: ListRequest<AutomationTaskField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<AutomationTask>> {
        try statement.run(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    /// The same with what cannot be read in its place.
    package static func found(
        _ request: ListRequest<AutomationTaskField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<FoundRow<Authenticated<AutomationTask>>> {
        try statement.found(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM tasks t", join: "", scope: "t.org_id = ?",
        searched: [AutomationTaskField.name.column, AutomationTaskField.comment.column], order: "t.name, t.id")
}
