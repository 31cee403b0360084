internal import Audit
internal import Domain
internal import Storage

/// Finds out, after a start, what became of changes that were announced and not closed: a change that was committed left its mark.
struct IntentSettlement {
    let audit: AuditLog
    let database: Database
    let clock: WallClock

    func run() async throws {
        for open in try await audit.openIntents() {
            let request = open.entry.request
            let isApplied = try await database.read { db in try ChangeMarks.exists(request, on: db) }
            var entry = open.entry
            entry.time = clock.now()
            entry.outcome = isApplied ? .granted : .abandoned
            entry.reason = isApplied ? "settled at start: the change was made" : "settled at start: the change was not made"
            try await audit.closeIntent(open.id, entry)
        }
        // Every intent has its outcome now, so no mark is asked for any more.
        let now = clock.now()
        try await database.write { db in _ = try ChangeMarks.delete(before: now, on: db) }
    }
}
