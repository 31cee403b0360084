internal import CSQLite
internal import Domain

/// A prepared statement; finalized with its last reference.
final class SQLiteStatement {
    let handle: OpaquePointer
    private let connection: OpaquePointer
    /// Between its first step and its reset: it cannot serve a second caller.
    private(set) var isRunning = false

    init(_ sql: UnsafePointer<CChar>, count: Int, on connection: OpaquePointer, kept: Bool) throws(StorageFault) {
        var handle: OpaquePointer?
        let flags = kept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = sqlite3_prepare_v3(connection, sql, Int32(clamping: count), flags, &handle, nil)
        guard code == SQLITE_OK else { throw .sqlite(code, connection) }
        guard let handle else { throw .statement("empty") }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Steps once; true when it stands on a row.
    func step() throws(StorageFault) -> Bool {
        isRunning = true
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw .sqlite(code, connection)
    }

    /// Makes it ready for the next use and forgets the values.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        isRunning = false
    }

    func bind(_ values: [SQLValue]) throws(StorageFault) {
        guard Int(sqlite3_bind_parameter_count(handle)) == values.count else {
            throw .statement("\(values.count) values for \(sqlite3_bind_parameter_count(handle)) placeholders")
        }
        for (offset, value) in values.enumerated() { try bind(value, at: Int32(clamping: offset + 1)) }
    }

    /// The values, and after them bytes that SQLite reads where they are, until `reset`.
    func bind(_ values: [SQLValue], lending bytes: UnsafeRawBufferPointer) throws(StorageFault) {
        guard Int(sqlite3_bind_parameter_count(handle)) == values.count + 1 else {
            throw .statement("\(values.count + 1) values for \(sqlite3_bind_parameter_count(handle)) placeholders")
        }
        for (offset, value) in values.enumerated() { try bind(value, at: Int32(clamping: offset + 1)) }
        let last = Int32(clamping: values.count + 1)
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return try check(sqlite3_bind_zeroblob(handle, last, 0)) }
        try check(sqlite3_bind_blob64(handle, last, base, UInt64(bytes.count), nil))
    }

    private func bind(_ value: SQLValue, at index: Int32) throws(StorageFault) {
        switch value {
        case .null: try check(sqlite3_bind_null(handle, index))
        case .integer(let number): try bind(number, at: index)
        case .text(let text): try bind(text, at: index)
        case .blob(let bytes): try check(bytes.withUnsafeBytes { bindBlob($0, at: index) })
        case .uuid(let high, let low): try bind(high, low, at: index)
        }
    }

    func bind(_ number: Int64, at index: Int32) throws(StorageFault) {
        try check(sqlite3_bind_int64(handle, index, number))
    }

    func bind<Entity>(_ id: Identifier<Entity>, at index: Int32) throws(StorageFault) {
        try bind(id.high, id.low, at: index)
    }

    private func bind(_ high: UInt64, _ low: UInt64, at index: Int32) throws(StorageFault) {
        let code = withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) {
            sqlite3_bind_blob(handle, index, $0.baseAddress, 16, transient)
        }
        try check(code)
    }

    private func bind(_ text: String, at index: Int32) throws(StorageFault) {
        var text = text
        let code = text.withUTF8 { bindText(UnsafeRawBufferPointer($0), at: index) }
        try check(code)
    }

    /// Binds UTF-8 bytes as text; SQLite keeps a copy.
    func bind(text bytes: UnsafeRawBufferPointer, at index: Int32) throws(StorageFault) {
        try check(bindText(bytes, at: index))
    }

    private func bindText(_ bytes: UnsafeRawBufferPointer, at index: Int32) -> Int32 {
        // A null pointer would bind NULL instead of the empty text.
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_text(handle, index, "", 0, transient) }
        return sqlite3_bind_text64(
            handle, index, base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count), transient, UInt8(SQLITE_UTF8))
    }

    private func bindBlob(_ bytes: UnsafeRawBufferPointer, at index: Int32) -> Int32 {
        // A null pointer would bind NULL instead of the empty blob.
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
        return sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), transient)
    }

    private func check(_ code: Int32) throws(StorageFault) {
        if code != SQLITE_OK { throw .sqlite(code, connection) }
    }
}

/// Tells SQLite to copy what is bound (SQLITE_TRANSIENT is a cast, which Swift does not import).
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
