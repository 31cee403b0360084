import Cryptography
import Domain
import Sealing
import Storage
import TestSupport

/// A database with keys, opened by a key file or by a recovery code, in a directory of its own.
final class FoundVault: Sendable {
    static let now = Timestamp(seconds: 1_800_000_000)
    static let other = OrganizationID(high: 7, low: 7)

    let directory: TemporaryDirectory
    let database: Database
    let keyring: Keyring
    let keyFile: KeyFileUnsealer
    let recovery: RecoveryCodeUnsealer

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main)
        keyring = Keyring(database: database)
        keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        recovery = try Self.unsealer(RecoveryCodeUnsealer.generate())
        let (database, slots) = (database, try slots())
        try database.writeSync { db in
            try Keyring.initialize(database, slots: slots, organizations: Self.organizations, now: Self.now, in: db) { _ in }
        }
        try keyring.unseal(with: keyFile)
    }

    deinit { database.close() }

    static let organizations = [
        Organization(id: .system, name: "SYSTEM", dateCreated: now),
        Organization(id: .default, name: "Default", dateCreated: now),
        Organization(id: other, name: "Other", dateCreated: now),
    ]

    func slots() throws -> [NewSlot] {
        [
            NewSlot(keyFile, label: "key file", parameters: []),
            NewSlot(recovery, label: "recovery code", parameters: try SecureRandom.bytes(count: 16)),
        ]
    }

    static func unsealer(_ code: borrowing Secret) throws -> RecoveryCodeUnsealer {
        guard let unsealer = RecoveryCodeUnsealer(typed: code) else { throw StorageFault.missing("a recovery code") }
        return unsealer
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) throws -> Value {
        try database.writeSync(body)
    }

    func seal(_ text: String, at place: Place) throws -> Sealed {
        try write { [keyring] db in
            try keyring.seal(secret(text), at: place, with: SealingWorkspace(), now: Self.now, in: db)
        }
    }

    func open(_ sealed: Sealed, at place: Place, by keyring: Keyring? = nil) throws -> String {
        try text(of: (keyring ?? self.keyring).keys().open(sealed, at: place, with: SealingWorkspace()))
    }
}

func secret(_ text: String) -> Secret {
    var bytes = Array(text.utf8)
    return Secret(moving: &bytes)
}

func text(of secret: borrowing Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
