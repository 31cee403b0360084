import Access
import Audit
import Automation
import Connectors
import Cryptography
import Dispatch
import Domain
import Logging
import Sealing
import Synchronization
import TestSupport
import Vault

@testable import Storage

/// A vault with an asset on which `admin` does the work and `app` is the account to be turned, and a simulated target behind it.
final class Workshop: Sendable {
    static let start = Timestamp(seconds: 1_800_000_000)
    static let principal = Principal(
        actor: .system("tasks"), permissions: [.rotateAccount, .pushAccount, .verifyAccount, .removeAccount])

    let directory: TemporaryDirectory
    let database: Database
    let auditDirectory: TemporaryDirectory
    let auditDatabase: Database
    let audit: AuditLog
    let keyring: Keyring
    let clock = ManualClock()
    let target: SimulatedTarget
    let asset: Asset
    let worker: Account
    let app: Account
    let records = KeptReports()
    let turning: SecretTurning

    init(_ change: (inout TurnParts) -> Void = { _ in }, state: (inout SimulatedTarget.State) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main)
        keyring = Keyring(database: database)
        let asset = Self.asset(1)
        self.asset = asset
        worker = Self.account(1, on: asset, name: "admin", privileged: true)
        app = Self.account(2, on: asset, name: "app")
        var initial = SimulatedTarget.State()
        initial.live = ["admin": Array("admin-secret".utf8), "app": Array("old".utf8)]
        state(&initial)
        target = SimulatedTarget(initial)
        auditDirectory = directory
        (auditDatabase, audit) = try Self.openAudit(directory)
        try Self.initialize(database, keyring, directory)
        turning = SecretTurning(
            try Self.parts(database, keyring, audit, target, clock, change, record: { [records] in records.add($0) }))
        try add(asset)
        try add(worker, secret: "admin-secret")
        try add(app, secret: "old")
    }

    /// The vault as it was when the database was copied: what a start after a kill finds.
    init(
        copyOf path: String, in directory: TemporaryDirectory, target: SimulatedTarget, at now: Timestamp, like other: Workshop,
        connectorFor: (@Sendable (String) -> (any Connector)?)? = nil
    ) throws {
        self.directory = directory
        database = try Database.open(at: path)
        keyring = Keyring(database: database)
        auditDirectory = try TemporaryDirectory()
        (auditDatabase, audit) = try Self.openAudit(auditDirectory)
        (asset, worker, app, self.target) = (other.asset, other.worker, other.app, target)
        clock.set(now)
        try keyring.unseal(with: KeyFileUnsealer(directory: directory.file("keys")))
        turning = SecretTurning(
            try Self.parts(
                database, keyring, audit, target, clock, { if let connectorFor { $0.connector = connectorFor } }, record: { _ in }
            ))
    }

    deinit {
        audit.close()
        auditDatabase.close()
        database.close()
    }

    private static func openAudit(_ directory: TemporaryDirectory) throws -> (Database, AuditLog) {
        let database = try Database.open(at: directory.file("audit.db"))
        try database.migrate(Migration.audit)
        let log = try AuditLog.open(
            database, options: AuditOptions(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return (database, log)
    }

    private static func initialize(_ database: Database, _ keyring: Keyring, _ directory: TemporaryDirectory) throws {
        let keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        try database.writeSync { db in
            try Platforms.seed(on: db)
            let organizations = [OrganizationID.system, .default].map { Organization(id: $0, name: "\($0)", dateCreated: start) }
            try Keyring.initialize(
                database, slots: [NewSlot(keyFile, label: "", parameters: [])], organizations: organizations, now: start, in: db
            ) { _ in }
        }
        try keyring.unseal(with: keyFile)
    }

    private static func parts(
        _ database: Database, _ keyring: Keyring, _ audit: AuditLog, _ target: SimulatedTarget, _ clock: ManualClock,
        _ change: (inout TurnParts) -> Void, record: @escaping @Sendable (TurnReport) -> Void
    ) throws -> TurnParts {
        var parts = TurnParts(
            database: database, keyring: RowKeeper(keyring: keyring), secrets: AccountSecrets(keyring: keyring),
            gate: Gate(audit: audit, clock: clock.wall), threads: QueueThreads(),
            connector: { $0 == "postgresql" ? target : nil }, clock: clock.wall,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        parts.record = { report, _, _ in record(report) }
        parts.probe = StepProbe { _, _ in }
        change(&parts)
        return parts
    }

    // MARK: - Rows

    static func asset(_ number: UInt64, name: String = "db") -> Asset {
        Asset(
            id: AssetID(high: 0xA, low: number), organization: .default, name: name, address: "10.0.0.1",
            platform: .init(rawValue: 19), protocols: [AssetProtocol(name: "postgresql", port: 5432)], dateCreated: start,
            dateUpdated: start)
    }

    static func account(_ number: UInt64, on asset: Asset, name: String, privileged: Bool = false) -> Account {
        Account(
            id: AccountID(high: 0xB, low: number), organization: .default, asset: asset.id, name: name, username: name,
            privileged: privileged, dateCreated: start, dateUpdated: start)
    }

    func add(_ asset: Asset) throws {
        try database.writeSync { [keyring] db in
            try Assets.insert(keyring.keys().authenticated(asset, with: SealingWorkspace()), on: db)
        }
    }

    func add(_ account: Account, secret text: String?) throws {
        let keyring = keyring
        try database.writeSync { db in
            var account = account
            let (keys, workspace) = (try keyring.keys(), try SealingWorkspace())
            if text != nil { account.stages = SecretStages(current: 1, last: 1) }
            try Accounts.insert(keys.authenticated(account, with: workspace), on: db)
            guard let text else { return }
            let sealed = try keyring.seal(
                secret(text), at: .accountSecret(account.id, version: 1, in: .default), with: workspace, now: Self.start, in: db)
            try SecretVersions.insert(
                SecretVersion(
                    account: account.id, organization: .default, number: 1, secretType: .password, secret: sealed,
                    fingerprint: nil, createdBy: "test", dateCreated: Self.start), on: db)
        }
    }

    /// Edits a row as the admin API would.
    func edit(_ id: AccountID, _ body: @Sendable (inout Account) -> Void) throws {
        var account = try stored(id)
        body(&account)
        let edited = account
        try database.writeSync { [keyring] db in
            _ = try Accounts.update(keyring.keys().authenticated(edited, with: SealingWorkspace()), on: db)
        }
    }

    func stored(_ id: AccountID? = nil) throws -> Account {
        let id = id ?? app.id
        let found = try database.readSync { [keyring] db in
            try Accounts.get(id, in: .default, on: db).map { try keyring.keys().verified($0, with: SealingWorkspace()) }
        }
        guard let found else { throw Refusal.notFound }
        return found
    }

    var open: OpenChange? {
        get throws {
            try database.readSync { [keyring, app] db in
                try SecretChanges.of(app.id, in: .default, on: db).map {
                    try keyring.keys().verified($0, with: SealingWorkspace())
                }
            }
        }
    }

    /// Every kept value of an account by its number, in plaintext.
    func kept(_ id: AccountID? = nil) throws -> [Int64: [UInt8]] {
        let id = id ?? app.id
        return try database.readSync { [keyring] db in
            var values: [Int64: [UInt8]] = [:]
            for version in try SecretVersions.list(of: id, in: .default, on: db).rows {
                let place = Place.accountSecret(id, version: version.number, in: .default)
                let secret = try keyring.keys().open(version.secret, at: place, with: SealingWorkspace())
                values[version.number] = secret.withBytes { Array($0) }
            }
            return values
        }
    }

    /// The value that reads serve.
    func served(_ id: AccountID? = nil) throws -> [UInt8]? {
        let account = try stored(id)
        guard let current = account.stages.current else { return nil }
        return try kept(id)[current]
    }

    var live: [UInt8]? { target.snapshot.live["app"] }

    // MARK: - Turns

    func turn(_ change: (inout TurnOrder) -> Void = { _ in }) async -> TurnReport {
        await turning.turn(app.id, in: .default, Self.order(change), by: Self.principal)
    }

    static func order(_ change: (inout TurnOrder) -> Void = { _ in }) -> TurnOrder {
        let counter = Counter()
        var order = TurnOrder(strategy: .random { secret("fresh-\(counter.next())-\(UInt64.random(in: 0...UInt64.max))") })
        change(&order)
        return order
    }

    /// Settles with the clock going on, until nothing is open or the days are over.
    @discardableResult
    func settle(days: Int64 = 8) async throws -> [TurnReport] {
        let settlement = Settlement(turning)
        let end = clock.wall.now().adding(seconds: days * 86_400)
        var reports: [TurnReport] = []
        for _ in 0..<400 where clock.wall.now() < end {
            reports += try await settlement.pass()
            guard let next = try await database.read({ try SecretChanges.nextDue(on: $0) }) else { break }
            clock.set(max(next, clock.wall.now().adding(seconds: 1)))
        }
        return reports
    }
}

/// What was recorded, in order.
final class KeptReports: Sendable {
    private let list = Mutex<[TurnReport]>([])
    func add(_ report: TurnReport) { list.withLock { $0.append(report) } }
    var all: [TurnReport] { list.withLock { $0 } }
}

final class Counter: Sendable {
    private let value = Atomic(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

/// A clock that stands until it is set.
final class ManualClock: Sendable {
    private let time = Mutex(Workshop.start)
    func set(_ now: Timestamp) { time.withLock { $0 = now } }
    func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }
    var wall: WallClock { WallClock { [self] in time.withLock { $0 } } }
}

struct QueueThreads: WorkThreads {
    private static let queue = DispatchQueue(label: "test.blocking", attributes: .concurrent)

    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Self.queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}

func secret(_ text: String) -> Secret {
    var bytes = Array(text.utf8)
    return Secret(moving: &bytes)
}
