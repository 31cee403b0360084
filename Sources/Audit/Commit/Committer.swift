internal import Cryptography
internal import Domain
internal import Logging
internal import Storage

/// The one thread that writes the audit: takes everything that waits, commits it at once, and tells each batch.
///
/// Confined to its thread from `init` on.
final class Committer {
    private let queue: CommitQueue
    private let owed: OwedOutcomes
    private let state: AuditState
    private let refusals: RefusalFold
    private let options: AuditOptions
    private let transaction: CommitTransaction
    private let logger: Logger
    private let clock = ContinuousClock()
    /// When the oldest entry that no checkpoint covers became durable.
    private var unsignedSince: ContinuousClock.Instant?
    private var lastKey: Ed25519.SigningKey?
    private var lastTick: ContinuousClock.Instant
    /// Counted refusals that became entries and are not durable yet.
    private let folded = AuditBatch { _, _ in }
    /// After a failure, the entry that tells of it; written with the next commit that succeeds.
    private let recovery = AuditBatch { _, _ in }
    private var refusedEntries: Int64 = 0

    init(
        _ connection: any SQLConnection, path: String, queue: CommitQueue, owed: OwedOutcomes, state: AuditState,
        refusals: RefusalFold,
        options: AuditOptions, logger: Logger
    ) throws {
        self.queue = queue
        self.owed = owed
        self.state = state
        self.refusals = refusals
        self.options = options
        self.logger = logger
        lastTick = clock.now
        transaction = try CommitTransaction(connection, path: path, options: options)
        if let fault = try contradiction(connection) {
            guard !options.refusesTruncation else { throw fault }
            logger.critical("the audit chain contradicts a checkpoint; it goes on", metadata: ["fault": "\(fault)"])
        }
        publish()
    }

    /// Works until the queue is closed and empty.
    func run() {
        while true {
            let wake = queue.take(waiting: patience)
            let isLast = wake.isClosed
            tick(all: isLast)
            commit(wake.batches, settling: isLast)
            if isLast, wake.batches.isEmpty { return }
        }
    }

    private var patience: Duration {
        guard let unsignedSince, state.signingKey != nil, state.current.isHealthy else { return .seconds(1) }
        return min(.seconds(1), options.signingDelay - unsignedSince.duration(to: clock.now))
    }

    /// The last checkpoint, in the database or in the file, that the chain does not bear out.
    private func contradiction(_ connection: any SQLConnection) throws -> AuditFault? {
        let tail = transaction.tail
        return try connection.transaction {
            if let row = try AuditCheckpoints.last(connection),
                let fault = try tail.contradiction(to: Checkpoint(row), connection)
            {
                return fault
            }
            guard let path = options.checkpointFile else { return nil }
            let line = try CheckpointFile(path: path, limit: options.checkpointFileBytes).last()
            return try line.flatMap { try tail.contradiction(to: $0.checkpoint, connection) }
        }
    }
}

// MARK: - Group commit

extension Committer {
    private func commit(_ batches: [AuditBatch], settling: Bool) {
        let entries = batches.reduce(0) { $0 + $1.count }
        let settles = settling || batches.contains { $0.settles }
        if settles { collectRefusals(all: true) }
        prepareRecovery()
        let debts = owed.all
        let group = [recovery, folded].filter { $0.count > 0 } + debts + batches
        let key = keyIfDue(settles: settles)
        guard !group.isEmpty || (key != nil && transaction.tail.hasUnsigned) else { return }
        let start = clock.now
        let result = attempt(group, signing: key)
        options.observer(AuditCommit(entries: entries, duration: start.duration(to: clock.now), isDurable: result.isSuccess))
        if result.isSuccess { owed.paid(debts.count) }
        settleHealth(result, entries: entries)
        publish()
        queue.finished(entries: entries)
        for batch in batches { batch.completion(batch, result.map { _ in () }) }
        if case .success(let line?) = result { publish(line) }
    }

    private func attempt(_ group: [AuditBatch], signing key: Ed25519.SigningKey?) -> Result<CheckpointLine?, AuditFault> {
        do {
            return .success(try transaction.commit(group, signing: key, at: options.clock.now(), rows: state.rows))
        } catch {
            // With the reserve given back there may be room; once, so that a full disk fails fast.
            guard options.releaseReserve() else { return .failure(AuditFault(writing: error)) }
            logger.critical("the audit could not be written; the disk reserve was released", metadata: ["fault": "\(error)"])
        }
        do {
            return .success(try transaction.commit(group, signing: key, at: options.clock.now(), rows: state.rows, isRetry: true))
        } catch {
            return .failure(AuditFault(writing: error))
        }
    }

    private func settleHealth(_ result: Result<CheckpointLine?, AuditFault>, entries: Int) {
        let wasHealthy = state.current.isHealthy
        switch result {
        case .success:
            folded.removeAll()
            recovery.removeAll()
            refusedEntries = 0
            if !wasHealthy { logger.notice("the audit can be written again") }
            state.update { ($0.isHealthy, $0.fault) = (true, nil) }
        case .failure(let fault):
            refusedEntries = refusedEntries.addingReportingOverflow(Int64(entries)).partialValue
            if wasHealthy { logger.critical("the audit cannot be written: nothing is granted", metadata: ["fault": "\(fault)"]) }
            state.update { ($0.isHealthy, $0.fault) = (false, "\(fault)") }
        }
    }

    private func publish() {
        let tail = transaction.tail
        if !tail.hasUnsigned {
            unsignedSince = nil
        } else if unsignedSince == nil || transaction.signingFault != nil {
            unsignedSince = clock.now
        }
        if let fault = transaction.signingFault { logger.error("no checkpoint could be signed", metadata: ["fault": "\(fault)"]) }
        state.update { ($0.head, $0.signedSeq) = (tail.head, tail.signedSeq) }
    }
}

// MARK: - Once a second, and signing

extension Committer {
    /// Counted refusals of minutes that are over are due without anybody waiting for them.
    private func tick(all: Bool) {
        guard all || lastTick.duration(to: clock.now) >= .milliseconds(900) else { return }
        lastTick = clock.now
        collectRefusals(all: all)
    }

    private func collectRefusals(all: Bool) {
        // While nothing can be written they stay counted, which is bounded.
        guard folded.count == 0 else { return }
        for entry in refusals.drain(all: all) { folded.append(entry) }
    }

    /// After a failure every commit, and at least one a second, begins with the entry that tells of it.
    private func prepareRecovery() {
        recovery.removeAll()
        guard !state.current.isHealthy else { return }
        recovery.append(
            AuditEntry(
                time: options.clock.now(), actor: .system("audit"), address: "", organization: nil,
                action: AuditAction(rawValue: "audit.recover"), outcome: .granted,
                reason: "entries refused while the audit could not be written: \(refusedEntries)", request: .random()))
    }

    private func keyIfDue(settles: Bool) -> Ed25519.SigningKey? {
        let key = state.signingKey
        defer { lastKey = key }
        guard let key else { return nil }
        if settles || key !== lastKey { return key }
        guard let unsignedSince, unsignedSince.duration(to: clock.now) >= options.signingDelay else { return nil }
        return key
    }

    /// Puts a durable checkpoint where whoever changes the database does not reach.
    private func publish(_ line: CheckpointLine) {
        let checkpoint = line.checkpoint
        logger.info(
            "audit checkpoint",
            metadata: [
                "seq": "\(checkpoint.head.seq)", "head": "\(Hexadecimal.text(checkpoint.head.hash))",
                "key": "\(checkpoint.keyID.text)", "signature": "\(Hexadecimal.text(checkpoint.signature))",
            ])
        guard let path = options.checkpointFile else { return }
        do {
            try CheckpointFile(path: path, limit: options.checkpointFileBytes).append(line)
            state.update { $0.checkpointFault = nil }
        } catch {
            logger.error("the checkpoint file could not be written", metadata: ["fault": "\(error)"])
            state.update { $0.checkpointFault = "\(error)" }
        }
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
