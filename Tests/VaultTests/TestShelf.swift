import Access
import Audit
import Cryptography
import Domain
import Logging
import Sealing
import TestSupport
import Vault

@testable import Storage

/// A vault with an asset and an account in each of two organizations.
final class TestShelf: Sendable {
    static let now = Timestamp(seconds: 1_800_000_000)
    static let other = OrganizationID(high: 7, low: 7)

    let directory: TemporaryDirectory
    let database: Database
    let keyring: Keyring
    let secrets: AccountSecrets
    let asset: Asset
    let account: Account

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main)
        keyring = Keyring(database: database)
        secrets = AccountSecrets(keyring: keyring)
        asset = Self.asset(1, in: .default)
        account = Self.account(1, on: asset)
        let keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        let database = database
        try database.writeSync { db in
            try Platforms.seed(on: db)
            let organizations = [OrganizationID.system, .default, Self.other].map {
                Organization(id: $0, name: "\($0)", dateCreated: Self.now)
            }
            try Keyring.initialize(
                database, slots: [NewSlot(keyFile, label: "", parameters: [])], organizations: organizations, now: Self.now,
                in: db
            ) { _ in }
        }
        try keyring.unseal(with: keyFile)
        try add(asset, account)
    }

    deinit { database.close() }

    static func asset(_ number: UInt64, in organization: OrganizationID) -> Asset {
        Asset(
            id: AssetID(high: 0xA, low: number), organization: organization, name: "web", address: "10.0.0.1",
            platform: .init(rawValue: 1),
            dateCreated: now, dateUpdated: now)
    }

    static func account(_ number: UInt64, on asset: Asset, name: String = "root", type: SecretType = .password) -> Account {
        Account(
            id: AccountID(high: 0xB, low: number), organization: asset.organization, asset: asset.id, name: name, username: name,
            secretType: type, dateCreated: now, dateUpdated: now)
    }

    func add(_ asset: Asset?, _ account: Account) throws {
        let keyring = keyring
        try database.writeSync { db in
            let (keys, workspace) = (try keyring.keys(), try SealingWorkspace())
            if let asset { try Assets.insert(keys.authenticated(asset, with: workspace), on: db) }
            try Accounts.insert(keys.authenticated(account, with: workspace), on: db)
        }
    }

    /// A warrant as the gate gives it out.
    func warrant(_ permission: Permission, in organization: OrganizationID = .default) async throws -> Warrant {
        let auditDatabase = try Database.open(at: directory.file("audit.db"))
        defer { auditDatabase.close() }
        try auditDatabase.migrate(Migration.audit)
        let audit = try AuditLog.open(
            auditDatabase, options: AuditOptions(), logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
        defer { audit.close() }
        let principal = Principal(actor: .user(UserID(high: 1, low: 1), name: "admin"), permissions: [permission])
        return try await Gate(audit: audit).view(permission, as: principal, in: organization, from: .internal(now: Self.now)) {
            .init($0.warrant())
        }
    }

    /// The account's row as it stands, verified.
    func stored(_ id: AccountID? = nil, in organization: OrganizationID = .default) throws -> Account {
        let (keyring, id) = (keyring, id ?? account.id)
        let found = try database.readSync { db in
            try Accounts.get(id, in: organization, on: db).map { try keyring.keys().verified($0, with: SealingWorkspace()) }
        }
        guard let found else { throw Refusal.notFound }
        return found
    }

    /// Puts a secret as an admin's request does, in one transaction with the row; returns the row.
    @discardableResult
    func put(_ text: String, in account: AccountID? = nil, by warrant: Warrant, history: Int = 999) throws -> Account {
        let account = try stored(account, in: warrant.organization)
        return try database.writeSync { [keyring, secrets, account] db in
            var account = account
            try secrets.put(secret(text), into: &account, by: warrant, historyLimit: history, now: Self.now, in: db)
            _ = try Accounts.update(keyring.keys().authenticated(account, with: SealingWorkspace()), on: db)
            return account
        }
    }

    func reveal(_ version: Int64, of account: AccountID? = nil, by warrant: Warrant) throws -> String {
        let account = try stored(account, in: warrant.organization)
        let handoff = try database.readSync { [secrets] db in
            try secrets.reveal(version: version, of: account, by: warrant, in: db).handoff
        }
        guard let secret = handoff.take() else { throw Refusal.notFound }
        return secret.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Runs a statement as somebody who has the file and knows no rule.
    func run(_ sql: String) throws {
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute("PRAGMA foreign_keys = OFF")
        try connection.execute(SQLQuery(rendered: sql))
    }
}

func secret(_ text: String) -> Secret {
    var bytes = Array(text.utf8)
    return Secret(moving: &bytes)
}
