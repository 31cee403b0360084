import Domain
import TestSupport
import Testing

@testable import Storage

@Suite("Connection")
struct ConnectionTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func database() throws -> Database {
        let database = try Database.open(at: directory.file("test.db"))
        try database.writeSync {
            try $0.execute(
                """
                CREATE TABLE things (
                    id BLOB NOT NULL PRIMARY KEY, org_id BLOB NOT NULL, name TEXT NOT NULL, size INTEGER, body BLOB,
                    CHECK (size > 0), UNIQUE (org_id, name)) STRICT
                """)
            try $0.execute("CREATE TABLE parts (thing_id BLOB NOT NULL REFERENCES things (id), number INTEGER NOT NULL) STRICT")
        }
        return database
    }

    static let values: [SQLValue] = [
        .integer(.min), .integer(.max), .integer(0), .text(""), .text("a"), .text("NUL\0inside"), .text("日本 🔑"), .blob([]),
        .blob([0]), .blob([UInt8](0...255)), .uuid(high: 1, low: .max),
    ]

    @Test("two rows have the same image if and only if every column is stored the same, to the byte and with its type")
    func images() throws {
        let rows = [
            "SELECT NULL, NULL", "SELECT NULL, 0", "SELECT 0, NULL", "SELECT 0, 0", "SELECT 0.0, 0", "SELECT -0.0, 0",
            "SELECT '0', 0", "SELECT x'30', 0", "SELECT '', ''", "SELECT x'', ''", "SELECT '', x''",
            "SELECT 'a', 'bc'",
            "SELECT 'ab', 'c'", "SELECT 'abc', ''", "SELECT x'00', ''", "SELECT char(233), ''", "SELECT 'e' || char(769), ''",
            "SELECT 256, 0", "SELECT 1, 0", "SELECT -1, 0",
            "SELECT 9223372036854775807, 0",
        ]
        try database().readSync { connection in
            let images = try rows.map { try connection.first(SQLQuery(rendered: $0)) { $0.image } }
            #expect(Set(images).count == rows.count)
            #expect(try images == rows.map { try connection.first(SQLQuery(rendered: $0)) { $0.image } })
        }
    }

    @Test("a value comes back as it went in", arguments: values)
    func roundTrip(value: SQLValue) throws {
        let back = try database().readSync { connection in
            try connection.first("SELECT ?", [value]) { row -> SQLValue in
                switch value {
                case .null: .null
                case .integer: .integer(try row.integer(0))
                case .text: .text(try row.text(0))
                case .blob: .blob(try row.blob(0))
                case .uuid: .id(try row.id(0, of: Account.self))
                }
            }
        }
        #expect(back == value)
    }

    @Test("a column of another type or NULL is a fault that names it, whatever is asked for")
    func wrongTypes() throws {
        let database = try database()
        try database.readSync { connection -> Void in
            for value: SQLValue in [.null, .integer(7), .text("x"), .blob([1, 2])] {
                _ = try connection.first("SELECT ? AS field", [value]) { row in
                    let expected = StorageFault.corrupt("column field")
                    #expect(throws: expected) { try row.id(0, of: Account.self) }
                    #expect(throws: expected) { try row.flag(0) }
                    #expect(throws: expected) { try row.value(0, of: SecretType.self) }
                    if case .integer = value {} else { #expect(throws: expected) { try row.integer(0) } }
                    if case .text = value {} else { #expect(throws: expected) { try row.text(0) } }
                    if case .blob = value {} else { #expect(throws: expected) { try row.blob(0) } }
                    #expect(row.isNull(0) == (value == .null))
                    #expect(throws: StorageFault.self) { try row.integer(99) }
                    #expect(throws: StorageFault.self) { try row.text(.max) }
                }
            }
        }
    }

    @Test("text that is not UTF-8 is a fault")
    func badText() throws {
        _ = try database().readSync { connection in
            #expect(throws: StorageFault.corrupt("column t")) {
                try connection.first("SELECT CAST(x'FF41' AS TEXT) AS t") { try $0.text(0) }
            }
        }
    }

    @Test("a broken rule tells its kind and columns, and no value")
    func constraints() throws {
        let database = try database()
        let id = AccountID.random()
        let insert: @Sendable (SQLValue, SQLValue, Int64) throws -> Void = { id, name, size in
            _ = try database.writeSync {
                try $0.execute(
                    "INSERT INTO things (id, org_id, name, size) VALUES (?, ?, ?, ?)",
                    [id, .id(OrganizationID.default), name, .integer(size)])
            }
        }
        try insert(.id(id), .text("secret name"), 1)
        #expect(throws: StorageFault.constraint(.unique, columns: "things.org_id, things.name")) {
            try insert(.id(AccountID.random()), .text("secret name"), 1)
        }
        #expect(throws: StorageFault.constraint(.unique, columns: "things.id")) { try insert(.id(id), .text("other"), 1) }
        #expect(throws: StorageFault.constraint(.notNull, columns: "things.name")) {
            try insert(.id(AccountID.random()), .null, 1)
        }
        #expect(throws: StorageFault.constraint(.check, columns: "size > 0")) {
            try insert(.id(AccountID.random()), .text("third"), 0)
        }
        #expect(throws: StorageFault.constraint(.foreignKey, columns: "")) {
            try database.writeSync { try $0.execute("INSERT INTO parts VALUES (?, 1)", [.id(AccountID.random())]) }
        }
    }

    @Test("too few, too many values and faulty statements are faults, not traps")
    func statements() throws {
        _ = try database().readSync { connection in
            #expect(throws: StorageFault.statement("1 values for 2 placeholders")) {
                try connection.execute("SELECT ?, ?", [.null])
            }
            #expect(throws: StorageFault.statement("1 values for 0 placeholders")) { try connection.execute("SELECT 1", [.null]) }
            #expect(throws: StorageFault.self) { try connection.execute("SELEKT 1") }
            #expect(throws: StorageFault.self) { try connection.execute(" ") }
            #expect(throws: StorageFault.self) { try connection.execute("x") }
            #expect(throws: StorageFault.self) { try connection.execute("SELECT \"text in double quotes\"") }
        }
    }

    @Test("a statement is prepared once, and one that runs inside itself gets another")
    func reuse() throws {
        let connection = try database().confinedConnection(writable: false)
        let sql: StaticString = "SELECT value FROM (SELECT 1 AS value UNION SELECT 2)"
        let first = try connection.statement(sql)
        #expect(try connection.statement(sql) === first)
        let pairs = try connection.query(sql) { outer in
            try connection.query(sql) { try $0.integer(0) } + [try outer.integer(0)]
        }
        #expect(pairs == [[1, 2, 1], [1, 2, 2]])
        #expect(try connection.statement(sql) === first)
    }

    @Test("a transaction that throws leaves nothing, an inner one only undoes itself")
    func transactions() throws {
        struct Stop: Error {}
        let connection = try database().confinedConnection(writable: true)
        func insert(_ name: String) throws {
            try connection.execute(
                "INSERT INTO things (id, org_id, name) VALUES (?, ?, ?)",
                [.id(AccountID.random()), .id(OrganizationID.default), .text(name)])
        }
        #expect(throws: Stop.self) {
            try connection.transaction {
                try insert("a")
                throw Stop()
            }
        }
        #expect(try connection.integer("SELECT COUNT(*) FROM things") == 0)
        try connection.transaction {
            try insert("b")
            #expect(throws: StorageFault.self) {
                try connection.transaction {
                    try insert("c")
                    try insert("b")
                }
            }
            try connection.transaction { try insert("d") }
        }
        #expect(try connection.query("SELECT name FROM things ORDER BY name") { try $0.text(0) } == ["b", "d"])
    }

    @Test("after SQLite has rolled back by itself, nothing more is written in that transaction")
    func lostTransaction() throws {
        let connection = try database().confinedConnection(writable: true)
        #expect(throws: StorageFault.transactionLost) {
            try connection.transaction {
                try connection.execute("ROLLBACK")
                try connection.execute(
                    "INSERT INTO things (id, org_id, name) VALUES (?, ?, 'x')",
                    [.id(AccountID.random()), .id(OrganizationID.default)])
            }
        }
        #expect(try connection.integer("SELECT COUNT(*) FROM things") == 0)
        try connection.transaction { try connection.execute("DELETE FROM things") }
    }

    @Test("a reading connection cannot write", arguments: [true, false])
    func readers(confined: Bool) throws {
        let database = try database()
        #expect(throws: StorageFault.readOnly) {
            if confined {
                try database.confinedConnection(writable: false).execute("DELETE FROM things")
            } else {
                try database.readSync { try $0.execute("DELETE FROM things") }
            }
        }
    }

    @Test("every writing connection is durable, foreign keys hold, deleted content is overwritten")
    func settings() throws {
        let database = try database()
        let connection = try database.confinedConnection(writable: true)
        #expect(try connection.pragma("PRAGMA synchronous") == "2")
        #expect(try connection.pragma("PRAGMA journal_mode") == "wal")
        #expect(try connection.pragma("PRAGMA foreign_keys") == "1")
        #expect(try connection.pragma("PRAGMA secure_delete") == "1")
        #expect(try connection.pragma("PRAGMA trusted_schema") == "0")
        #expect(try connection.pragma("PRAGMA cell_size_check") == "1")
        #expect(try connection.pragma("PRAGMA temp_store") == "2")
        #expect(throws: StorageFault.self) { try connection.execute("SELECT load_extension('x')") }
        #expect(throws: StorageFault.self) {
            try connection.execute("PRAGMA writable_schema = ON")
            try connection.execute("UPDATE sqlite_schema SET sql = 'x'")
        }
        let writing = try database.writeSync { try $0.integer("PRAGMA synchronous") }
        #expect(writing == 2)
    }
}
