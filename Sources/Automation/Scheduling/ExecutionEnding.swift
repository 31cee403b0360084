internal import Access
internal import Domain
internal import Storage

/// Closes an execution from what its records say, together with what is to be told about it.
struct ExecutionEnding: Sendable {
    let parts: AutomationParts
    let execution: ExecutionID
    let organization: OrganizationID

    /// All its work has ended. False, and it stays open, where records are: those are settled first.
    ///
    /// - Parameter canceled: why not all of it was begun; nil where it was.
    func finish(canceled: String?) async throws -> Bool {
        try await close { counts in
            if counts[.pending] != nil { return nil }
            if let canceled, counts[.skipped] != nil { return (.canceled, canceled) }
            if counts.isEmpty { return (.success, "Nothing to do: no account matches.") }
            return (Self.status(of: counts), "")
        }
    }

    /// How an execution of which everything was begun stands, by what its records say.
    static func status(of counts: [Record.Status: Int64]) -> Execution.Status {
        counts.contains { $0.key.needsAttention && $0.value > 0 } ? .failed : .success
    }

    /// It could not be carried out. False, and it stays open, where records are: those are settled first.
    func abandon(_ reason: String) async throws -> Bool {
        try await close { $0[.pending] == nil ? (.error, reason) : nil }
    }

    /// What it had begun has been settled, as far as that can be read.
    func interrupt(_ reason: String) async throws {
        _ = try await close { _ in (.error, reason) }
    }

    /// False where it stays open.
    private func close(
        _ verdict: @escaping @Sendable ([Record.Status: Int64]) -> (status: Execution.Status, reason: String)?
    ) async throws -> Bool {
        let (id, organization, now, outbox) = (execution, organization, parts.clock.now(), parts.outbox)
        let keys = try parts.keys.keys()
        return try await parts.database.write { db in
            var execution = try keys.verified(Executions.get(id, in: organization, on: db))
            guard execution.status.isOpen else { return true }
            let counts = try Records.counts(of: id, in: organization, on: db)
            guard let verdict = verdict(counts) else { return false }
            (execution.status, execution.reason) = verdict
            execution.dateFinished = now
            _ = try Executions.update(keys.authenticated(execution), on: db)
            guard let outbox else { return true }
            // Of a task that is damaged nobody can be told; its execution ends all the same.
            let task = try? execution.task.flatMap { try AutomationTasks.get($0, in: organization, on: db) }
            let recipients = task.flatMap { try? keys.verified($0).recipients } ?? []
            try outbox.put(ExecutionResult(execution: execution, counts: counts), to: recipients, on: db)
            return true
        }
    }
}
