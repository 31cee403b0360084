package import Domain

extension Database {
    /// The number of the newest step applied; 0 for an empty database. Blocks.
    package func schemaVersion() throws -> Int64 {
        try readSync { connection in
            guard try Self.hasVersions(connection) else { return 0 }
            return try connection.integer("SELECT COALESCE(MAX(number), 0) FROM schema_version")
        }
    }

    /// Refuses a database whose schema is not exactly what this program knows. Blocks.
    package func requireSchema(_ steps: [Migration]) throws {
        let known = steps.last?.number ?? 0
        let found = try schemaVersion()
        if found > known { throw StorageFault.newerSchema(found: found, known: known) }
        if found < known { throw StorageFault.olderSchema(found: found, known: known) }
    }

    /// Applies the steps that are missing, all in one transaction: when one fails, the database is as it was. Blocks.
    ///
    /// A database that has something to lose is copied first, to a file beside it named after its schema and the time. A newer
    /// one is refused untouched.
    @discardableResult
    package func migrate(_ steps: [Migration], at now: Timestamp = .now) throws -> MigrationOutcome {
        let found = try schemaVersion()
        let known = steps.last?.number ?? 0
        if found > known { throw StorageFault.newerSchema(found: found, known: known) }
        let missing = steps.filter { $0.number > found }
        var outcome = MigrationOutcome()
        if missing.isEmpty { return outcome }
        if found > 0 {
            let copy = path + ".schema-\(found)-\(now.milliseconds)"
            try backupSync(to: copy)
            outcome.copy = copy
        }
        try writeSync { connection in
            for step in missing {
                if step.number == steps.first?.number { try connection.execute(SQLQuery(rendered: Dialect.sqlite(versions))) }
                for statement in step.statements { try connection.execute(SQLQuery(rendered: Dialect.sqlite(statement))) }
                try connection.execute(
                    "INSERT INTO schema_version (number, name, date_applied) VALUES (?, ?, ?)",
                    [.integer(step.number), .text(step.name), .time(now)])
            }
        }
        outcome.applied = missing.map(\.number)
        return outcome
    }

    private static func hasVersions(_ connection: any SQLConnection) throws -> Bool {
        try connection.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'")
    }
}

/// What a migration did.
package struct MigrationOutcome: Sendable, Equatable {
    /// Numbers of the steps applied, in order.
    package var applied: [Int64] = []
    /// Path of the copy made before; nil where there was nothing to lose or to do.
    package var copy: String?
}

private let versions: StaticString = """
    CREATE TABLE schema_version (number $integer NOT NULL PRIMARY KEY, name $text NOT NULL, date_applied $integer NOT NULL) $table
    """
