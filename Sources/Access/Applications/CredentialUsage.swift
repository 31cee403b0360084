package import Domain
package import Storage
internal import Synchronization

/// When and from where each credential was last used: noted in memory on the hot path, written in batches.
package final class CredentialUsage: Sendable {
    private let pending = Mutex<[CredentialID: (at: Timestamp, from: String)]>([:])

    package init() {}

    /// Takes over what a loop saw in one pass.
    package func note(_ used: [CredentialID: (at: Timestamp, from: String)]) {
        pending.withLock { pending in
            for (id, use) in used { pending[id] = use }
        }
    }

    /// Writes what came in since the last time. What a crash loses of it is also in the audit.
    package func flush(to database: Database) async throws {
        let used = pending.withLock { pending in
            defer { pending = [:] }
            return pending.map { CredentialUse(credential: $0.key, date: $0.value.at, address: $0.value.from) }
        }
        guard !used.isEmpty else { return }
        try await database.writeInChunks(of: used, chunk: 500) { chunk, db in
            for use in chunk { try CredentialUses.note(use, in: db) }
        }
    }
}
