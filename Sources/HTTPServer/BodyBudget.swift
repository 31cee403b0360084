import Synchronization

/// What all collected request bodies of a listener may take together, and those from one address, so that neither many uploads at
/// once eat the memory nor one address takes everybody's room.
final class BodyBudget: Sendable {
    /// One body's way to the budget.
    struct Share: Sendable {
        fileprivate let budget: BodyBudget
        /// Nil where only the common limit counts.
        fileprivate let holder: PeerAddress?

        func take(_ count: Int) -> Bool { budget.take(count, for: holder) }
        func giveBack(_ count: Int) { budget.giveBack(count, of: holder) }
    }

    private struct Use {
        var total = 0
        var byHolder: [PeerAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let isExempt: @Sendable (PeerAddress) -> Bool
    private let use = Mutex(Use())

    init(limit: Int, limitPerAddress: Int, isExempt: @escaping @Sendable (PeerAddress) -> Bool) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
        self.isExempt = isExempt
    }

    var inUse: Int { use.withLock { $0.total } }

    /// The share of an address; all addresses of one subscriber have the same.
    func share(of peer: PeerAddress) -> Share {
        Share(budget: self, holder: isExempt(peer) ? nil : peer.subscriber)
    }

    private func take(_ count: Int, for holder: PeerAddress?) -> Bool {
        use.withLock { use in
            guard count <= limit - use.total else { return false }
            if let holder {
                let held = use.byHolder[holder] ?? 0
                guard count <= limitPerAddress - held else { return false }
                use.byHolder[holder] = held + count
            }
            use.total += count
            return true
        }
    }

    private func giveBack(_ count: Int, of holder: PeerAddress?) {
        guard count > 0 else { return }
        use.withLock { use in
            use.total -= count
            guard let holder else { return }
            let left = (use.byHolder[holder] ?? count) - count
            use.byHolder[holder] = left > 0 ? left : nil
        }
    }
}
