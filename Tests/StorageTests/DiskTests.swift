import Domain
import Glibc
import TestSupport
import Testing

@testable import Storage

/// A file system of its own, unmounted with its last reference.
private final class Mount {
    let path: String
    let directory: TemporaryDirectory

    init?(megabytes: Int) {
        guard let directory = try? TemporaryDirectory() else { return nil }
        self.directory = directory
        path = directory.file("mount")
        mkdir(path, 0o700)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m,mode=0700") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    static let isAllowed = Mount(megabytes: 1) != nil
}

@Suite("Disk", .enabled(if: Mount.isAllowed, "mounting a file system is not permitted here"))
struct DiskTests {
    private func fill(_ database: Database) -> StorageFault? {
        do {
            for _ in 0..<10_000 {
                try database.writeSync { connection in
                    try connection.execute("INSERT INTO pairs VALUES (?)", [.blob([UInt8](repeating: 1, count: 10_000))])
                    try connection.execute("INSERT INTO pairs VALUES (?)", [.blob([UInt8](repeating: 2, count: 10_000))])
                }
            }
            return nil
        } catch {
            return error as? StorageFault
        }
    }

    private func rows(_ database: Database) throws -> Int64 {
        try database.readSync { try $0.integer("SELECT COUNT(*) FROM pairs") }
    }

    @Test("a full disk is a clear fault, nothing is half-written, the reserve still lets something be written")
    func full() throws {
        let mount = try #require(Mount(megabytes: 12))
        let data = try DataDirectory.open(at: mount.path + "/data", create: true, reserve: 4 << 20)
        #expect(data.reserve.isHeld)
        let database = try Database.open(at: data.database)
        try database.writeSync { try $0.execute("CREATE TABLE pairs (body BLOB NOT NULL) STRICT") }
        #expect(fill(database) == .full)
        let kept = try rows(database)
        #expect(kept > 0 && kept % 2 == 0)
        #expect(try database.integrityCheckSync() == [])
        #expect(fill(database) == .full)

        #expect(data.reserve.release())
        let small: @Sendable (any SQLConnection) throws -> Void = { try $0.execute("INSERT INTO pairs VALUES (?)", [.blob([1])]) }
        try database.writeSync(small)
        #expect(!data.reserve.restore(), "not while there is no room")

        let full = try rows(database)
        #expect(full == kept + 1)
        try database.writeSync { try $0.execute("DELETE FROM pairs") }
        try database.checkpoint()
        database.close()
        let again = try Database.open(at: data.database)
        #expect(try again.integrityCheckSync() == [])
        #expect(try rows(again) == 0)
    }

    @Test("a disk without room for the reserve does not keep the server from starting")
    func withoutReserve() throws {
        let mount = try #require(Mount(megabytes: 2))
        let data = try DataDirectory.open(at: mount.path + "/data", create: true, reserve: 16 << 20)
        #expect(!data.reserve.isHeld && !data.reserve.release())
        #expect(data.freeBytes > 1 << 20)
    }

    @Test("a copy that does not fit leaves nothing behind")
    func copy() throws {
        let mount = try #require(Mount(megabytes: 2))
        let directory = try TemporaryDirectory()
        let database = try Database.open(at: directory.file("test.db"))
        try database.writeSync { try $0.execute("CREATE TABLE pairs (body BLOB NOT NULL) STRICT") }
        try database.writeSync { try $0.execute("INSERT INTO pairs VALUES (?)", [.blob([UInt8](repeating: 1, count: 4 << 20))]) }
        #expect(throws: StorageFault.full) { try database.backupSync(to: mount.path + "/copy.db") }
        #expect(access(mount.path + "/copy.db", F_OK) != 0)
        #expect(access(mount.path + "/copy.db.partial", F_OK) != 0)
    }

    @Test("a read-only disk is a clear fault, and the database is whole afterwards")
    func readOnly() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("da%20ta ?#ö")
        var data: DataDirectory? = try DataDirectory.open(at: path, create: true, reserve: 0)
        var database = try Database.open(at: path + "/keyturn.db")
        try database.migrate(Migration.main)
        database.close()
        data = nil
        #expect(data == nil)

        let readOnly = UInt(MS_BIND) | UInt(MS_REMOUNT) | UInt(MS_RDONLY)
        #expect(mount(path, path, nil, UInt(MS_BIND), nil) == 0)
        defer { umount2(path, Int32(MNT_DETACH)) }
        #expect(mount(nil, path, nil, readOnly, nil) == 0)
        #expect(throws: StorageFault.readOnly) { try DataDirectory.open(at: path) }
        #expect(throws: StorageFault.readOnly) { try Database.open(at: path + "/keyturn.db") }
        _ = try DataDirectory.inspect(path)
        // Looking needs no writing, though the log's index could not be made.
        var options = DatabaseOptions()
        options.isReadOnly = true
        let looking = try Database.open(at: path + "/keyturn.db", options: options)
        try looking.requireSchema(Migration.main)
        #expect(try looking.integrityCheckSync() == [])
        looking.close()
        umount2(path, Int32(MNT_DETACH))

        _ = try DataDirectory.open(at: path)
        database = try Database.open(at: path + "/keyturn.db")
        try database.requireSchema(Migration.main)
        #expect(try database.integrityCheckSync() == [])
    }
}
