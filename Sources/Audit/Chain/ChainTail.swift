internal import Cryptography
internal import Domain
internal import Storage

/// Where the chain goes on: a value, so that a commit works on a copy that takes its place only once it is durable.
struct ChainTail: Sendable, Equatable {
    var head: ChainHead
    var segment: AuditSegment?
    /// The last number that a stored checkpoint covers.
    var signedSeq: Int64

    var hasUnsigned: Bool { head.seq > signedSeq }
}

extension ChainTail {
    /// Reads the tail from the database and checks that it is one: the last link, the last segment and the last checkpoint.
    static func load(_ connection: any SQLConnection) throws -> ChainTail {
        let last = try AuditEntries.last(connection)
        let checkpoint = try AuditCheckpoints.last(connection)
        let segment = try AuditSegments.last(connection)
        let head = last.map { ChainHead(seq: $0.seq, hash: $0.hash) } ?? .genesis
        if let last { try checkLink(of: last, connection) }
        if let segment, !(1...max(head.seq, 1)).contains(segment.firstSeq) || !(1..<Int64.max).contains(segment.number) {
            throw AuditFault.chainBroken(seq: segment.firstSeq, "a segment begins here, but there is no such entry")
        }
        return ChainTail(head: head, segment: segment, signedSeq: checkpoint?.seq ?? 0)
    }

    private static func checkLink(of last: AuditRow, _ connection: any SQLConnection) throws {
        var previous = ChainHead.genesis
        if last.seq > 1 {
            guard let before = try AuditEntries.entry(last.seq - 1, connection) else {
                throw AuditFault.chainBroken(seq: last.seq - 1, "the entry is missing")
            }
            previous = ChainHead(seq: before.seq, hash: before.hash)
        }
        let linked = try last.body.withUnsafeBytes { try ChainHasher().link($0, to: previous) }
        guard linked == ChainHead(seq: last.seq, hash: last.hash) else {
            throw AuditFault.chainBroken(seq: last.seq, "its hash does not fit")
        }
    }

    /// Nil if the chain is at or beyond the checkpoint and has its head there; else what is wrong.
    func contradiction(to checkpoint: Checkpoint, _ connection: any SQLConnection) throws -> AuditFault? {
        let claimed = checkpoint.head
        if claimed.seq > head.seq {
            return .chainBroken(seq: head.seq + 1, "the chain ends before checkpoint \(claimed.seq): entries were removed")
        }
        guard let row = try AuditEntries.entry(claimed.seq, connection), row.hash == claimed.hash else {
            return .chainBroken(seq: claimed.seq, "the entry is not the one that was signed")
        }
        return nil
    }
}

/// Writes entries to the end of the chain, inside a transaction that its caller opened. Confined to one thread.
struct ChainWriter {
    private let hasher: ChainHasher
    private let segmentEntries: Int64
    private let segmentAge: Duration

    init(_ options: AuditOptions) throws {
        hasher = try ChainHasher()
        segmentEntries = max(1, options.segmentEntries)
        segmentAge = options.segmentAge
    }

    /// Links one entry by its body, inserts it with the stored form of that, and moves the tail on.
    func write(
        _ columns: AuditColumns, body: UnsafeRawBufferPointer, stored: UnsafeRawBufferPointer, to tail: inout ChainTail,
        _ connection: any SQLConnection
    ) throws {
        let head = try hasher.link(body, to: tail.head)
        if isSegmentOver(tail.segment, at: head.seq, columns.time) {
            let segment = AuditSegment(
                number: (tail.segment?.number ?? 0) + 1, firstSeq: head.seq, firstHash: tail.head.hash, started: columns.time)
            try AuditSegments.insert(segment, connection)
            tail.segment = segment
        }
        try AuditEntries.insert(columns, seq: head.seq, hash: head.hash, body: stored, connection)
        tail.head = head
    }

    private func isSegmentOver(_ segment: AuditSegment?, at seq: Int64, _ time: Timestamp) -> Bool {
        guard let segment else { return true }
        if seq - segment.firstSeq >= segmentEntries { return true }
        return time >= segment.started.adding(seconds: segmentAge.components.seconds)
    }
}
