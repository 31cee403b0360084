internal import Cryptography
internal import Domain
internal import Storage
internal import Synchronization

/// The one transaction of a group: links and inserts every entry, keeps the list of open intents, and signs when it is due.
///
/// The in-memory tail moves only after COMMIT; after any failure it is read anew from the database, so that the chain can get
/// neither a gap nor a double. Confined to the committer's thread.
final class CommitTransaction {
    private let connection: any SQLConnection
    private let writer: ChainWriter
    private let identity: FileIdentity
    private(set) var tail: ChainTail
    /// The tail of a commit that failed, perhaps after it had become durable.
    private var attempted: ChainTail?
    private var recordedKey: SigningKeyID?
    /// Why the last signature that was due could not be made; entries go on unsigned then.
    private(set) var signingFault: CryptographyFault?

    init(_ connection: any SQLConnection, path: String, options: AuditOptions) throws {
        self.connection = connection
        writer = try ChainWriter(options)
        identity = FileIdentity(path: path)
        tail = try connection.transaction { [connection] in try ChainTail.load(connection) }
    }

    /// Commits the batches in order; with a key, signs the new head too and returns the checkpoint.
    ///
    /// A retry is the very same group once more, after it failed: if it turns out to be in the database, it is not written again.
    func commit(
        _ batches: [AuditBatch], signing key: Ed25519.SigningKey?, at time: Timestamp, rows: Int64? = nil, isRetry: Bool = false
    ) throws -> CheckpointLine? {
        try identity.check()
        if try isThereAfterFailure(), isRetry { return nil }
        signingFault = nil
        var next = tail
        var line: CheckpointLine?
        do {
            try connection.transaction {
                for batch in batches { try write(batch, to: &next) }
                if let key, next.hasUnsigned { line = try sign(&next, key: key, at: time, rows: rows) }
                attempted = next
            }
        } catch {
            // COMMIT itself may have failed after the data were safe: only the database knows.
            attempted = attempted ?? tail
            throw error
        }
        attempted = nil
        tail = next
        if let line { recordedKey = line.checkpoint.keyID }
        return line
    }

    /// After a failure, reads where the chain really ends; true if what failed is there after all.
    private func isThereAfterFailure() throws -> Bool {
        guard let attempted else { return false }
        let before = tail
        tail = try connection.transaction { try ChainTail.load(connection) }
        self.attempted = nil
        return tail.head == attempted.head && tail.head != before.head
    }

    private func write(_ batch: AuditBatch, to next: inout ChainTail) throws {
        try batch.contents.withLock { contents in
            if case .settle(let intent) = contents.intent, try !AuditOpenIntents.delete(seq: intent.seq, connection) { return }
            contents.firstSeq = contents.entries.isEmpty ? 0 : next.head.nextSeq ?? 0
            for entry in contents.entries {
                try contents.bodies.withBytes(entry.body) { body in
                    try contents.bodies.withBytes(entry.stored) {
                        try writer.write(entry.columns, body: body, stored: $0, to: &next, connection)
                    }
                }
            }
            switch contents.intent {
            case .none, .settle: break
            case .open(let request): try AuditOpenIntents.insert(request: request, seq: next.head.seq, connection)
            case .close(let intent): try AuditOpenIntents.delete(seq: intent.seq, connection)
            }
        }
    }

    private func sign(_ next: inout ChainTail, key: Ed25519.SigningKey, at time: Timestamp, rows: Int64?) throws
        -> CheckpointLine?
    {
        let checkpoint: Checkpoint
        do throws(CryptographyFault) {
            checkpoint = try Checkpoint.sign(next.head, at: time, rows: rows, key: key)
        } catch {
            signingFault = error
            return nil
        }
        if recordedKey != checkpoint.keyID {
            try AuditSigningKeys.insert(id: checkpoint.keyID.text, publicKey: key.publicKey.bytes, connection)
        }
        try AuditCheckpoints.insert(AuditCheckpointRow(checkpoint), connection)
        next.signedSeq = next.head.seq
        return CheckpointLine(checkpoint: checkpoint, publicKey: key.publicKey)
    }
}

extension AuditCheckpointRow {
    init(_ checkpoint: Checkpoint) {
        self.init(
            seq: checkpoint.head.seq, count: checkpoint.count, head: checkpoint.head.hash, time: checkpoint.time,
            rows: checkpoint.rows, keyID: checkpoint.keyID.text, signature: checkpoint.signature)
    }
}

extension Checkpoint {
    init(_ row: AuditCheckpointRow) {
        self.init(
            head: ChainHead(seq: row.seq, hash: row.head), count: row.count, time: row.time, rows: row.rows,
            keyID: SigningKeyID(text: row.keyID), signature: row.signature)
    }
}
