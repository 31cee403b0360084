import Domain
import Glibc
import Testing

@testable import Storage

@Suite("Migrations")
struct MigrationTests {
    let directory = TemporaryDirectory()
    /// The newest schema of the vault.
    static let newest = Int64(Migration.main.count)
    static let second = Migration(
        newest + 1, "second", ["CREATE TABLE later (id $uuid NOT NULL PRIMARY KEY, body $bytes) $clustered"])
    static let broken = Migration(
        newest + 2, "broken", ["CREATE TABLE half (id $integer NOT NULL) $table", "CREATE TABLE half (id $integer) $table"])

    @Test("an empty database is brought up to date once", arguments: [Migration.main, Migration.audit])
    func empty(steps: [Migration]) throws {
        let database = try Database.open(at: directory.file("test.db"))
        #expect(try database.migrate(steps).applied == steps.map(\.number))
        #expect(try database.migrate(steps) == MigrationOutcome())
        #expect(try database.schemaVersion() == steps.last?.number ?? 0)
        try database.requireSchema(steps)
        #expect(try database.integrityCheckSync() == [])
    }

    @Test("the numbers of each list count from 1 without a gap", arguments: [Migration.main, Migration.audit])
    func numbers(steps: [Migration]) {
        #expect(steps.map(\.number) == (0..<steps.count).map { Int64($0 + 1) })
    }

    @Test("a database with something to lose is copied first")
    func snapshot() throws {
        let database = try Database.open(at: directory.file("test.db"))
        #expect(try database.migrate(Migration.main).copy == nil)
        #expect(throws: StorageFault.olderSchema(found: Self.newest, known: Self.newest + 1)) {
            try database.requireSchema(Migration.main + [Self.second])
        }
        try database.writeSync { try Organizations.insert(Tenant(.default, name: "x").organization, on: $0) }
        let outcome = try database.migrate(Migration.main + [Self.second])
        #expect(outcome.applied == [Self.newest + 1])
        let copy = try Database.open(at: #require(outcome.copy))
        try copy.requireSchema(Migration.main)
        #expect(try copy.readSync { try Organizations.all(on: $0).count } == 1)
    }

    @Test("a newer database is refused untouched")
    func newer() throws {
        let database = try Database.open(at: directory.file("test.db"))
        try database.migrate(Migration.main + [Self.second])
        let expected = StorageFault.newerSchema(found: Self.newest + 1, known: Self.newest)
        #expect(throws: expected) { try database.migrate(Migration.main) }
        #expect(throws: expected) { try database.requireSchema(Migration.main) }
    }

    @Test("a step that fails leaves nothing of itself")
    func failure() throws {
        let database = try Database.open(at: directory.file("test.db"))
        #expect(throws: StorageFault.self) { try database.migrate(Migration.main + [Self.second, Self.broken]) }
        #expect(try database.schemaVersion() == Self.newest + 1)
        #expect(try database.readSync { try !$0.exists("SELECT 1 FROM sqlite_schema WHERE name = 'half'") })
    }

    @Test("every token is known to the dialect", arguments: Migration.main + Migration.audit)
    func tokens(step: Migration) {
        for statement in step.statements { #expect(!Dialect.sqlite(statement).contains("$")) }
    }
}
