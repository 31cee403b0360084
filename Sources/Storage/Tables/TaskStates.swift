package import Domain

/// What the scheduler remembers of tasks. Without authentication codes, since nothing that is done to a secret rests on it: what is
/// overdue is reckoned from the tasks themselves.
package enum TaskStates {
    static let columns: StaticString = """
        s.task_id, s.org_id, s.date_planned, s.date_begins, s.date_last_run, s.last_execution_id
        """

    package static func get(
        _ task: AutomationTaskID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> TaskState? {
        var query = SQLQuery("SELECT", [])
        query.append(columns)
        query.append("FROM task_states s WHERE s.task_id = ? AND s.org_id = ?", [.id(task), .id(organization)])
        return try connection.first(query) { try decode($0) }
    }

    /// States of several tasks; those without one are left out.
    package static func all(
        of tasks: [AutomationTaskID], in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [TaskState] {
        var query = SQLQuery("SELECT", [])
        query.append(columns)
        query.append("FROM task_states s WHERE s.org_id = ? AND s.task_id IN", [.id(organization)])
        query.append(listOf: tasks.map { .id($0) })
        return try connection.query(query) { try decode($0) }
    }

    package static func put(_ state: TaskState, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO task_states (task_id, org_id, date_planned, date_begins, date_last_run, last_execution_id)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (task_id) DO UPDATE SET date_planned = excluded.date_planned, date_begins = excluded.date_begins,
                date_last_run = excluded.date_last_run, last_execution_id = excluded.last_execution_id
            WHERE task_states.org_id = excluded.org_id
            """,
            [
                .id(state.task), .id(state.organization), .time(state.planned), .time(state.begins), .time(state.lastRun),
                .id(state.lastExecution),
            ])
    }

    /// When the next run of any task begins; nil if none is planned.
    package static func nextBegin(on connection: any SQLConnection) throws -> Timestamp? {
        try connection.first(
            "SELECT s.date_begins FROM task_states s WHERE s.date_begins IS NOT NULL ORDER BY s.date_begins LIMIT 1", []
        ) { try $0.time(0) }
    }

    static func decode(_ row: borrowing SQLRow, from start: Int = 0) throws -> TaskState {
        TaskState(
            task: try row.id(start), organization: try row.id(start + 1), planned: try row.timeOrNil(start + 2),
            begins: try row.timeOrNil(start + 3), lastRun: try row.timeOrNil(start + 4),
            lastExecution: try row.idOrNil(start + 5))
    }
}
