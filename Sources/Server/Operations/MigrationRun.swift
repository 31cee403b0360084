package import Domain
internal import Glibc
internal import Storage

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
    private let clock: WallClock

    package init(data: String, checkpoints: String, clock: WallClock = .system) {
        self.data = data
        self.checkpoints = checkpoints
        self.clock = clock
    }

    /// Refuses newer databases before anything is changed. Throws `.locked` while a server runs.
    package func run() async throws -> [Step] {
        let steps = try await Blocking.run { try apply() }
        guard steps.contains(where: { $0.from < $0.to }) else { return steps }
        let vault = try await Blocking.run { try StoppedVault(data: data, checkpoints: checkpoints, clock: clock) }
        do {
            let objects = steps.map { AuditObject(kind: "database", id: "", name: "\($0.name) \($0.from) to \($0.to)") }
            try await vault.change("vault.migrate", objects: objects) { _ in }
        } catch {
            await vault.close()
            throw error
        }
        await vault.close()
        return steps
    }

    private func apply() throws -> [Step] {
        let directory = try DataDirectory.open(at: data)
        let parts = [
            ("database", directory.database, Migration.main), ("audit database", directory.auditDatabase, Migration.audit),
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
