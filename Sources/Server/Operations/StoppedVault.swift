package import Audit
internal import Cryptography
package import Domain
internal import Logging
package import Sealing
package import Storage

/// A vault whose server does not run, opened for one of the operator's commands. The lock keeps a server out meanwhile.
package final class StoppedVault: Sendable {
    package let database: Database
    package let auditDatabase: Database
    package let audit: AuditLog
    package let keyring: Keyring
    /// Holds the lock until the vault is closed.
    private let directory: DataDirectory
    private let checkpoints: String
    /// The schema that the vault's database had before it was brought up to date; nil where that was not asked for.
    let formerSchema: Int64?
    private let clock: WallClock

    /// Opens databases of this program's schema and the audit. Blocks. Throws `.locked` while a server runs.
    ///
    /// - Parameter migrates: whether an older schema is brought up to date first.
    package init(
        data: String, checkpoints: String, migrates: Bool = false, clock: WallClock = .system
    ) throws {
        directory = try DataDirectory.open(at: data)
        self.checkpoints = checkpoints
        self.clock = clock
        let database = try Database.open(at: directory.database)
        let auditDatabase = try Database.open(at: directory.auditDatabase)
        do {
            formerSchema = migrates ? try database.schemaVersion() : nil
            if migrates {
                try database.migrate(Migration.main, at: clock.now())
                try auditDatabase.migrate(Migration.audit, at: clock.now())
            } else {
                try database.requireSchema(Migration.main)
                try auditDatabase.requireSchema(Migration.audit)
            }
            var options = AuditOptions()
            options.checkpointFile = checkpoints
            options.clock = clock
            let reserve = directory.reserve
            options.releaseReserve = { reserve.release() }
            audit = try AuditLog.open(auditDatabase, options: options, logger: Logger(label: "keyturn.audit"))
        } catch {
            auditDatabase.close()
            database.close()
            throw error
        }
        self.database = database
        self.auditDatabase = auditDatabase
        keyring = Keyring(database: database)
    }

    /// Opens the keyring; from then on the audit is signed. Blocks. Throws `SealingFault.rowLedger` if the rows are not the newest.
    ///
    /// - Parameter scope: which rows are checked; nil for who wants to take them as they are.
    package func unseal(with key: ControlKey, keys directory: String, checking scope: RowLedger.Scope? = .small) throws {
        try unseal(with: key.unsealer(keys: directory), checking: scope)
    }

    /// As above, for who needs the unsealer once more.
    package func unseal(with unsealer: any Unsealer, checking scope: RowLedger.Scope? = .small) throws {
        try keyring.unseal(with: unsealer, checking: scope)
        let key = try signingKey()
        if scope != nil {
            do {
                try RowGeneration.require(keyring, audit: auditDatabase, checkpointFile: checkpoints, key: key)
            } catch {
                keyring.seal()
                throw error
            }
        }
        keyring.ledger.observe { [audit] in audit.note(rows: $0) }
        audit.setSigningKey(key)
    }

    /// Throws `SealingFault.rowLedger` if the audit's checkpoints know of later rows. Blocks.
    func requireNewestRows() throws {
        try RowGeneration.require(keyring, audit: auditDatabase, checkpointFile: checkpoints, key: signingKey())
    }

    /// Takes the rows as they are for the right ones. Blocks.
    func acceptRows() throws {
        let known = try RowGeneration.known(to: auditDatabase, checkpointFile: checkpoints, key: signingKey()) ?? 0
        try database.writeSync { [keyring] db in try keyring.acceptRows(above: known, in: db) }
        try keyring.checkRows(.small)
    }

    private func signingKey() throws -> Ed25519.SigningKey {
        let keyring = keyring
        return try database.readSync { db in try AuditKey.load(keyring: keyring, in: db) }
    }

    /// Announces a change of the operator's, makes it, and writes what came of it.
    package func change<Value: Sendable>(
        _ action: String, objects: [AuditObject] = [], _ act: @Sendable (RequestID) async throws -> Value
    ) async throws -> Value {
        let request = RequestID.random()
        let entry = AuditEntry(
            time: clock.now(), actor: .operatorLocal(OperatorName.current), address: "", organization: nil,
            action: AuditAction(rawValue: action), objects: objects, outcome: .granted, request: request)
        return try await audit.around(entry, clock: clock) { try await act(request) }
    }

    /// Writes down what the operator does where nothing is changed.
    func note(_ action: String) async throws {
        try await audit.append(
            AuditEntry(
                time: clock.now(), actor: .operatorLocal(OperatorName.current), address: "", organization: nil,
                action: AuditAction(rawValue: action), outcome: .granted, request: .random()))
    }

    /// Copies the vault; see `Snapshot`.
    package func snapshot(to target: String) async throws -> SnapshotManifest {
        try await change("control.snapshot") { _ in
            try await audit.settle()
            return try await Blocking.run { [database, auditDatabase, checkpoints, clock] in
                try Snapshot.write(
                    database: database, audit: auditDatabase, checkpoints: checkpoints, to: target, now: clock.now())
            }
        }
    }

    /// Commits what waits and closes everything. Called once.
    package func close() async {
        await audit.finish()
        try? await Blocking.run { [auditDatabase, database] in
            auditDatabase.close()
            database.close()
        }
        keyring.seal()
        directory.unlock()
    }
}

extension ControlKey {
    /// What opens the vault with it. Takes the code that was typed, so it works once.
    package func unsealer(keys directory: String) throws -> any Unsealer {
        switch self {
        case .keyFile: return KeyFileUnsealer(directory: directory)
        case .recoveryCode(let typed):
            guard let code = typed.take(), let unsealer = RecoveryCodeUnsealer(typed: code) else {
                throw Refusal.unauthenticated(reason: "that is not a recovery code: it has 32 letters and digits")
            }
            return unsealer
        }
    }
}
