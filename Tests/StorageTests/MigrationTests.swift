import Domain
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Migrations")
struct MigrationTests {
    let directory: TemporaryDirectory
    /// The newest step that the program has.
    static let known = Int64(Migration.main.count)
    static let next = Migration(known + 1, "next", ["CREATE TABLE later (id $uuid NOT NULL PRIMARY KEY, body $bytes) $clustered"])
    static let broken = Migration(
        known + 2, "broken", ["CREATE TABLE half (id $integer NOT NULL) $table", "CREATE TABLE half (id $integer) $table"])

    init() throws { directory = try TemporaryDirectory() }

    @Test("an empty database is brought up to date once", arguments: [Migration.main, Migration.audit])
    func empty(steps: [Migration]) throws {
        let database = try Database.open(at: directory.file("test.db"))
        #expect(try database.migrate(steps).applied == steps.map(\.number))
        #expect(try database.migrate(steps) == MigrationOutcome())
        #expect(try database.schemaVersion() == steps.last?.number ?? 0)
        try database.requireSchema(steps)
        #expect(try database.integrityCheckSync() == [])
    }

    @Test("the numbers of each list begin with 1 and rise", arguments: [Migration.main, Migration.audit])
    func numbers(steps: [Migration]) {
        #expect(steps.first?.number == 1)
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.number < $1.number })
    }

    @Test("a database with something to lose is copied first")
    func snapshot() throws {
        let database = try Database.open(at: directory.file("test.db"))
        #expect(try database.migrate(Migration.main).copy == nil)
        #expect(throws: StorageFault.olderSchema(found: Self.known, known: Self.known + 1)) {
            try database.requireSchema(Migration.main + [Self.next])
        }
        try database.writeSync { try Organizations.insert(Tenant(.default, name: "x").organization, on: $0) }
        let outcome = try database.migrate(Migration.main + [Self.next])
        #expect(outcome.applied == [Self.known + 1])
        let copy = try Database.open(at: #require(outcome.copy))
        try copy.requireSchema(Migration.main)
        #expect(try copy.readSync { try Organizations.all(on: $0).count } == 1)
    }

    @Test("a database that has a ledger of rows gets further tables that the ledger counts", arguments: 2..<Migration.main.count)
    func laterWatchedTables(first: Int) throws {
        let database = try Database.open(at: directory.file("test.db"))
        try database.migrate(Array(Migration.main.prefix(first)))
        try database.writeSync { try Organizations.insert(Tenant(.default, name: "x").organization, on: $0) }
        #expect(try database.migrate(Migration.main).applied == Migration.main.dropFirst(first).map(\.number))
        // From now on every change of them is noted.
        let connection = try database.confinedConnection(writable: true)
        #expect(try RowChanges.watch(on: connection))
        for table in WatchedTable.all { #expect(try connection.first(table.existence) { _ in true } == true) }
    }

    @Test("a newer database is refused untouched")
    func newer() throws {
        let database = try Database.open(at: directory.file("test.db"))
        try database.migrate(Migration.main + [Self.next])
        let expected = StorageFault.newerSchema(found: Self.known + 1, known: Self.known)
        #expect(throws: expected) { try database.migrate(Migration.main) }
        #expect(throws: expected) { try database.requireSchema(Migration.main) }
    }

    @Test("a step that fails leaves the database as it was, without the steps before it, and the copy beside it")
    func failure() throws {
        let database = try Database.open(at: directory.file("test.db"))
        try database.migrate(Array(Migration.main.prefix(1)))
        try database.writeSync { try Organizations.insert(Tenant(.default, name: "x").organization, on: $0) }
        let now = Timestamp(milliseconds: 77)
        #expect(throws: StorageFault.self) { try database.migrate(Migration.main + [Self.next, Self.broken], at: now) }
        #expect(try database.schemaVersion() == 1)
        #expect(try database.readSync { try !$0.exists("SELECT 1 FROM sqlite_schema WHERE name IN ('half', 'later')") })
        #expect(try database.readSync { try Organizations.all(on: $0).count } == 1)
        let copy = try Database.open(at: directory.file("test.db.schema-1-77"))
        #expect(try copy.schemaVersion() == 1 && copy.integrityCheckSync() == [])
        #expect(try copy.readSync { try Organizations.all(on: $0).count } == 1)
        try database.migrate(Migration.main + [Self.next])
        #expect(try database.schemaVersion() == Self.known + 1)
    }

    @Test("every token is known to the dialect", arguments: Migration.main + Migration.audit)
    func tokens(step: Migration) {
        for statement in step.statements { #expect(!Dialect.sqlite(statement).contains("$")) }
    }
}
