package import Cryptography
package import Domain
package import Storage
internal import Synchronization

/// The vault's keys: opened by an unsealer, lent as a `KeySet`, wiped by `seal`.
///
/// The root key wraps numbered key-encryption keys; they wrap one data key or more for each organization; those seal the fields. The root key
/// is needed only to open the rest, and is dropped then.
package final class Keyring: Sendable {
    let database: Database
    /// Tells whether the rows are the newest; settles every transaction once the vault was unsealed.
    package let ledger: RowLedger
    private let current = HeldKeys()
    /// Held from reading stored keys until they are in force, so that of two readers the one that read later also stores later.
    private let changing = Mutex(())

    package init(database: Database) {
        self.database = database
        ledger = RowLedger(held: current)
    }

    /// The keys as they stand; throws `sealed` when there are none.
    package func keys() throws(SealingFault) -> KeySet { try current.keys() }

    package var isSealed: Bool { current.withLock { $0 == nil } }

    /// Whether the database holds a keyring at all. Blocks.
    package func isInitialized() throws -> Bool {
        try database.readSync { db in try !KeySlots.all(on: db).isEmpty }
    }

    /// Opens the vault with the first slot that the unsealer fits. Blocks.
    ///
    /// Throws `rowLedger` and stays sealed when the rows are not the newest.
    ///
    /// - Parameter scope: what is checked; nil for whoever looks into it, or is about to take the rows as they are.
    package func unseal(with unsealer: any Unsealer, checking scope: RowLedger.Scope? = .small) throws {
        let known = ledger.known
        try database.readSync { [self] db in
            try changing.withLock { _ in
                let keys = try Stored(on: db).open(with: unsealer)
                if let scope { try ledger.check(scope, keys, known: known, on: db) }
                current.withLock { $0 = keys }
            }
        }
        database.attach(ledger)
    }

    /// Reads the keys anew after the stored ones were changed; a vault that was sealed meanwhile stays so. Blocks.
    func reopen(with unsealer: any Unsealer) throws {
        try database.readSync { [self] db in
            try changing.withLock { _ in
                let keys = try Stored(on: db).open(with: unsealer)
                try current.withLock { current in
                    guard current != nil else { throw SealingFault.sealed }
                    current = keys
                }
            }
        }
        database.attach(ledger)
    }

    /// Counts the rows and compares with the ledger. Throws `rowLedger`. Blocks.
    package func checkRows(_ scope: RowLedger.Scope) throws {
        let known = ledger.known
        try database.readSync { [self] db in try ledger.check(scope, keys(), known: known, on: db) }
    }

    /// Counts the rows of one kind, in the caller's transaction. Throws `rowLedger`.
    package func requireRows(of kind: RowKind, on db: any SQLConnection) throws {
        try ledger.check(.only(kind), keys(), known: nil, on: db)
    }

    /// Takes the rows as they are for the right ones, as a generation above the one given. In the caller's transaction; blocks.
    ///
    /// For the operator of a stopped vault, who knows why they are not what the ledger says.
    package func acceptRows(above generation: Int64, in db: any SQLConnection) throws {
        ledger.forget()
        try ledger.establish(keys(), above: generation, on: db)
    }

    /// Forgets the keys. Whoever borrowed them finishes what it is doing with them; the last one wipes them.
    package func seal() {
        current.withLock { $0 = nil }
    }

    /// Makes the first keys: a root key in the slots given, a key-encryption key, and data keys of the organizations. In the caller's transaction.
    ///
    /// `found` stores what else a new vault begins with, by a keyring that holds the new keys only while it runs: if the transaction is rolled
    /// back, no key is left in memory that the database does not have. A vault that was committed is opened by `unseal` like any other.
    package static func initialize(
        _ database: Database, slots: [NewSlot], organizations: [Organization], now: Timestamp, in db: any SQLConnection,
        found: (Keyring) throws -> Void
    ) throws {
        guard try KeySlots.all(on: db).isEmpty else { throw SealingFault.alreadyInitialized }
        let root = try SymmetricKey.random()
        for slot in slots { try insert(slot, root: root, now: now, in: db) }
        let number: UInt32 = 1
        let key = try SymmetricKey.random()
        let wrapped = try KeyWrap.keyringKey(number: number).wrap(key, under: root)
        try KeyringKeys.insert(
            KeyringKey(number: Int64(number), wrappedKey: wrapped, state: .active, dateCreated: now), on: db)
        let keys = try KeySet(keyEncryption: [number: key], activeNumber: number, organizations: [:])
        let keyring = Keyring(database: database)
        keyring.current.withLock { $0 = keys }
        defer { keyring.seal() }
        let workspace = try SealingWorkspace()
        for organization in organizations {
            try Organizations.insert(keys.authenticated(organization, with: workspace), on: db)
            try insertDataKey(number: 1, for: organization.id, under: (number, key), now: now, in: db)
            try keyring.adopt(DataKeys.all(in: organization.id, on: db), for: organization.id)
        }
        try found(keyring)
        try keyring.ledger.establish(keyring.keys(), on: db)
    }

    /// A way in besides the others, made by someone who can open the vault already. In the caller's transaction; blocks.
    package static func addSlot(_ slot: NewSlot, openedBy unsealer: any Unsealer, now: Timestamp, in db: any SQLConnection) throws
    {
        let root = try Stored.root(of: KeySlots.all(on: db), with: unsealer)
        try insert(slot, root: root, now: now, in: db)
    }

    /// The first data key of a new organization, in the transaction that makes the organization. Call `reload` after its commit.
    package func addOrganization(_ organization: OrganizationID, now: Timestamp, in db: any SQLConnection) throws {
        let keys = try keys()
        guard let active = keys.keyEncryption[keys.activeNumber] else { throw SealingFault.unknownKey("active key") }
        try Self.insertDataKey(number: 1, for: organization, under: (keys.activeNumber, active), now: now, in: db)
    }

    /// Reads an organization's data keys again after a change of them was committed; none left means that it was deleted.
    package func reload(_ organization: OrganizationID) async throws {
        try await database.read { [self] db in
            try changing.withLock { _ in try adopt(DataKeys.all(in: organization, on: db), for: organization) }
        }
    }

    private func adopt(_ rows: [DataKey], for organization: OrganizationID) throws {
        try current.withLock { current in
            guard let keys = current else { return }
            guard !rows.isEmpty else {
                current = try keys.without(organization)
                return
            }
            let opened = try Stored.open(rows, keyEncryption: keys.keyEncryption, keeping: keys.organizations[organization])
            guard let mine = opened[organization] else { return }
            current = try keys.with(mine, for: organization)
        }
    }

    private static func insert(_ slot: NewSlot, root: SymmetricKey, now: Timestamp, in db: any SQLConnection) throws {
        let id = KeySlot.ID.random()
        let key = try slot.unsealer.wrappingKey(parameters: slot.parameters)
        let wrapped = try SlotEnvelope.wrap(root, under: key, slot: id.bytes, kind: slot.kind)
        try KeySlots.insert(
            KeySlot(
                id: id, kind: slot.kind, label: slot.label, parameters: slot.parameters, wrappedKey: wrapped, dateCreated: now),
            on: db)
    }

    private static func insertDataKey(
        number: UInt32, for organization: OrganizationID, under encryption: (number: UInt32, key: SymmetricKey), now: Timestamp,
        in db: any SQLConnection
    ) throws {
        let wrap = KeyWrap.dataKey(organization: organization, number: number, encryption: encryption.number)
        let wrapped = try wrap.wrap(SymmetricKey.random(), under: encryption.key)
        try DataKeys.insert(
            DataKey(
                organization: organization, number: Int64(number), keyringNumber: Int64(encryption.number), wrappedKey: wrapped,
                state: .active, dateCreated: now),
            on: db)
    }
}

/// A slot to be made: its kind, the unsealer that will open it, and its stored parameters.
package struct NewSlot: Sendable {
    let kind: String
    let label: String
    let parameters: [UInt8]
    let unsealer: any Unsealer

    package init<U: Unsealer>(_ unsealer: U, label: String, parameters: [UInt8]) {
        kind = U.kind
        self.label = label
        self.parameters = parameters
        self.unsealer = unsealer
    }
}

// MARK: - Sealing

extension Keyring {
    /// Seals a secret for its place, counting the use of the key in the caller's transaction.
    package func seal(
        _ secret: borrowing Secret, at place: Place, with workspace: SealingWorkspace, now: Timestamp, in db: any SQLConnection
    ) throws -> Sealed {
        let keys = try keys()
        guard let mine = keys.organizations[place.organization] else {
            throw SealingFault.unknownKey("no data key for the organization")
        }
        let data = mine.active
        while true {
            switch data.uses.take() {
            case .allowed:
                return try secret.withBytes { try keys.seal($0, at: place, under: data, with: workspace) }
            case .reserveFirst:
                guard
                    let total = try DataKeys.reserveUses(
                        UseCounter.block, of: Int64(data.number), in: place.organization, on: db)
                else { throw SealingFault.unknownKey("data key \(data.number)") }
                data.uses.reserve(upTo: total)
            case .exhausted:
                throw SealingFault.exhausted
            }
        }
    }

    /// Replaces every data key that has come half-way to its last use. For a periodic job, far more often than a key can wear out.
    ///
    /// Never done inside somebody's transaction: a key must be committed before anything is sealed under it, or a rollback would lose it.
    package func replaceWornKeys(now: Timestamp) async throws {
        let keys = try keys()
        guard let active = keys.keyEncryption[keys.activeNumber] else { throw SealingFault.unknownKey("active key") }
        for (organization, mine) in keys.organizations where mine.active.uses.isWorn {
            try await database.write { db in
                for var old in try DataKeys.all(in: organization, on: db) where old.state == .active {
                    old.state = .open
                    _ = try DataKeys.update(old, on: db)
                }
                try Self.insertDataKey(
                    number: mine.active.number + 1, for: organization, under: (keys.activeNumber, active), now: now, in: db)
            }
            try await reload(organization)
        }
    }
}
