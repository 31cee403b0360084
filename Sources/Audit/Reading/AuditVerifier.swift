internal import Cryptography
internal import Domain
package import Storage

/// Checks the whole chain from the first entry: links, columns, segments, checkpoints and their signatures.
///
/// It reads page by page through a connection of its own and changes nothing, so the server may be running or stopped.
package struct AuditVerifier: Sendable {
    /// A file of checkpoints kept outside the database, as the log writes it.
    package var checkpointFile: String?
    /// The only keys to believe; nil for those that the database and the file name, which prove no more than that they fit together.
    package var trustedKeys: Set<SigningKeyID>?
    package var pageEntries: Int64 = 2000

    package init() {}

    /// Blocks as long as it takes. Throws only if it cannot begin; what it finds is in the result.
    package func verify(_ connection: any SQLConnection) throws -> AuditVerification {
        // The file first: the database is ahead of it at every moment.
        let lines = try checkpointFile.map { try CheckpointFile(path: $0, limit: .max).lines() } ?? []
        let extent = try connection.transaction { try ChainExtent(connection) }
        var walk = try ChainWalk(segments: extent.segments)
        do {
            let outside = try checked(lines)
            try checkEnd(extent, outside)
            try follow(&walk, extent, outside, connection)
            try walk.finish(intents: extent.intents)
        } catch let fault as AuditChainFault {
            walk.fail(fault)
        } catch {
            walk.fail(AuditChainFault(.unreadable, at: walk.found.head.seq + 1, "\(error)"))
        }
        return walk.found
    }

    private func checked(_ lines: [CheckpointLine?]) throws -> [Checkpoint] {
        var checkpoints: [Checkpoint] = []
        for (index, line) in lines.enumerated() {
            guard let line else {
                throw AuditChainFault(
                    .wrongCheckpointFile, at: checkpoints.last?.head.seq ?? 0, "line \(index + 1) is no checkpoint")
            }
            try checkSignature(line.checkpoint, line.publicKey)
            checkpoints.append(line.checkpoint)
        }
        return checkpoints.sorted { $0.head.seq < $1.head.seq }
    }

    private func checkSignature(_ checkpoint: Checkpoint, _ key: Ed25519.PublicKey?) throws {
        let isTrusted = trustedKeys.map { $0.contains(checkpoint.keyID) } ?? true
        guard let key, isTrusted else {
            throw AuditChainFault(.wrongSignature, at: checkpoint.head.seq, "a checkpoint is signed by an unknown key")
        }
        guard checkpoint.isSigned(by: key) else {
            throw AuditChainFault(.wrongSignature, at: checkpoint.head.seq, "a checkpoint's signature is not good")
        }
    }

    private func checkEnd(_ extent: ChainExtent, _ outside: [Checkpoint]) throws {
        if !extent.isEmpty, extent.lastEntry < 1 {
            throw AuditChainFault(.missingEntry, at: 1, "the last entry is \(extent.lastEntry)")
        }
        let known = max(extent.lastCheckpoint, outside.last?.head.seq ?? 0)
        if known > extent.lastEntry {
            throw AuditChainFault(.truncated, at: extent.lastEntry + 1, "the chain ends before checkpoint \(known)")
        }
    }

    private func follow(
        _ walk: inout ChainWalk, _ extent: ChainExtent, _ outside: [Checkpoint], _ connection: any SQLConnection
    ) throws {
        var outside = outside[...]
        while walk.found.head.seq < extent.lastEntry {
            // From below the first number, so that an entry put before it is seen.
            let last = walk.found.entries == 0 ? Int64.min : walk.found.head.seq
            let page = try connection.transaction { try ChainPage(after: last, limit: max(1, pageEntries), connection) }
            guard !page.rows.isEmpty else {
                throw AuditChainFault(.missingEntry, at: walk.found.head.seq + 1, "no entry follows")
            }
            for row in page.rows {
                // What was written since the beginning is the next verification's.
                guard walk.found.head.seq < extent.lastEntry else { break }
                try walk.visit(row)
                let stored = page.checkpoints[row.seq]
                if let stored {
                    try checkSignature(stored, extent.keys[stored.keyID])
                    try walk.visit(stored)
                }
                while let checkpoint = outside.first, checkpoint.head.seq <= row.seq {
                    try walk.visit(checkpoint)
                    guard stored != nil else {
                        throw AuditChainFault(
                            .missingCheckpoint, at: row.seq, "the checkpoint file has one that the database lost")
                    }
                    outside = outside.dropFirst()
                }
            }
        }
    }
}

/// How far the chain goes at one moment, and what is said about it.
private struct ChainExtent {
    let isEmpty: Bool
    let lastEntry: Int64
    let lastCheckpoint: Int64
    let segments: [AuditSegment]
    let keys: [SigningKeyID: Ed25519.PublicKey]
    let intents: [RequestID: Int]

    init(_ connection: any SQLConnection) throws {
        let last = try AuditEntries.last(connection)
        isEmpty = last == nil
        lastEntry = last?.seq ?? 0
        lastCheckpoint = try AuditCheckpoints.last(connection)?.seq ?? 0
        segments = try AuditSegments.all(connection)
        var keys: [SigningKeyID: Ed25519.PublicKey] = [:]
        for key in try AuditSigningKeys.all(connection) {
            keys[SigningKeyID(text: key.id)] = Ed25519.PublicKey(bytes: key.publicKey)
        }
        self.keys = keys
        var intents: [RequestID: Int] = [:]
        for intent in try AuditOpenIntents.all(connection) { intents[intent.request, default: 0] += 1 }
        self.intents = intents
    }
}

/// Consecutive entries with the stored checkpoints that fall among them.
private struct ChainPage {
    let rows: [AuditRow]
    let checkpoints: [Int64: Checkpoint]

    init(after seq: Int64, limit: Int64, _ connection: any SQLConnection) throws {
        rows = try AuditEntries.page(after: seq, limit: limit, connection)
        var checkpoints: [Int64: Checkpoint] = [:]
        if let last = rows.last {
            for row in try AuditCheckpoints.page(after: seq, upTo: last.seq, connection) {
                checkpoints[row.seq] = Checkpoint(row)
            }
        }
        self.checkpoints = checkpoints
    }
}
