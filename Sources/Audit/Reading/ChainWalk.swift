internal import Cryptography
internal import Domain
internal import Storage

/// Follows the chain entry by entry and stops at the first thing that is wrong. Its memory does not grow with the chain.
struct ChainWalk {
    private(set) var found = AuditVerification()
    private let hasher: ChainHasher
    private var segments: ArraySlice<AuditSegment>
    private var nextSegmentNumber: Int64 = 1
    /// Announced changes without an outcome so far, by request.
    private var open: [RequestID: Int] = [:]

    init(segments: [AuditSegment]) throws {
        hasher = try ChainHasher()
        self.segments = segments[...]
    }

    mutating func visit(_ row: AuditRow) throws {
        let expected = found.head.seq + 1
        guard row.seq == expected else {
            throw AuditChainFault(.missingEntry, at: expected, "the next entry is \(row.seq)")
        }
        try visitSegment(row)
        let head = try row.body.withUnsafeBytes { try hasher.link($0, to: found.head) }
        guard head.hash == row.hash else {
            throw AuditChainFault(.wrongHash, at: row.seq, "the entry, its place or its hash was changed")
        }
        let entry: AuditEntry
        do throws(AuditFault) {
            entry = try EntryReader.read(row.body)
        } catch {
            throw AuditChainFault(.unreadableBody, at: row.seq, "\(error)")
        }
        guard AuditColumns(entry) == row.columns else {
            throw AuditChainFault(.wrongColumn, at: row.seq, "a column says something else than the entry itself")
        }
        follow(entry)
        found.head = head
        found.entries += 1
    }

    /// Takes a checkpoint that is known to be signed, at the entry that it names.
    mutating func visit(_ checkpoint: Checkpoint) throws {
        guard checkpoint.head == found.head, checkpoint.count == found.head.seq else {
            throw AuditChainFault(
                .wrongHead, at: found.head.seq, "an entry from \(found.signedSeq + 1) to here is not the one that was signed")
        }
        found.checkpoints += 1
        found.signedSeq = checkpoint.head.seq
        if !found.keys.contains(checkpoint.keyID) { found.keys.append(checkpoint.keyID) }
    }

    mutating func finish(intents: [RequestID: Int]) throws {
        if let segment = segments.first {
            throw AuditChainFault(.wrongSegment, at: segment.firstSeq, "a segment begins where no entry is")
        }
        found.openIntents = open.values.reduce(0, +)
        guard open == intents else {
            throw AuditChainFault(.wrongIntents, at: found.head.seq, "the list of open intents is not what the entries say")
        }
    }

    mutating func fail(_ fault: AuditChainFault) { found.fault = fault }

    private mutating func visitSegment(_ row: AuditRow) throws {
        guard let segment = segments.first else {
            if row.seq == 1 { throw AuditChainFault(.wrongSegment, at: 1, "the first segment is missing") }
            return
        }
        guard segment.firstSeq <= row.seq else {
            if row.seq == 1 { throw AuditChainFault(.wrongSegment, at: 1, "the first segment is missing") }
            return
        }
        guard segment.firstSeq == row.seq, segment.firstHash == found.head.hash, segment.number == nextSegmentNumber,
            segment.started == row.columns.time
        else {
            throw AuditChainFault(.wrongSegment, at: row.seq, "segment \(segment.number) does not begin as it was written")
        }
        segments = segments.dropFirst()
        nextSegmentNumber += 1
        found.segments += 1
    }

    private mutating func follow(_ entry: AuditEntry) {
        switch entry.phase {
        case .single: break
        case .intent: open[entry.request, default: 0] += 1
        case .outcome:
            guard let count = open[entry.request] else { return }
            open[entry.request] = count > 1 ? count - 1 : nil
        }
    }
}
