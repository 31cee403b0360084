internal import Audit
internal import Domain
internal import Storage

/// Finds out, after a start, what became of changes that were announced and not closed: a change that was committed left its mark.
struct IntentSettlement {
    let audit: AuditLog
    let database: Database
    let clock: WallClock
    /// The last entry from before this start: what was announced later is still under way, and nobody's to settle.
    let lastBefore: Int64
    /// When this start was: marks from then on may still be asked for.
    let started: Timestamp

    func run() async throws {
        for open in try await audit.openIntents() where open.id.seq <= lastBefore {
            let request = open.entry.request
            let isApplied = try await database.read { db in try ChangeMarks.exists(request, on: db) }
            var entry = open.entry
            entry.time = clock.now()
            entry.outcome = isApplied ? .granted : .abandoned
            entry.reason = isApplied ? "settled at start: the change was made" : "settled at start: the change was not made"
            try await audit.closeIntent(open.id, entry)
        }
        // Every intent from before has its outcome now, so its mark is not asked for any more.
        let started = started
        while try await database.write({ db in try ChangeMarks.delete(before: started, on: db) }) > 0 {}
    }
}
