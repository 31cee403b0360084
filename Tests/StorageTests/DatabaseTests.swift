import Domain
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Database")
struct DatabaseTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func counters(_ name: String = "test.db") throws -> Database {
        let database = try Database.open(at: directory.file(name))
        try database.writeSync { try $0.execute("CREATE TABLE counters (number INTEGER NOT NULL) STRICT") }
        return database
    }

    @Test("the file, its log and its copy are readable by the owner alone")
    func modes() throws {
        let database = try counters()
        try database.backupSync(to: directory.file("copy.db"))
        for name in ["test.db", "test.db-wal", "test.db-shm", "copy.db"] {
            var status = stat()
            #expect(stat(directory.file(name), &status) == 0, "\(name)")
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
        #expect(access(directory.file("copy.db.partial"), F_OK) != 0)
    }

    @Test("what was written is seen by later reads, from tasks and from threads")
    func readAfterWrite() async throws {
        let database = try counters()
        for number in 1...20 {
            try await database.write { try $0.execute("INSERT INTO counters VALUES (?)", [.integer(Int64(number))]) }
            #expect(try await database.read { try $0.integer("SELECT COUNT(*) FROM counters") } == Int64(number))
        }
    }

    @Test("many tasks at once are each served")
    func concurrency() async throws {
        let database = try counters()
        let seen = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<200 {
                group.addTask {
                    if number % 4 != 0 { return try await database.read { try $0.integer("SELECT 1") } }
                    return try await database.write { connection in
                        Int64(try connection.execute("INSERT INTO counters VALUES (?)", [.integer(Int64(number))]))
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(seen == 200)
        #expect(try await database.read { try $0.integer("SELECT COUNT(*) FROM counters") } == 50)
    }

    @Test("a closed database answers with a fault, and leaves no log behind")
    func close() async throws {
        let database = try counters()
        database.close()
        await #expect(throws: StorageFault.closed) { try await database.read { try $0.integer("SELECT 1") } }
        #expect(throws: StorageFault.closed) { try database.writeSync { try $0.execute("SELECT 1") } }
        #expect(throws: StorageFault.closed) { try database.checkpoint() }
        #expect(access(directory.file("test.db-wal"), F_OK) != 0)
    }

    @Test("a database opened for looking reads what a running one writes, and writes nothing")
    func looking() throws {
        let database = try counters()
        var options = DatabaseOptions()
        options.isReadOnly = true
        let looking = try Database.open(at: directory.file("test.db"), options: options)
        try database.writeSync { try $0.execute("INSERT INTO counters VALUES (1)") }
        #expect(try looking.readSync { try $0.integer("SELECT COUNT(*) FROM counters") } == 1)
        #expect(throws: StorageFault.readOnly) { try looking.writeSync { try $0.execute("DELETE FROM counters") } }
        database.close()
        #expect(try looking.readSync { try $0.integer("SELECT COUNT(*) FROM counters") } == 1)
        looking.close()
        let again = try Database.open(at: directory.file("test.db"), options: options)
        #expect(try again.readSync { try $0.integer("SELECT COUNT(*) FROM counters") } == 1)
        #expect(throws: StorageFault.missing(directory.file("none.db"))) {
            try Database.open(at: directory.file("none.db"), options: options)
        }
    }

    @Test("a file that is no database is refused with a clear fault")
    func notADatabase() throws {
        let path = directory.file("bad.db")
        let file = open(path, O_RDWR | O_CREAT, 0o600)
        _ = write(file, [UInt8](repeating: 65, count: 8192), 8192)
        Glibc.close(file)
        #expect(throws: StorageFault.corrupt("not a database")) { try Database.open(at: path) }
    }

    @Test("a flipped byte is found by the check")
    func integrity() async throws {
        let database = try counters()
        try database.writeSync { connection in
            try connection.execute("CREATE INDEX by_number ON counters (number)")
            for number in 0..<20_000 { try connection.execute("INSERT INTO counters VALUES (?)", [.integer(Int64(number))]) }
        }
        try database.checkpoint()
        #expect(try await database.integrityCheck() == [])
        database.close()
        let file = open(directory.file("test.db"), O_RDWR)
        _ = pwrite(file, [UInt8](repeating: 0xA5, count: 64), 64, 4096 * 7 + 2000)
        Glibc.close(file)
        let damaged = try Database.open(at: directory.file("test.db"))
        #expect(try await damaged.integrityCheck() != [])
    }

    @Test("chunks let other writers in between")
    func chunks() async throws {
        let database = try counters()
        async let imported: [Void] = database.writeInChunks(of: Array(Int64(0)..<20_000), limit: 500) { connection, number in
            try connection.execute("INSERT INTO counters VALUES (?)", [.integer(number)])
        }
        for _ in 0..<20 { try await database.write { try $0.execute("INSERT INTO counters VALUES (-1)") } }
        _ = try await imported
        let inBetween = try await database.read {
            try $0.integer(
                "SELECT COUNT(*) FROM counters WHERE number = -1 AND rowid < (SELECT MAX(rowid) FROM counters WHERE number >= 0)")
        }
        #expect(inBetween > 1)
        #expect(try await database.read { try $0.integer("SELECT COUNT(*) FROM counters") } == 20_020)
    }

    @Test("a chunk that fails is undone alone, and values come in order")
    func failedChunk() async throws {
        struct Stop: Error {}
        let database = try counters()
        await #expect(throws: Stop.self) {
            try await database.writeInChunks(of: Array(Int64(0)..<10), limit: 4) { connection, number in
                if number == 6 { throw Stop() }
                try connection.execute("INSERT INTO counters VALUES (?)", [.integer(number)])
            }
        }
        #expect(
            try await database.read { try $0.query("SELECT number FROM counters ORDER BY 1") { try $0.integer(0) } } == [
                0, 1, 2, 3,
            ])
        #expect(try await database.writeInChunks(of: Array(0..<10), limit: 3) { $1 * 2 } == Array(0..<10).map { $0 * 2 })
        #expect(try await database.writeInChunks(of: [Int]()) { $1 } == [])
    }

    @Test("a copy of a busy database is whole and of one moment")
    func backup() async throws {
        let database = try counters()
        _ = try await database.write { connection in
            for _ in 0..<50_000 { try connection.execute("INSERT INTO counters VALUES (1)") }
        }
        let target = directory.file("copy.db")
        async let copied: Void = database.backup(to: target)
        for _ in 0..<200 {
            try await database.write { connection in
                try connection.execute("INSERT INTO counters VALUES (2)")
                try connection.execute("INSERT INTO counters VALUES (3)")
            }
        }
        try await copied
        let copy = try Database.open(at: target)
        #expect(try await copy.integrityCheck() == [])
        let (twos, threes) = try await copy.read { connection in
            (
                try connection.integer("SELECT COUNT(*) FROM counters WHERE number = 2"),
                try connection.integer("SELECT COUNT(*) FROM counters WHERE number = 3")
            )
        }
        #expect(twos == threes)
        await #expect(throws: StorageFault.io(code: EEXIST)) { try await database.backup(to: target) }
    }

    @Test("deleted content is not found in the file, the log or its copy")
    func wiped() throws {
        let canary = Array("CANARY-7f3a9c55".utf8)
        let database = try Database.open(at: directory.file("test.db"))
        try database.writeSync { connection in
            try connection.execute("CREATE TABLE secrets (body BLOB NOT NULL) STRICT")
            try connection.execute("INSERT INTO secrets VALUES (?)", [.blob(canary)])
        }
        try database.writeSync { try $0.execute("DELETE FROM secrets") }
        try database.checkpoint()
        try database.backupSync(to: directory.file("copy.db"))
        for name in ["test.db", "test.db-wal", "copy.db"] {
            #expect(!contents(of: directory.file(name)).contains(canary), "\(name)")
        }
    }

    private func contents(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}
