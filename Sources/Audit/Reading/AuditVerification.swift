/// What a walk along the chain found.
package struct AuditVerification: Sendable, Equatable {
    /// Entries whose link was found good.
    package internal(set) var entries: Int64 = 0
    /// The last good entry.
    package internal(set) var head = ChainHead.genesis
    package internal(set) var segments = 0
    /// Checkpoints whose signature and head were found good; one in the database and in the file counts once for each.
    package internal(set) var checkpoints = 0
    /// The last entry that a good checkpoint covers; 0 for none.
    package internal(set) var signedSeq: Int64 = 0
    /// Keys that signed a checkpoint, in the order of their first one. Trust in the signatures is trust in these.
    package internal(set) var keys: [SigningKeyID] = []
    /// Announced changes without an outcome.
    package internal(set) var openIntents = 0
    /// The first thing that is wrong; nil if the chain is whole.
    package internal(set) var fault: AuditChainFault?

    package var isWhole: Bool { fault == nil }

    /// Entries at the end that no signature covers yet.
    package var unsignedTail: Int64 { max(0, head.seq - signedSeq) }
}

/// Where a stored chain differs from what was written.
package struct AuditChainFault: Error, Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// An entry is not there, but a later one is.
        case missingEntry
        /// An entry or its predecessor was changed: the hash does not fit.
        case wrongHash
        /// A column says something else than the body.
        case wrongColumn
        /// The body cannot be read as an entry.
        case unreadableBody
        case wrongSegment
        /// A checkpoint's signature is not good, or not by a known key.
        case wrongSignature
        /// A good signature is over another head: entries were rewritten.
        case wrongHead
        /// A checkpoint is known outside that the database lost.
        case missingCheckpoint
        /// The chain ends before a known checkpoint.
        case truncated
        /// The list of open intents is not what the entries say.
        case wrongIntents
        /// A line of the checkpoint file is no checkpoint.
        case wrongCheckpointFile
        /// The database cannot be read here.
        case unreadable
    }

    /// The first entry at which it shows.
    package let seq: Int64
    package let kind: Kind
    /// For people; no stored contents.
    package let detail: String

    init(_ kind: Kind, at seq: Int64, _ detail: String) {
        self.kind = kind
        self.seq = seq
        self.detail = detail
    }
}
