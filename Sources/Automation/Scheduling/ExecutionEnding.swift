internal import Access
internal import Domain
internal import Storage

/// Closes an execution from what its records say, together with what is to be told about it.
struct ExecutionEnding: Sendable {
    let parts: AutomationParts
    let execution: ExecutionID
    let organization: OrganizationID

    /// All its work has ended.
    ///
    /// - Parameter canceled: why not all of it was begun; nil where it was.
    func finish(canceled: String?) async throws {
        try await close { counts in
            if let canceled, counts[.skipped] != nil { return (.canceled, canceled) }
            if counts.isEmpty { return (.success, "Nothing to do: no account matches.") }
            // A record that could not be written says that something is not known.
            if counts[.pending] != nil { return (.error, "Some records are still open; they are settled at the next start.") }
            return (Self.status(of: counts), "")
        }
    }

    /// How an execution of which everything was begun stands, by what its records say.
    static func status(of counts: [Record.Status: Int64]) -> Execution.Status {
        counts.contains { $0.key.needsAttention && $0.value > 0 } ? .failed : .success
    }

    /// It could not be carried out.
    func abandon(_ reason: String) async throws {
        try await close { _ in (.error, reason) }
    }

    /// The server stopped while it ran, and what it had begun has been settled since.
    func interrupt() async throws {
        try await close { _ in (.error, Record.Reason.interrupted.words) }
    }

    private func close(
        _ verdict: @escaping @Sendable ([Record.Status: Int64]) -> (status: Execution.Status, reason: String)
    ) async throws {
        let (id, organization, now, outbox) = (execution, organization, parts.clock.now(), parts.outbox)
        let keys = try parts.keys.keys()
        try await parts.database.write { db in
            var execution = try keys.verified(Executions.get(id, in: organization, on: db))
            guard execution.status.isOpen else { return }
            let counts = try Records.counts(of: id, in: organization, on: db)
            (execution.status, execution.reason) = verdict(counts)
            execution.dateFinished = now
            _ = try Executions.update(keys.authenticated(execution), on: db)
            guard let outbox else { return }
            // Of a task that is damaged nobody can be told; its execution ends all the same.
            let task = try? execution.task.flatMap { try AutomationTasks.get($0, in: organization, on: db) }
            let recipients = task.flatMap { try? keys.verified($0).recipients } ?? []
            try outbox.put(ExecutionResult(execution: execution, counts: counts), to: recipients, on: db)
        }
    }
}
