package import Access
package import Domain
package import Storage

/// Forgets executions and their records when they are old. What may still matter stays: an execution that is open, one with a record whose
/// change is open, and the last one of each task.
package struct ExecutionRetention: Sendable {
    private let database: Database
    private let keys: RowKeeper
    private let period: Duration
    private let clock: WallClock

    /// Executions that one look takes on.
    private static let batch: Int64 = 200
    /// Records that one step deletes.
    private static let step: Int64 = 100

    /// - Parameter period: for how long they are kept after their end.
    package init(database: Database, keys: RowKeeper, period: Duration, clock: WallClock) {
        self.database = database
        self.keys = keys
        self.period = period
        self.clock = clock
    }

    /// Returns how many executions were forgotten. Does nothing while the vault is sealed.
    @discardableResult
    package func prune() async throws -> Int {
        var count = 0
        var place: Executions.OldPlace?
        while !keys.isSealed {
            let (last, cutoff) = (place, clock.now().adding(seconds: -period.components.seconds))
            let page = try await database.read { db in
                try Executions.old(before: cutoff, after: last, limit: Self.batch, on: db)
            }
            for row in page.rows {
                // What may not be forgotten, or cannot be read, stays, and is passed by.
                guard case .success(let execution) = row else { continue }
                if try await forget(execution.id, in: execution.organization, cutoff) { count += 1 }
            }
            guard let next = page.next else { break }
            place = next
        }
        return count
    }

    /// In as many short transactions as its records take. Each asks again whether it may go: a retry or a doubt may have come up meanwhile.
    private func forget(_ execution: ExecutionID, in organization: OrganizationID, _ cutoff: Timestamp) async throws -> Bool {
        let keys = try keys.keys()
        // How old it is, only its row says: one that does not authenticate stays, and so does what it tells.
        let isWhole = try await database.read { db -> Bool in
            do {
                return try Executions.get(execution, in: organization, on: db).map { (try? keys.verified($0)) != nil } ?? false
            } catch StorageFault.corrupt {
                return false
            }
        }
        guard isWhole else { return false }
        try await database.writeInSteps { db in
            guard try Executions.isOld(execution, before: cutoff, on: db) else { return false }
            return try Records.delete(of: execution, limit: Self.step, on: db) > 0
        }
        return try await database.write { db in
            guard try Executions.isOld(execution, before: cutoff, on: db) else { return false }
            return try Executions.delete(execution, on: db)
        }
    }
}
