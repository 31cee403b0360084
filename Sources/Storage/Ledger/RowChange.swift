/// A row that came or went in a transaction; a changed row is one that went and one that came.
package struct RowChange: Sendable {
    package let kind: String
    package let isGain: Bool
    package let id: [UInt8]
    package let content: [UInt8]
}

/// Who keeps the ledger of rows: has the last word in each transaction that changes what the ledger counts.
package protocol RowWitness: AnyObject, Sendable {
    /// Takes the changes into the ledger, in their own transaction; throwing undoes it.
    func settle(_ changes: [RowChange], on connection: any SQLConnection) throws
    /// The transaction of the last `settle` is durable.
    func committed()
}

/// How a connection tells what its transactions did to the tables that the ledger counts.
enum RowChanges {
    /// Begins to note changes, outside any transaction; false while the file has no ledger.
    static func watch(on connection: SQLiteConnection) throws -> Bool {
        guard try connection.exists("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'row_ledger'") else {
            return false
        }
        // A schema that is about to get further tables; whoever adds them counts all rows anew.
        for table in WatchedTable.all where try connection.first(table.existence, { _ in true }) == nil { return false }
        // In memory: notes of a transaction need not outlive it.
        try connection.execute("PRAGMA temp_store = MEMORY")
        try connection.transaction {
            try connection.execute(
                """
                CREATE TEMP TABLE row_changes (kind TEXT NOT NULL, is_gain INTEGER NOT NULL, id BLOB NOT NULL, content BLOB NOT NULL)
                """)
            for table in WatchedTable.all {
                for trigger in table.triggers { try connection.execute(SQLQuery(rendered: trigger)) }
            }
        }
        return true
    }

    /// What the transaction changed until now, in order; the notes are gone then.
    static func take(from connection: any SQLConnection) throws -> [RowChange] {
        let changes = try connection.query("SELECT kind, is_gain, id, content FROM temp.row_changes ORDER BY rowid") {
            RowChange(kind: try $0.text(0), isGain: try $0.flag(1), id: try $0.blob(2), content: try $0.blob(3))
        }
        if !changes.isEmpty { try connection.execute("DELETE FROM temp.row_changes") }
        return changes
    }
}
