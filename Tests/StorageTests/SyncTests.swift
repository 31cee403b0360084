import CSQLite
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// Writes to the write-ahead log since its last sync, over all files opened through the watching file system.
private let unsynced = Atomic<Int>(0)
private let syncs = Atomic<Int>(0)

/// The system's file system for SQLite, with the writes and syncs of write-ahead logs counted.
private enum WatchingFileSystem {
    static let name = "watching"
    nonisolated(unsafe) fileprivate static var original = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    nonisolated(unsafe) fileprivate static var plain: UnsafePointer<sqlite3_io_methods>?
    nonisolated(unsafe) fileprivate static let watching = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)

    static let isRegistered: Bool = {
        sqlite3_initialize()
        guard let system = sqlite3_vfs_find(nil) else { return false }
        original = system
        let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        copy.initialize(to: system.pointee)
        copy.pointee.zName = UnsafePointer(strdup(name))
        copy.pointee.pNext = nil
        copy.pointee.xOpen = watchingOpen
        return sqlite3_vfs_register(copy, 0) == SQLITE_OK
    }()
}

private func watchingOpen(
    _: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?,
    _ flags: Int32,
    _ out: UnsafeMutablePointer<Int32>?
) -> Int32 {
    let system = WatchingFileSystem.original
    let code = system.pointee.xOpen(system, name, file, flags, out)
    guard code == SQLITE_OK, flags & SQLITE_OPEN_WAL != 0, let methods = file?.pointee.pMethods else { return code }
    WatchingFileSystem.plain = methods
    WatchingFileSystem.watching.initialize(to: methods.pointee)
    WatchingFileSystem.watching.pointee.xWrite = watchingWrite
    WatchingFileSystem.watching.pointee.xSync = watchingSync
    file?.pointee.pMethods = UnsafePointer(WatchingFileSystem.watching)
    return code
}

private func watchingWrite(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: sqlite3_int64
) -> Int32 {
    unsynced.add(1, ordering: .sequentiallyConsistent)
    return WatchingFileSystem.plain?.pointee.xWrite(file, bytes, count, offset) ?? SQLITE_IOERR
}

private func watchingSync(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32) -> Int32 {
    let code = WatchingFileSystem.plain?.pointee.xSync(file, flags) ?? SQLITE_IOERR
    if code == SQLITE_OK {
        unsynced.store(0, ordering: .sequentiallyConsistent)
        syncs.add(1, ordering: .sequentiallyConsistent)
    }
    return code
}

@Suite("Durability", .serialized)
struct SyncTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func watched() throws -> Database {
        try #require(WatchingFileSystem.isRegistered)
        var options = DatabaseOptions()
        options.fileSystem = WatchingFileSystem.name
        let database = try Database.open(at: directory.file("test.db"), options: options)
        try database.writeSync { try $0.execute("CREATE TABLE t (n INTEGER NOT NULL) STRICT") }
        return database
    }

    @Test("what was acknowledged has been synced, on the writing thread and on confined connections", arguments: [true, false])
    func synced(confined: Bool) throws {
        let database = try watched()
        let own = try database.makeConfinedConnection(writable: true)
        for number in Int64(0)..<300 {
            let before = syncs.load(ordering: .sequentiallyConsistent)
            if confined {
                try own.transaction { try own.execute("INSERT INTO t VALUES (?)", [.integer(number)]) }
            } else {
                try database.writeSync { try $0.execute("INSERT INTO t VALUES (?)", [.integer(number)]) }
            }
            #expect(unsynced.load(ordering: .sequentiallyConsistent) == 0)
            #expect(syncs.load(ordering: .sequentiallyConsistent) > before)
        }
    }

    @Test("the watch sees a commit that was not synced")
    func control() throws {
        let database = try watched()
        let careless = try database.confinedConnection(writable: true)
        try careless.pragma("PRAGMA synchronous = NORMAL")
        try careless.execute("INSERT INTO t VALUES (1)", [])
        #expect(unsynced.load(ordering: .sequentiallyConsistent) > 0)
        unsynced.store(0, ordering: .sequentiallyConsistent)
    }
}
