internal import CSQLite

/// What is set once for the whole library, before the first connection.
enum SQLiteLibrary {
    private static let code: Int32 = {
        // Fails when something else in the process has initialized the library already; the setting is for speed only.
        _ = keyturn_sqlite_configure()
        return sqlite3_initialize()
    }()

    static func configure() throws(StorageFault) {
        if code != SQLITE_OK { throw .sqlite(code, nil) }
    }
}

extension SQLiteConnection {
    /// Sets what every connection must have, and asserts what durability rests on.
    func prepare(_ options: DatabaseOptions) throws(StorageFault) {
        guard keyturn_sqlite_harden(handle) == SQLITE_OK else { throw .sqlite(sqlite3_errcode(handle), handle) }
        sqlite3_busy_timeout(handle, options.busyMilliseconds)
        try pragma("PRAGMA foreign_keys = ON")
        try pragma("PRAGMA cell_size_check = ON")
        // Deleted content is overwritten, and nothing is written to temporary files.
        try pragma("PRAGMA secure_delete = ON")
        try pragma("PRAGMA temp_store = MEMORY")
        try pragma("PRAGMA cache_size = -\(options.cacheKibibytes)")
        // Mapped memory would turn a read error of the disk into a signal that kills the server.
        try pragma("PRAGMA mmap_size = 0")
        if options.isReadOnly {
            try pragma("PRAGMA query_only = ON")
            return
        }
        try pragma("PRAGMA synchronous = FULL")
        try pragma("PRAGMA wal_autocheckpoint = 1000")
        try pragma("PRAGMA journal_size_limit = 67108864")
        guard try pragma("PRAGMA journal_mode = WAL") == "wal" else {
            throw .statement("the file system does not take a write-ahead log")
        }
        guard try pragma("PRAGMA synchronous") == "2", try pragma("PRAGMA foreign_keys") == "1" else {
            throw .statement("settings for durability were not taken")
        }
    }

    /// After this the connection can only read.
    func forbidWriting() throws(StorageFault) { try pragma("PRAGMA query_only = ON") }

    /// Runs a setting of SQLite and returns its answer as text; empty where it has none.
    @discardableResult
    func pragma(_ sql: String) throws(StorageFault) -> String {
        let statement = try prepare(sql)
        defer { statement.reset() }
        guard try statement.step(), let text = sqlite3_column_text(statement.handle, 0) else { return "" }
        return String(cString: text)
    }
}
