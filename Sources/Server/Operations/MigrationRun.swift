package import Domain
internal import Glibc
package import Storage

/// Brings a stopped vault's databases to this program's schema; a copy of each is made first where there is something to do.
package struct MigrationRun: Sendable {
    /// What happened to one database.
    package struct Step: Sendable, Equatable {
        package let name: String
        package let from: Int64
        package let to: Int64
        /// The copy of what it was before; nil where nothing was done.
        package let copy: String?
    }

    private let data: String
    private let checkpoints: String
    private let keys: String
    private let clock: WallClock
    private let main: [Migration]

    /// - Parameters:
    ///   - keys: the key directory: what came with keys is made with them.
    ///   - main: the steps of the vault's database, for tests that have steps of their own.
    package init(
        data: String, checkpoints: String, keys: String, clock: WallClock = .system, main: [Migration] = Migration.main
    ) {
        self.data = data
        self.checkpoints = checkpoints
        self.keys = keys
        self.clock = clock
        self.main = main
    }

    /// Refuses newer databases before anything is changed. Throws `.locked` while a server runs.
    package func run() async throws -> [Step] {
        let steps = try await Blocking.run { try apply() }
        guard steps.contains(where: { $0.from < $0.to }) else { return steps }
        let vault = try await Blocking.run { try StoppedVault(data: data, checkpoints: checkpoints, clock: clock) }
        do {
            let objects = steps.map { AuditObject(kind: "database", id: "", name: "\($0.name) \($0.from) to \($0.to)") }
            try await vault.change("vault.migrate", objects: objects) { _ in }
            if steps.contains(where: { $0.name == Self.database && $0.from < Migration.rowLedger }) { try await countRows(vault) }
        } catch {
            await vault.close()
            throw error
        }
        await vault.close()
        return steps
    }

    /// The rows of a database from before the ledger are taken as they are: there is nothing to hold against them.
    private func countRows(_ vault: StoppedVault) async throws {
        do {
            try await Blocking.run { try vault.unseal(with: .keyFile, keys: keys, checking: nil) }
            _ = try await RowAcceptance.run(vault)
        } catch {
            throw OperatorFault(
                .failed,
                "the schema is up to date, but its rows are not counted yet (\(OperatorFault(error))): keyturnd accept-rows, with "
                    + "--recovery-code where the key file is lost")
        }
    }

    private static let database = "database"

    private func apply() throws -> [Step] {
        let directory = try DataDirectory.open(at: data)
        let parts = [
            (Self.database, directory.database, main), ("audit database", directory.auditDatabase, Migration.audit),
        ]
        for (_, path, _) in parts where access(path, F_OK) != 0 { throw StorageFault.missing(path) }
        let databases = try parts.map { try Database.open(at: $0.1) }
        defer { databases.forEach { $0.close() } }
        // Both are looked at before the first is changed.
        for (part, database) in zip(parts, databases) {
            let (found, known) = (try database.schemaVersion(), part.2.last?.number ?? 0)
            if found > known { throw StorageFault.newerSchema(found: found, known: known) }
        }
        return try zip(parts, databases).map { part, database in
            let found = try database.schemaVersion()
            let outcome = try database.migrate(part.2, at: clock.now())
            return Step(name: part.0, from: found, to: outcome.applied.last ?? found, copy: outcome.copy)
        }
    }
}
