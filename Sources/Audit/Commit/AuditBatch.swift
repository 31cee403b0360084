package import Domain
internal import Storage
internal import Synchronization

/// Entries that wait for their commit together: one batch a loop and cycle, or one entry alone.
///
/// It is filled, submitted, and may be emptied and used again once its completion has been called; its memory is kept. Entries are
/// brought into their stored form as they are added, on the thread of whoever adds them, so that the committer has less to do.
package final class AuditBatch: Sendable {
    /// Called once for each submission, on the committer's thread, after the entries are durable or have failed as a whole. Must not block.
    package typealias Completion = @Sendable (AuditBatch, Result<Void, AuditFault>) -> Void

    struct Contents {
        /// Their numbers and hashes are filled in by the commit.
        var rows: [AuditRow] = []
        var intent = IntentMark.none
        /// Whether everything is to be signed with this commit, and counted refusals written.
        var settles = false
    }

    let contents = Mutex(Contents())
    let completion: Completion

    package init(completion: @escaping Completion) {
        self.completion = completion
    }

    package var count: Int { contents.withLock { $0.rows.count } }

    package func append(_ entry: borrowing AuditEntry) {
        var body: [UInt8] = []
        body.reserveCapacity(512)
        EntryWriter.write(entry, to: &body)
        var columns = AuditColumns(entry)
        columns.action = EntryLimits.cut(columns.action, to: EntryLimits.action)
        append(AuditRow(seq: 0, columns: columns, body: body, hash: []))
    }

    /// The same for an entry with its long parts ready.
    package func append(_ entry: FetchEntry) {
        append(AuditRow(seq: 0, columns: entry.columns, body: entry.body, hash: []))
    }

    private func append(_ row: consuming AuditRow) {
        contents.withLock { [row] in $0.rows.append(row) }
    }

    /// Empties it for the next use.
    package func removeAll() {
        contents.withLock { contents in
            contents.rows.removeAll(keepingCapacity: true)
            contents.intent = .none
            contents.settles = false
        }
    }
}

extension AuditBatch {
    /// Its last entry opens or closes an intent.
    func mark(_ intent: IntentMark) { contents.withLock { $0.intent = intent } }

    /// It wants everything signed with its commit, and counted refusals written.
    func settle() { contents.withLock { $0.settles = true } }

    var settles: Bool { contents.withLock { $0.settles } }

    /// The number of its first entry once it is committed, else 0.
    var firstSeq: Int64 { contents.withLock { $0.rows.first?.seq ?? 0 } }
}
