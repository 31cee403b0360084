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

    /// An entry in its stored form, but for its number and hash, which the commit finds.
    struct Entry {
        let columns: AuditColumns
        /// Where its body lies among the bodies of the batch: what the chain covers.
        let body: Range<Int>
        /// Where the form of it lies that is stored: the body itself, or its packed form.
        let stored: Range<Int>
    }

    struct Contents: ~Copyable {
        var entries: [Entry] = []
        var bodies = EntryBodies()
        /// The number of the first entry, once the commit has given it one.
        var firstSeq: Int64 = 0
        var intent = IntentMark.none
        /// Whether everything is to be signed with this commit, and counted refusals written.
        var settles = false
    }

    let contents = Mutex(Contents())
    let completion: Completion

    package init(completion: @escaping Completion) {
        self.completion = completion
    }

    package var count: Int { contents.withLock { $0.entries.count } }

    package func append(_ entry: borrowing AuditEntry) {
        var body: [UInt8] = []
        body.reserveCapacity(512)
        EntryWriter.write(entry, to: &body)
        var columns = AuditColumns(entry)
        columns.action = EntryLimits.cut(columns.action, to: EntryLimits.action)
        contents.withLock { [columns] contents in
            let place = contents.bodies.append(upTo: body.count) {
                $0.copyBytes(from: body)
                return body.count
            }
            contents.entries.append(Entry(columns: columns, body: place, stored: place))
        }
    }

    /// The same for an entry with its long parts ready.
    package func append(_ entry: FetchEntry) {
        contents.withLock { contents in
            let room = entry.bodyRoom
            let place = contents.bodies.append(upTo: room) { entry.writeBody(into: $0) }
            let stored = entry.isPacked ? contents.bodies.append(upTo: room) { entry.writePackedBody(into: $0) } : place
            contents.entries.append(Entry(columns: entry.columns, body: place, stored: stored))
        }
    }

    /// Empties it for the next use.
    package func removeAll() {
        contents.withLock { contents in
            contents.entries.removeAll(keepingCapacity: true)
            contents.bodies.removeAll()
            contents.firstSeq = 0
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
    var firstSeq: Int64 { contents.withLock { $0.firstSeq } }
}
