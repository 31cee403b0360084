/// What waits for the committer: bounded, so that a slow disk makes refusals and not a full memory.
final class CommitQueue: Sendable {
    private struct State {
        var batches: [AuditBatch] = []
        /// Entries queued or being committed.
        var entries = 0
        var isClosed = false
        /// Something else than a batch wants the committer's attention.
        var isPoked = false
    }

    /// What the committer found when it woke.
    struct Wake {
        var batches: [AuditBatch] = []
        var isClosed = false
    }

    private let capacity: Int
    private let monitor = Monitor(State())

    init(capacity: Int) { self.capacity = capacity }

    /// Entries that wait for their commit.
    var waiting: Int { monitor.withLock { $0.entries } }

    func submit(_ batch: AuditBatch, entries: Int) throws(AuditFault) {
        try monitor.change { (state) throws(AuditFault) in
            if state.isClosed { throw .closed }
            // One batch always fits an empty queue, however small the capacity is.
            if state.entries > 0, state.entries + entries > capacity { throw .overloaded }
            state.entries += entries
            state.batches.append(batch)
        }
    }

    /// Takes everything that waits; waits for it up to a time.
    func take(waiting time: Duration) -> Wake {
        let wake = monitor.wait(upTo: time) { state -> Wake? in
            guard !state.batches.isEmpty || state.isClosed || state.isPoked else { return nil }
            state.isPoked = false
            var wake = Wake(isClosed: state.isClosed)
            swap(&wake.batches, &state.batches)
            return wake
        }
        return wake ?? Wake()
    }

    /// Makes room again after the entries were committed or failed.
    func finished(entries: Int) {
        monitor.withLock { $0.entries -= entries }
    }

    func poke() { monitor.change { $0.isPoked = true } }

    /// Takes nothing more; what waits is still committed.
    func close() { monitor.change { $0.isClosed = true } }
}
