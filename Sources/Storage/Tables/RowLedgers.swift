/// The one row that says which rows there are: a generation that only rises, and a sealed sum over every row that decides something. Global.
package enum RowLedgers {
    /// The ledger as it is stored.
    package struct Stored: Sendable, Equatable {
        package let generation: Int64
        package let sealed: [UInt8]

        package init(generation: Int64, sealed: [UInt8]) {
            self.generation = generation
            self.sealed = sealed
        }
    }

    package static func get(on connection: any SQLConnection) throws -> Stored? {
        try connection.first("SELECT generation, sealed FROM row_ledger WHERE id = 1") {
            Stored(generation: try $0.integer(0), sealed: try $0.blob(1))
        }
    }

    package static func put(_ ledger: Stored, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO row_ledger (id, generation, sealed) VALUES (1, ?, ?)
            ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed
            """,
            [.integer(ledger.generation), .blob(ledger.sealed)])
    }

    /// Goes through every row of a table.
    package static func scan(
        _ table: WatchedTable, on connection: any SQLConnection, _ row: (_ id: [UInt8], _ content: [UInt8]) throws -> Void
    ) throws {
        try connection.scan(SQLQuery(rendered: table.selection)) {
            try row(try $0.blob(0), try $0.blob(1))
            return true
        }
    }
}
