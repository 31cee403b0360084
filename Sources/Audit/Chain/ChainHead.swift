/// The last entry of the chain, or of a part of it: its number and its hash.
package struct ChainHead: Sendable, Equatable {
    /// Numbers start at 1 and have no gaps, so this is also how many entries there are.
    package let seq: Int64
    /// 32 bytes.
    package let hash: [UInt8]

    package init(seq: Int64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }

    /// What the first entry is chained to.
    package static let genesis = ChainHead(seq: 0, hash: [UInt8](repeating: 0, count: 32))

    /// The number of the next entry; nil when numbers are used up.
    var nextSeq: Int64? {
        let (next, overflow) = seq.addingReportingOverflow(1)
        return overflow ? nil : next
    }
}
