internal import Domain

/// Outcomes of announced changes that could not be written when they were due: written as soon as the audit can be, so that no change
/// stays open until the next start. Safe from any thread.
final class OwedOutcomes: Sendable {
    /// Beyond these, an intent stays open until the next start settles it.
    private static let capacity = 4096
    private let batches = Monitor<[AuditBatch]>([])

    func add(_ intent: IntentID, _ outcome: AuditEntry) {
        let batch = AuditBatch { _, _ in }
        batch.append(outcome)
        batch.mark(.settle(intent))
        batches.withLock { if $0.count < Self.capacity { $0.append(batch) } }
    }

    /// What is owed now, in order.
    var all: [AuditBatch] { batches.withLock { $0 } }

    /// The first so many are durable.
    func paid(_ count: Int) { batches.withLock { $0.removeFirst(min(count, $0.count)) } }
}
