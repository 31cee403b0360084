import Access
@testable import Audit
import Cryptography
import Domain
import Logging
import Sealing
import Synchronization
import TestSupport

@testable import Storage

/// A vault with an audit of its own and a clock that tests set: everything that the access rules rest on, without a server.
final class TestHouse: Sendable {
    static let start = Timestamp(seconds: 1_800_000_000)
    static let other = OrganizationID(high: 7, low: 7)

    let directory: TemporaryDirectory
    let database: Database
    let auditDatabase: Database
    let audit: AuditLog
    let keyring: Keyring
    let gate: Gate
    let faults = Mutex<[String]>([])
    private let moment = Mutex(TestHouse.start)

    init(refusals: RefusalLimits = RefusalLimits(perPrefix: 10_000, overall: 10_000)) throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main)
        auditDatabase = try Database.open(at: directory.file("audit.db"))
        try auditDatabase.migrate(Migration.audit)
        var options = AuditOptions()
        options.refusals = refusals
        audit = try AuditLog.open(
            auditDatabase, options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        keyring = Keyring(database: database)
        gate = Gate(audit: audit)
        let keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        let database = database
        try database.writeSync { db in
            try Platforms.seed(on: db)
            let slots = [NewSlot(keyFile, label: "", parameters: [])]
            try Keyring.initialize(database, slots: slots, organizations: Self.organizations, now: Self.start, in: db) { _ in }
        }
        try keyring.unseal(with: keyFile)
    }

    deinit {
        audit.close()
        auditDatabase.close()
        database.close()
    }

    static let organizations = [
        Organization(id: .system, name: "SYSTEM", dateCreated: start),
        Organization(id: .default, name: "Default", dateCreated: start),
        Organization(id: other, name: "Other", dateCreated: start),
    ]

    /// The clock as tests set it, in seconds from the start.
    var clock: WallClock { WallClock { [self] in moment.withLock { $0 } } }

    func setClock(_ seconds: Int64) { moment.withLock { $0 = Self.start.adding(seconds: seconds) } }

    func unseal() throws { try keyring.unseal(with: KeyFileUnsealer(directory: directory.file("keys"))) }

    func policies() -> PolicyStore {
        PolicyStore(database: database, keyring: keyring) { [self] fault in faults.withLock { $0.append(fault) } }
    }

    /// Runs a statement as somebody who has the file and knows no rule.
    func run(_ sql: String) throws {
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute("PRAGMA foreign_keys = OFF")
        try connection.execute(SQLQuery(rendered: sql))
    }

    /// Makes every further audit commit fail, without touching what is there.
    func breakAudit() throws {
        try auditDatabase.writeSync { db in
            try db.execute("CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END")
        }
    }

    func mendAudit() throws {
        try auditDatabase.writeSync { db in try db.execute("DROP TRIGGER broken") }
    }

    /// What was written down, from first to last.
    func entries() throws -> [AuditEntry] {
        try auditDatabase.readSync { try AuditEntries.page(after: 0, limit: 10_000, $0) }.map { try EntryReader.read($0.body) }
    }

    func store<Row: RowAuthenticated>(
        _ row: Row, _ put: @escaping @Sendable (Authenticated<Row>, any SQLConnection) throws -> Void
    ) throws {
        let keyring = keyring
        try database.writeSync { db in try put(keyring.keys().authenticated(row, with: SealingWorkspace()), db) }
    }

    func origin(_ address: String? = "192.0.2.1", at seconds: Int64 = 0) -> RequestOrigin {
        RequestOrigin(
            request: .random(), address: address.flatMap { IPAddress($0) }, received: Self.start.adding(seconds: seconds))
    }
}

func secret(_ text: String) -> Secret {
    var bytes = Array(text.utf8)
    return Secret(moving: &bytes)
}
