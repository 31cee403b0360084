internal import CSQLite
internal import Glibc

extension Database {
    /// Copies the database as it is at this moment into a new file (mode 0600) while readers and writers go on.
    ///
    /// The file appears under its name only when it is whole and on the disk. An existing file is not overwritten.
    package func backup(to target: String) async throws {
        try await onOwnConnection { try copy($0, to: target) }
    }

    /// As `backup`, but blocks the caller: never from the cooperative pool.
    package func backupSync(to target: String) throws {
        try copy(try confinedConnection(writable: false), to: target)
    }

    /// What SQLite's own check of the whole file and of its references finds wrong; empty when nothing is. Takes its time.
    package func integrityCheck() async throws -> [String] {
        try await onOwnConnection { try $0.faults() }
    }

    /// As `integrityCheck`, but blocks the caller: never from the cooperative pool.
    package func integrityCheckSync() throws -> [String] {
        try confinedConnection(writable: false).faults()
    }

    /// Runs a long job on a connection and thread of its own.
    private func onOwnConnection<Value: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Value
    ) async throws -> Value {
        let thread = try ConnectionThreads([confinedConnection(writable: false)])
        return try await withCheckedThrowingContinuation { continuation in
            let accepted = thread.enqueue { connection in continuation.resume(with: Result { try body(connection) }) }
            if !accepted { continuation.resume(throwing: StorageFault.closed) }
        }
    }
}

extension SQLiteConnection {
    fileprivate func faults() throws -> [String] {
        do {
            let found = try query("PRAGMA integrity_check(20)") { try $0.text(0) }.filter { $0 != "ok" }
            let references = try query("PRAGMA foreign_key_check") { "a row of \(try $0.text(0)) refers to nothing" }
            return found + Array(Set(references)).sorted()
        } catch StorageFault.corrupt(let message) {
            return [message]
        }
    }
}

/// Copies in steps under one read transaction: the copy is of one moment, never starts again, and holds up no writer.
private func copy(_ source: SQLiteConnection, to target: String) throws {
    if access(target, F_OK) == 0 { throw StorageFault.io(code: EEXIST) }
    let partial = target + ".partial"
    let file = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StorageFault.system(errno) }
    defer { close(file) }
    do {
        try source.transaction {
            _ = try source.integer("SELECT COUNT(*) FROM sqlite_schema")
            try copyPages(source.handle, to: partial)
        }
        guard fsync(file) == 0, rename(partial, target) == 0 else { throw StorageFault.system(errno) }
        try syncDirectory(of: target)
    } catch {
        unlink(partial)
        unlink(partial + "-journal")
        throw error
    }
}

private func copyPages(_ source: OpaquePointer, to path: String) throws(StorageFault) {
    var target: OpaquePointer?
    defer { sqlite3_close_v2(target) }
    let code = sqlite3_open_v2(path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK else { throw .sqlite(code, target) }
    guard let backup = sqlite3_backup_init(target, "main", source, "main") else { throw .sqlite(sqlite3_errcode(target), target) }
    var step = SQLITE_OK
    while true {
        step = sqlite3_backup_step(backup, 1024)
        guard step == SQLITE_OK || step == SQLITE_BUSY || step == SQLITE_LOCKED else { break }
        // Leaves the disk to others for a moment.
        usleep(step == SQLITE_OK ? 500 : 5000)
    }
    sqlite3_backup_finish(backup)
    if step != SQLITE_DONE { throw .sqlite(step, target) }
}

/// Makes a new name in a directory survive a power cut.
func syncDirectory(of path: String) throws(StorageFault) {
    let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw .system(errno) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw .system(errno) }
}
