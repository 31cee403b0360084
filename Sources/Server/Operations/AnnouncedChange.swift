internal import Audit
internal import Domain

extension AuditLog {
    /// Announces a change that no gate decides about, makes it, and writes what came of it before that is told.
    ///
    /// - Parameter announced: the change as one that was granted; its outcome and time are set by what happens.
    func around<Value>(
        _ announced: AuditEntry, clock: WallClock, _ act: () async throws -> Value
    ) async throws -> Value {
        var entry = announced
        let intent = try await beginIntent(entry)
        let value: Value
        do {
            value = try await act()
        } catch {
            entry.time = clock.now()
            entry.outcome = error is Refusal ? .refused : .failed
            entry.reason = (error as? Refusal)?.auditReason ?? "\(error)"
            try await closeIntent(intent, entry)
            throw error
        }
        entry.time = clock.now()
        try await closeIntent(intent, entry)
        return value
    }
}
