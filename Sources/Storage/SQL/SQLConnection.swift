/// One session with a database, confined to the thread that uses it: the seam that every driver fills.
///
/// Statements of fixed text are prepared once and kept. Whatever is decoded inside a `query` must be copied out of the row.
package protocol SQLConnection: AnyObject {
    /// Runs a statement to its end and returns how many rows it changed.
    @discardableResult
    func execute(_ sql: StaticString, _ bindings: [SQLValue]) throws(StorageFault) -> Int

    /// Runs a statement whose last placeholder stands for bytes that are lent until it has run, and are not copied.
    func execute(_ sql: StaticString, _ bindings: [SQLValue], lending bytes: UnsafeRawBufferPointer) throws(StorageFault)

    /// Runs a composed statement to its end and returns how many rows it changed.
    @discardableResult
    func execute(_ query: SQLQuery) throws(StorageFault) -> Int

    /// Steps through the rows of a statement until the closure returns false.
    func scan(_ sql: StaticString, _ bindings: [SQLValue], _ row: (borrowing SQLRow) throws -> Bool) throws

    /// Steps through the rows of a composed statement until the closure returns false.
    func scan(_ query: SQLQuery, _ row: (borrowing SQLRow) throws -> Bool) throws

    /// Runs the closure in a transaction, which is rolled back when it throws and durable once this returns.
    ///
    /// Inside another transaction it becomes a savepoint: what it did is undone alone, and durable with the outer one. On a
    /// writable connection the write lock is taken at the start.
    @discardableResult
    func transaction<Value>(_ body: () throws -> Value) throws -> Value
}

extension SQLConnection {
    @discardableResult
    package func execute(_ sql: StaticString) throws(StorageFault) -> Int { try execute(sql, []) }

    /// Every row, decoded.
    package func query<Value>(
        _ sql: StaticString, _ bindings: [SQLValue] = [], _ row: (borrowing SQLRow) throws -> Value
    ) throws -> [Value] {
        var rows: [Value] = []
        try scan(sql, bindings) {
            rows.append(try row($0))
            return true
        }
        return rows
    }

    /// Every row of a composed statement, decoded.
    package func query<Value>(_ query: SQLQuery, _ row: (borrowing SQLRow) throws -> Value) throws -> [Value] {
        var rows: [Value] = []
        try scan(query) {
            rows.append(try row($0))
            return true
        }
        return rows
    }

    /// The first row, decoded; nil if there is none.
    package func first<Value>(
        _ sql: StaticString, _ bindings: [SQLValue] = [], _ row: (borrowing SQLRow) throws -> Value
    ) throws -> Value? {
        var found: Value?
        try scan(sql, bindings) {
            found = try row($0)
            return false
        }
        return found
    }

    /// The first row of a composed statement, decoded; nil if there is none.
    package func first<Value>(_ query: SQLQuery, _ row: (borrowing SQLRow) throws -> Value) throws -> Value? {
        var found: Value?
        try scan(query) {
            found = try row($0)
            return false
        }
        return found
    }

    /// The one integer that a statement yields; a statement without rows is a fault.
    package func integer(_ sql: StaticString, _ bindings: [SQLValue] = []) throws -> Int64 {
        guard let number = try first(sql, bindings, { try $0.integer(0) }) else { throw StorageFault.corrupt("no row") }
        return number
    }

    /// Whether a statement yields a row.
    package func exists(_ sql: StaticString, _ bindings: [SQLValue] = []) throws -> Bool {
        try first(sql, bindings) { _ in true } ?? false
    }
}
