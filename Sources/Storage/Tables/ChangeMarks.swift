package import Domain

/// Which requests have changed something: written in the change's own transaction, so that a start after a crash can tell whether
/// an announced change was made. Global.
package enum ChangeMarks {
    package static func insert(_ request: RequestID, at date: Timestamp, on connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO change_marks (request_id, date) VALUES (?, ?) ON CONFLICT (request_id) DO NOTHING",
            [.id(request), .time(date)])
    }

    package static func exists(_ request: RequestID, on connection: any SQLConnection) throws -> Bool {
        try connection.exists("SELECT 1 FROM change_marks WHERE request_id = ?", [.id(request)])
    }

    /// Deletes marks from before the moment, at most 1000 at once, and returns how many.
    package static func delete(before moment: Timestamp, on connection: any SQLConnection) throws -> Int {
        try connection.execute(
            "DELETE FROM change_marks WHERE request_id IN (SELECT request_id FROM change_marks WHERE date < ? LIMIT 1000)",
            [.time(moment)])
    }
}
