package import Domain

/// How the audit is kept.
package struct AuditOptions: Sendable {
    /// Entries that may wait for their commit; beyond, submitters are refused.
    package var capacity = 32_768
    /// Entries of one segment at most.
    package var segmentEntries: Int64 = 1_000_000
    /// How long a segment goes on at most.
    package var segmentAge: Duration = .seconds(86_400)
    /// How long an entry stays unsigned while there is a signing key; the promise is one second.
    package var signingDelay: Duration = .milliseconds(500)
    /// Where checkpoints go outside the database; nil for nowhere.
    package var checkpointFile: String?
    /// A checkpoint file of this many bytes is put aside as `….1` and begun anew; every checkpoint covers all before it.
    package var checkpointFileBytes: Int64 = 16 << 20
    /// Whether a chain that ends before a known checkpoint is refused at start; else it is logged, and the chain goes on.
    package var refusesTruncation = true
    package var refusals = RefusalLimits()
    package var clock = WallClock.system
    /// Frees space that was kept back for what must still be written; true if there was some.
    package var releaseReserve: @Sendable () -> Bool = { false }
    /// Told of each commit, on the committer's thread; must not block.
    package var observer: @Sendable (AuditCommit) -> Void = { _ in }

    package init() {}
}

/// One group commit, for metrics.
package struct AuditCommit: Sendable, Equatable {
    package let entries: Int
    package let duration: Duration
    package let isDurable: Bool
}

/// How the audit fares.
package struct AuditStatus: Sendable, Equatable {
    /// Whether the last commit succeeded; false means that nothing can be granted now.
    package var isHealthy = true
    /// Why not, safe to log and show to an operator.
    package var fault: String?
    /// Why the checkpoint file could not be written, if so; does not stop the server.
    package var checkpointFault: String?
    package var head = ChainHead.genesis
    /// The last number that a checkpoint covers; 0 for none.
    package var signedSeq: Int64 = 0
}
