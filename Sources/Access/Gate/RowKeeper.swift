package import Domain
package import Sealing
package import Storage
package import Cryptography
internal import Synchronization

/// The vault's keys for those who check and make rows but may see no plaintext: the API works with this and never with `Sealing` itself.
package struct RowKeeper: Sendable {
    private let keyring: Keyring

    package init(keyring: Keyring) {
        self.keyring = keyring
    }

    package var isSealed: Bool { keyring.isSealed }

    /// The keys as they stand; throws `Refusal.sealed`.
    package func keys() throws(Refusal) -> RowKeys {
        do {
            return try RowKeys(keys: keyring.keys())
        } catch {
            throw .sealed
        }
    }

    /// The first data key of a new organization, in the transaction that makes it. Call `reload` after its commit.
    package func addOrganization(_ organization: OrganizationID, now: Timestamp, in db: any SQLConnection) throws {
        try keyring.addOrganization(organization, now: now, in: db)
    }

    /// Takes up an organization's data keys again after a change of them was committed.
    package func reload(_ organization: OrganizationID) async throws {
        try await keyring.reload(organization)
    }

    /// Throws `Refusal.integrity` unless the settings are the very rows that were stored, none more and none less.
    package func requireAllSettings(on db: any SQLConnection) throws {
        do {
            try keyring.requireRows(of: .setting, on: db)
        } catch SealingFault.rowLedger(let what) {
            throw Refusal.integrity(what)
        }
    }

    /// Seals the shared secret of a new credential, in the transaction that stores it.
    package func sealed(
        _ secret: borrowing Secret, of credential: CredentialID, in organization: OrganizationID, now: Timestamp,
        on db: any SQLConnection
    ) throws -> Sealed {
        try keyring.seal(secret, at: .credentialSecret(credential, in: organization), with: SealingWorkspace(), now: now, in: db)
    }
}

/// The keys of one piece of work: checks stored rows and makes rows to be stored.
package struct RowKeys: Sendable {
    private let keys: KeySet
    private let desk: Desk

    /// Pieces of one work may run at once with the same keys: each has the workspace for itself while it computes a code, since two in it at
    /// once would find sound rows forged.
    private final class Desk: Sendable {
        let workspace: Mutex<SealingWorkspace>

        init() throws { workspace = Mutex(try SealingWorkspace()) }
    }

    init(keys: KeySet) throws {
        self.keys = keys
        desk = try Desk()
    }

    /// The row, once its authentication code has been found to be its own; else `Refusal.integrity`.
    package func verified<Row: RowAuthenticated>(_ stored: Authenticated<Row>) throws(Refusal) -> Row {
        do {
            return try desk.workspace.withLock { try keys.verified(stored, with: $0) }
        } catch {
            throw .integrity("\(error)")
        }
    }

    /// The same of a row that was looked for; `Refusal.notFound` if it is not there.
    package func verified<Row: RowAuthenticated>(_ found: Authenticated<Row>?) throws(Refusal) -> Row {
        guard let found else { throw .notFound }
        return try verified(found)
    }

    /// All rows of a list. One that is not what was stored refuses them all, so that no forged row passes for a good one.
    package func verified<Row: RowAuthenticated>(_ stored: [Authenticated<Row>]) throws(Refusal) -> [Row] {
        try stored.map { (row) throws(Refusal) in try verified(row) }
    }

    /// Those of a list that are what was stored, and what is wrong with the others: no forged row passes for a good one, and none keeps the good
    /// ones from whoever looks for them. For lists that tell of what they leave out.
    package func sound<Row: RowAuthenticated>(
        _ found: [FoundRow<Authenticated<Row>>]
    ) -> (rows: [Row], damaged: [DamagedRow]) {
        var (rows, damaged): ([Row], [DamagedRow]) = ([], [])
        for one in found {
            switch one {
            case .failure(let row): damaged.append(row)
            case .success(let stored):
                do {
                    rows.append(try verified(stored))
                } catch {
                    damaged.append(DamagedRow(id: stored.value.rowID, what: "it does not authenticate"))
                }
            }
        }
        return (rows, damaged)
    }

    /// The row with its authentication code, ready to be stored.
    package func authenticated<Row: RowAuthenticated>(_ row: Row) throws -> Authenticated<Row> {
        try desk.workspace.withLock { try keys.authenticated(row, with: $0) }
    }
}
