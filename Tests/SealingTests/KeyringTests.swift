import Cryptography
import Domain
import Glibc
import TestSupport
import Testing

@testable import Sealing
@testable import Storage

extension FoundVault {
    /// A further active key of an organization, as a replacement of a worn one makes it.
    func addDataKey(_ number: UInt32, of organization: OrganizationID) async throws {
        let keys = try keyring.keys()
        let key = try #require(keys.keyEncryption[keys.activeNumber])
        try await database.write { db in
            for var old in try DataKeys.all(in: organization, on: db) where old.state == .active {
                old.state = .open
                _ = try DataKeys.update(old, on: db)
            }
            let wrap = KeyWrap.dataKey(organization: organization, number: number, encryption: 1)
            try DataKeys.insert(
                DataKey(
                    organization: organization, number: Int64(number), keyringNumber: 1,
                    wrappedKey: wrap.wrap(.random(), under: key),
                    state: .active, dateCreated: Self.now), on: db)
        }
        try await keyring.reload(organization)
    }
}

@Suite("Keyring")
struct KeyringTests {
    static let place = Place.userPassword(UserID(high: 5, low: 5))

    @Test("key file and recovery code open the same vault, each by itself")
    func slots() throws {
        let vault = try FoundVault()
        let sealed = try vault.seal("secret", at: Self.place)
        for unsealer in [vault.keyFile, vault.recovery] as [any Unsealer] {
            let again = Keyring(database: vault.database)
            #expect(throws: SealingFault.sealed) { try again.keys() }
            try again.unseal(with: unsealer)
            #expect(try vault.open(sealed, at: Self.place, by: again) == "secret")
        }
    }

    @Test("a wrong recovery code and the key file of another vault open nothing and leave the vault sealed")
    func wrongKeys() throws {
        let (vault, other) = (try FoundVault(), try FoundVault())
        let again = Keyring(database: vault.database)
        for unsealer in [other.keyFile, other.recovery] as [any Unsealer] {
            #expect(throws: SealingFault.self) { try again.unseal(with: unsealer) }
            #expect(again.isSealed)
        }
    }

    @Test("sealing drops the keys: nothing is sealed, opened or verified any more, until it is unsealed again")
    func sealing() throws {
        let vault = try FoundVault()
        let sealed = try vault.seal("secret", at: Self.place)
        weak let keys = try vault.keyring.keys()
        vault.keyring.seal()
        #expect(keys == nil, "whoever holds no keys has let them be wiped")
        #expect(vault.keyring.isSealed)
        #expect(throws: SealingFault.sealed) { try vault.open(sealed, at: Self.place) }
        #expect(throws: SealingFault.sealed) { try vault.seal("more", at: Self.place) }
        try vault.keyring.unseal(with: vault.keyFile)
        #expect(try vault.open(sealed, at: Self.place) == "secret")
    }

    @Test("a vault whose making is rolled back leaves no rows, and no key that anybody could go on with")
    func rolledBack() throws {
        let directory = try TemporaryDirectory()
        let database = try Database.open(at: directory.file("keyturn.db"))
        defer { database.close() }
        try database.migrate(Migration.main)
        let keyFile = KeyFileUnsealer(directory: directory.file("keys"))
        _ = try keyFile.create()
        let held = Held()
        #expect(throws: StorageFault.readOnly) {
            try database.writeSync { db in
                try Keyring.initialize(
                    database, slots: [NewSlot(keyFile, label: "", parameters: [])], organizations: FoundVault.organizations,
                    now: FoundVault.now, in: db
                ) { keyring in
                    _ = try keyring.keys()
                    held.keyring = keyring
                }
                throw StorageFault.readOnly
            }
        }
        #expect(held.keyring?.isSealed == true)
        #expect(try !Keyring(database: database).isInitialized())
        #expect(try database.readSync { try DataKeys.everywhere(on: $0).isEmpty && Organizations.all(on: $0).isEmpty })
        #expect(throws: SealingFault.notInitialized) { try Keyring(database: database).unseal(with: keyFile) }
    }

    // Unchecked: the test waits for the one thread that writes it.
    private final class Held: @unchecked Sendable { var keyring: Keyring? }

    @Test("a vault is not made over another one")
    func twice() throws {
        let vault = try FoundVault()
        let (database, slots) = (vault.database, try vault.slots())
        #expect(throws: SealingFault.alreadyInitialized) {
            try vault.write { db in
                try Keyring.initialize(database, slots: slots, organizations: [], now: FoundVault.now, in: db) { _ in }
            }
        }
        try vault.keyring.unseal(with: vault.keyFile)
    }

    @Test(
        "wrapped keys that were moved to another row do not open",
        arguments: [
            "UPDATE data_keys SET wrapped_key = (SELECT wrapped_key FROM data_keys WHERE org_id <> x'00000000000000000000000000000002')",
            "UPDATE data_keys SET number = 9 WHERE org_id = x'00000000000000000000000000000002'",
            "UPDATE keyring_keys SET wrapped_key = (SELECT wrapped_key FROM key_slots LIMIT 1)",
            "UPDATE keyring_keys SET wrapped_key = substr(wrapped_key, 1, 20)",
            "UPDATE key_slots SET wrapped_key = (SELECT k.wrapped_key FROM key_slots k WHERE k.kind = 'recovery-code') WHERE kind = 'key-file'",
            "UPDATE key_slots SET id = x'000102030405060708090a0b0c0d0e0f' WHERE kind = 'key-file'",
            "DELETE FROM key_slots WHERE kind = 'key-file'",
            "DELETE FROM keyring_keys",
        ])
    func movedKeys(change: String) throws {
        let vault = try FoundVault()
        vault.keyring.seal()
        try vault.run(change)
        #expect(throws: SealingFault.self) { try vault.keyring.unseal(with: vault.keyFile) }
        #expect(vault.keyring.isSealed)
    }

    @Test("a new organization can seal after the commit and the reload, and a rolled back one never")
    func newOrganization() async throws {
        let vault = try FoundVault()
        let id = OrganizationID(high: 3, low: 3)
        let place = Place.accountSecret(AccountID(high: 1, low: 1), version: 1, in: id)
        let keyring = vault.keyring
        let add: @Sendable (any SQLConnection) throws -> Void = { db in
            let row = Organization(id: id, name: "New", dateCreated: FoundVault.now)
            try Organizations.insert(keyring.keys().authenticated(row, with: SealingWorkspace()), on: db)
            try keyring.addOrganization(id, now: FoundVault.now, in: db)
        }
        await #expect(throws: StorageFault.busy) {
            try await vault.database.write { db in
                try add(db)
                throw StorageFault.busy
            }
        }
        try await vault.keyring.reload(id)
        #expect(throws: SealingFault.self) { try vault.seal("secret", at: place) }

        try await vault.database.write(add)
        #expect(throws: SealingFault.self, "not before the reload") { try vault.seal("secret", at: place) }
        try await vault.keyring.reload(id)
        #expect(try vault.open(vault.seal("secret", at: place), at: place) == "secret")
    }

    @Test("reloads that race end with the newest keys")
    func racingReloads() async throws {
        let vault = try FoundVault()
        for number in 2...6 as ClosedRange<UInt32> {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try? await vault.keyring.reload(.default) } }
                group.addTask { try? await vault.addDataKey(number, of: .default) }
            }
            #expect(try vault.keyring.keys().organizations[.default]?.active.number == number)
        }
    }

    @Test("uses of a key are counted in the database before they happen, and a worn key is replaced")
    func useCounter() async throws {
        let vault = try FoundVault()
        let stored: @Sendable (any SQLConnection) throws -> Int64 = { db in
            try DataKeys.all(in: .system, on: db).last?.usesReserved ?? -1
        }
        #expect(try vault.database.readSync(stored) == 0)
        let sealed = try vault.seal("secret", at: Self.place)
        #expect(try vault.database.readSync(stored) == UseCounter.block)

        try vault.change(
            "UPDATE data_keys SET uses_reserved = \(UseCounter.worn) WHERE org_id = x'00000000000000000000000000000004'")
        let again = Keyring(database: vault.database)
        try again.unseal(with: vault.keyFile)
        try await again.replaceWornKeys(now: FoundVault.now)
        #expect(try again.keys().organizations[.system]?.active.number == 2)
        #expect(try again.keys().organizations[.default]?.active.number == 1)
        #expect(try vault.open(sealed, at: Self.place, by: again) == "secret")

        try vault.change("UPDATE data_keys SET uses_reserved = \(UseCounter.limit) WHERE number = 2")
        try again.unseal(with: vault.keyFile)
        #expect(throws: SealingFault.exhausted) {
            try vault.write { db in
                _ = try again.seal(secret("x"), at: Self.place, with: SealingWorkspace(), now: FoundVault.now, in: db)
            }
        }
    }

    @Test("a reservation that is rolled back is made again")
    func rolledBackReservation() throws {
        let vault = try FoundVault()
        let keyring = vault.keyring
        #expect(throws: StorageFault.busy) {
            try vault.write { db in
                _ = try keyring.seal(secret("x"), at: Self.place, with: SealingWorkspace(), now: FoundVault.now, in: db)
                throw StorageFault.busy
            }
        }
        let counter = try #require(try keyring.keys().organizations[.system]?.active.uses)
        var step = counter.take()
        while step == .allowed { step = counter.take() }
        #expect(step == .reserveFirst)
        _ = try vault.seal("y", at: Self.place)
        #expect(try vault.database.readSync { try DataKeys.all(in: .system, on: $0).first?.usesReserved } == 2 * UseCounter.block)
    }
}

extension FoundVault {
    /// Runs a statement as the vault itself.
    func change(_ sql: String) throws {
        try write { _ = try $0.execute(SQLQuery(rendered: sql)) }
    }

    /// Runs a statement as somebody who has the file and knows no rule.
    func run(_ sql: String) throws {
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute("PRAGMA foreign_keys = OFF")
        try connection.execute(SQLQuery(rendered: sql))
    }
}
