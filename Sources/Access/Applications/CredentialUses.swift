package import Domain
package import Storage
internal import Synchronization

/// When and from where each credential was last used: noted in memory on the hot path, written in batches.
package final class CredentialUses: Sendable {
    package struct Use: Sendable {
        package let organization: OrganizationID
        package let date: Timestamp
        package let address: IPAddress?

        package init(organization: OrganizationID, date: Timestamp, address: IPAddress?) {
            self.organization = organization
            self.date = date
            self.address = address
        }
    }

    private let pending = Mutex<[CredentialID: Use]>([:])

    package init() {}

    /// Takes over what a loop saw in one pass, in order.
    package func note(_ used: [(credential: CredentialID, use: Use)]) {
        pending.withLock { pending in
            for (id, use) in used { pending[id] = use }
        }
    }

    /// Writes what came in since the last time. What a crash loses of it is also in the audit.
    package func flush(to database: Database) async throws {
        let used = pending.withLock { pending in
            defer { pending = [:] }
            return pending.map { id, use in
                CredentialUsage(
                    credential: id, organization: use.organization, dateLastUsed: use.date,
                    address: use.address?.description ?? "")
            }
        }
        for start in stride(from: 0, to: used.count, by: 500) {
            let chunk = Array(used[start..<min(start + 500, used.count)])
            try await database.write { db in try CredentialUsage.record(chunk, on: db) }
        }
    }
}
