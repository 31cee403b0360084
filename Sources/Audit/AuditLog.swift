package import Cryptography
package import Domain
package import Logging
package import Storage

/// The audit of the server: every decision, durable before its answer, in one chain of hashes.
///
/// It owns the audit database and the one thread that writes it. Whoever waits is committed together with everybody else who waits.
package final class AuditLog: Sendable {
    /// Folds refusals of callers who proved nothing; ask it before an entry for one of them is written.
    package let refusals: RefusalFold
    let database: Database
    let state = AuditState()
    private let queue: CommitQueue
    private let owed = OwedOutcomes()
    private let ended = Monitor(false)

    private init(_ database: Database, _ options: AuditOptions) {
        self.database = database
        queue = CommitQueue(capacity: options.capacity)
        refusals = RefusalFold(limits: options.refusals, clock: options.clock)
    }

    /// Reads where the chain ends, checks it against the last checkpoints and starts the committer. Blocks: for start-up.
    ///
    /// The database has the audit's schema. It stays the caller's to close, after the log.
    package static func open(_ database: Database, options: AuditOptions, logger: Logger) throws -> AuditLog {
        let log = AuditLog(database, options)
        let opened = Monitor<Result<Void, AuditFault>?>(nil)
        let (queue, owed, state, refusals, ended) = (log.queue, log.owed, log.state, log.refusals, log.ended)
        try CommitterThread.start {
            do {
                let connection = try database.makeConfinedConnection(writable: true)
                let committer = try Committer(
                    connection, path: database.path, queue: queue, owed: owed, state: state, refusals: refusals, options: options,
                    logger: logger)
                opened.change { $0 = .success(()) }
                committer.run()
            } catch {
                opened.change { $0 = .failure(AuditFault(reading: error)) }
            }
            ended.change { $0 = true }
        }
        try opened.wait(upTo: nil) { $0 }?.get()
        return log
    }

    deinit { queue.close() }

    package var status: AuditStatus { state.current }

    /// Whether the last commit succeeded; while it is false nothing can be granted, and the log tries again each second.
    package var isHealthy: Bool { state.current.isHealthy }

    /// Entries that wait for their commit.
    package var waiting: Int { queue.waiting }

    /// Commits what waits, writes counted refusals, signs if there is a key, and ends the committer. Blocks until then.
    package func close() {
        queue.close()
        _ = ended.wait(upTo: nil) { $0 ? true : nil }
    }

    /// As `close`, without blocking the caller's thread.
    package func finish() async {
        queue.close()
        await withCheckedContinuation { continuation in
            do throws(AuditFault) {
                try CommitterThread.start { [self] in
                    close()
                    continuation.resume()
                }
            } catch {
                // Without a thread to wait on: what waits is committed all the same.
                close()
                continuation.resume()
            }
        }
    }
}

// MARK: - Writing

extension AuditLog {
    /// Hands a batch to the committer; its completion is called once if this does not throw. For event loops: never blocks for a commit.
    package func submit(_ batch: AuditBatch) throws(AuditFault) {
        try queue.submit(batch, entries: batch.count)
    }

    /// Returns once the entry is durable.
    package func append(_ entry: AuditEntry) async throws(AuditFault) {
        try await commit { $0.append(entry) }
    }

    /// Returns once the entry is durable. Blocks: for start-up, stop and operator commands, never from the cooperative pool.
    package func appendSync(_ entry: AuditEntry) throws(AuditFault) {
        let result = Monitor<Result<Void, AuditFault>?>(nil)
        let batch = AuditBatch { _, outcome in result.change { $0 = outcome } }
        batch.append(entry)
        try submit(batch)
        try result.wait(upTo: nil) { $0 }?.get()
    }

    /// Writes an entry that nobody waits for: a fault of ours that is recorded all the same.
    package func appendSoon(_ entry: AuditEntry) {
        let batch = AuditBatch { _, _ in }
        batch.append(entry)
        try? submit(batch)
    }

    /// Commits one batch of the caller's making and returns the number of its first entry.
    @discardableResult
    func commit(_ fill: (AuditBatch) -> Void) async throws(AuditFault) -> Int64 {
        let result: Result<Int64, AuditFault> = await withCheckedContinuation { continuation in
            let batch = AuditBatch { batch, outcome in
                continuation.resume(returning: outcome.map { batch.firstSeq })
            }
            fill(batch)
            do throws(AuditFault) {
                try submit(batch)
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }
}

// MARK: - Signing

extension AuditLog {
    /// From now on checkpoints are signed; the first one at once, over everything that is unsigned.
    package func setSigningKey(_ key: Ed25519.SigningKey) {
        state.signingKey = key
        queue.poke()
    }

    /// A generation of the vault's rows is durable: further checkpoints carry it.
    package func note(rows generation: Int64) { state.note(rows: generation) }

    /// The highest generation of rows that the last signed checkpoints know, in the database and in the file; nil if none knows one.
    ///
    /// Only what was signed with the key given counts. Blocks.
    package static func knownRows(
        _ database: Database, checkpointFile: String?, signedBy key: Ed25519.PublicKey
    ) throws -> Int64? {
        let stored = try database.readSync { try AuditCheckpoints.last($0) }.map { Checkpoint($0) }
        let outside = try checkpointFile.flatMap { try CheckpointFile(path: $0, limit: .max).last()?.checkpoint }
        return [stored, outside].compactMap { $0 }.filter { $0.isSigned(by: key) }.compactMap(\.rows).max()
    }

    /// Drops the signing key; entries go on unsigned. To sign what came until now, `settle` first.
    package func clearSigningKey() { state.signingKey = nil }

    /// Writes counted refusals and, with a key, signs everything; returns once that is durable. Before sealing and before a snapshot.
    package func settle() async throws(AuditFault) {
        try await commit { $0.settle() }
    }
}

// MARK: - Intents

extension AuditLog {
    /// Announces a change; returns once the announcement is durable. The change may be made then, and not before.
    package func beginIntent(_ entry: AuditEntry) async throws(AuditFault) -> IntentID {
        var entry = entry
        entry.phase = .intent
        entry.outcome = .open
        let request = entry.request
        let seq = try await commit { batch in
            batch.append(entry)
            batch.mark(.open(request))
        }
        return IntentID(request: request, seq: seq)
    }

    /// Writes what became of an announced change. The entry gets the intent's request id.
    ///
    /// If this throws, the outcome is kept and written as soon as the audit can be; a start settles what a crash takes from that.
    package func closeIntent(_ intent: IntentID, _ outcome: AuditEntry) async throws(AuditFault) {
        var entry = outcome
        entry.phase = .outcome
        entry.request = intent.request
        do {
            try await commit { batch in
                batch.append(entry)
                batch.mark(.close(intent))
            }
        } catch {
            owed.add(intent, entry)
            throw error
        }
    }

    /// The announced changes without an outcome, oldest first: at start, each is settled by looking whether its change was made.
    package func openIntents() async throws -> [OpenIntent] {
        try await database.read { connection in
            try AuditOpenIntents.all(connection).map { intent in
                guard let row = try AuditEntries.entry(intent.seq, connection) else {
                    throw AuditFault.chainBroken(seq: intent.seq, "the entry of an open intent is missing")
                }
                let id = IntentID(request: intent.request, seq: intent.seq)
                return OpenIntent(id: id, entry: try EntryReader.read(row.body))
            }
        }
    }
}
