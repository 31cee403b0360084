internal import CSQLite
internal import Glibc

/// A connection to an SQLite file, confined to one thread at a time.
final class SQLiteConnection: SQLConnection {
    let handle: OpaquePointer
    private let isWritable: Bool
    /// Statements of fixed text, by the address of the text.
    private var kept: [UInt: SQLiteStatement] = [:]
    /// Composed statements, by text; few shapes repeat, so that they are dropped together when they grow many.
    private var composed: [String: SQLiteStatement] = [:]
    /// How many transactions and savepoints are open through `transaction`.
    private var depth = 0
    /// Whether changes of what the ledger counts are noted.
    private var isWatched = false

    /// Opens an existing file.
    init(path: String, writable: Bool, options: DatabaseOptions) throws(StorageFault) {
        try SQLiteLibrary.configure()
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE
        let access = options.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let address = DatabaseAddress(path: path, isReadOnly: options.isReadOnly)
        let code = sqlite3_open_v2(address.name, &handle, flags | access | address.flags, options.fileSystem)
        guard code == SQLITE_OK, let handle else {
            let isMissing = handle.map { sqlite3_system_errno($0) } == ENOENT
            let fault = isMissing ? .missing(path) : StorageFault.sqlite(code, handle)
            sqlite3_close_v2(handle)
            throw fault
        }
        self.handle = handle
        isWritable = writable && !options.isReadOnly
        try prepare(options)
        if !writable, !options.isReadOnly { try forbidWriting() }
    }

    deinit {
        kept.removeAll()
        composed.removeAll()
        sqlite3_close_v2(handle)
    }

    @discardableResult
    func execute(_ sql: StaticString, _ bindings: [SQLValue]) throws(StorageFault) -> Int {
        try run(try statement(sql), bindings)
    }

    func execute(_ sql: StaticString, _ bindings: [SQLValue], lending bytes: UnsafeRawBufferPointer) throws(StorageFault) {
        try checkTransaction()
        let statement = try statement(sql)
        // What was lent is forgotten with the other values.
        defer { statement.reset() }
        try statement.bind(bindings, lending: bytes)
        while try statement.step() {}
    }

    @discardableResult
    func execute(_ query: SQLQuery) throws(StorageFault) -> Int {
        try run(try statement(query.text), query.bindings)
    }

    func scan(_ sql: StaticString, _ bindings: [SQLValue], _ row: (borrowing SQLRow) throws -> Bool) throws {
        try scan(try statement(sql), bindings, row)
    }

    func scan(_ query: SQLQuery, _ row: (borrowing SQLRow) throws -> Bool) throws {
        try scan(try statement(query.text), query.bindings, row)
    }

    private func run(_ statement: SQLiteStatement, _ bindings: [SQLValue]) throws(StorageFault) -> Int {
        try checkTransaction()
        defer { statement.reset() }
        try statement.bind(bindings)
        while try statement.step() {}
        return sqlite3_stmt_readonly(statement.handle) != 0 ? 0 : Int(sqlite3_changes(handle))
    }

    private func scan(
        _ statement: SQLiteStatement, _ bindings: [SQLValue], _ row: (borrowing SQLRow) throws -> Bool
    ) throws {
        try checkTransaction()
        defer { statement.reset() }
        try statement.bind(bindings)
        while try statement.step() {
            guard try row(SQLRow(statement.handle)) else { return }
        }
    }
}

// MARK: - Statements

extension SQLiteConnection {
    /// The kept statement of a fixed text; a fresh one while that is running.
    func statement(_ sql: StaticString) throws(StorageFault) -> SQLiteStatement {
        guard sql.hasPointerRepresentation else { throw .statement("a single character") }
        let key = UInt(bitPattern: sql.utf8Start)
        let known = kept[key]
        if let known, !known.isRunning { return known }
        let start = UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
        let new = try SQLiteStatement(start, count: sql.utf8CodeUnitCount, on: handle, kept: known == nil)
        if known == nil { kept[key] = new }
        return new
    }

    private func statement(_ sql: String) throws(StorageFault) -> SQLiteStatement {
        let known = composed[sql]
        if let known, !known.isRunning { return known }
        let new = try prepare(sql)
        if known == nil {
            if composed.count >= 64 { composed.removeAll(keepingCapacity: true) }
            composed[sql] = new
        }
        return new
    }

    func prepare(_ sql: String) throws(StorageFault) -> SQLiteStatement {
        var sql = sql
        do {
            return try sql.withUTF8 { text in
                let start = text.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
                guard let start else { throw StorageFault.statement("empty") }
                return try SQLiteStatement(start, count: text.count, on: handle, kept: false)
            }
        } catch let fault as StorageFault {
            throw fault
        } catch {
            throw .statement("unreadable")
        }
    }
}

// MARK: - Transactions

extension SQLiteConnection {
    /// One transaction whose changes the ledger takes up before it ends. Without a witness they are left for whoever checks the ledger to
    /// find.
    func transaction<Value>(witnessedBy witness: (any RowWitness)?, _ body: () throws -> Value) throws -> Value {
        if !isWatched, isWritable { isWatched = try RowChanges.watch(on: self) }
        guard isWatched else { return try transaction(body) }
        var hasSettled = false
        let value = try transaction {
            let value = try body()
            let changes = try RowChanges.take(from: self)
            if let witness, !changes.isEmpty {
                try witness.settle(changes, on: self)
                hasSettled = true
            }
            return value
        }
        if hasSettled { witness?.committed() }
        return value
    }

    @discardableResult
    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try begin()
        do {
            let value = try body()
            try commit()
            return value
        } catch {
            rollback()
            throw error
        }
    }

    /// Opens a transaction, or a savepoint inside one.
    func begin() throws(StorageFault) {
        if depth > 0 {
            try execute("SAVEPOINT inner_step", [])
        } else if isWritable {
            try execute("BEGIN IMMEDIATE", [])
        } else {
            try execute("BEGIN", [])
        }
        depth += 1
    }

    /// Ends the innermost transaction or savepoint; when it throws, `rollback` is still due.
    func commit() throws(StorageFault) {
        if depth > 1 {
            try execute("RELEASE inner_step", [])
        } else {
            try execute("COMMIT", [])
        }
        depth -= 1
    }

    /// Undoes the innermost transaction or savepoint.
    func rollback() {
        guard depth > 0 else { return }
        // After a full disk or an I/O error SQLite has rolled back already.
        if !isLost {
            if depth > 1 {
                _ = try? execute("ROLLBACK TO inner_step", [])
                _ = try? execute("RELEASE inner_step", [])
            } else {
                _ = try? execute("ROLLBACK", [])
            }
        }
        depth -= 1
    }

    /// A transaction that SQLite rolled back by itself after a failure, while the code inside it still runs.
    private var isLost: Bool { depth > 0 && sqlite3_get_autocommit(handle) != 0 }

    /// Without this, statements after a swallowed failure would each commit alone.
    private func checkTransaction() throws(StorageFault) {
        if isLost { throw .transactionLost }
    }
}
