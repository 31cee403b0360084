import Synchronization

/// Counts the open connections of all loops, in all and by address; libmicrohttpd's own limits are per loop.
final class ConnectionQuota: Sendable {
    private let limit: Int
    private let limitPerAddress: Int
    private let isExempt: @Sendable (PeerAddress) -> Bool
    private let state = Mutex<(total: Int, byAddress: [PeerAddress: Int])>((0, [:]))

    init(limit: Int, limitPerAddress: Int, isExempt: @escaping @Sendable (PeerAddress) -> Bool) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
        self.isExempt = isExempt
    }

    var open: Int { state.withLock { $0.total } }

    /// Takes a place for a connection; false when there is none for this address.
    func take(_ address: PeerAddress) -> Bool {
        let exempt = isExempt(address)
        return state.withLock { state in
            let held = state.byAddress[address] ?? 0
            guard state.total < limit, exempt || held < limitPerAddress else { return false }
            state.total += 1
            state.byAddress[address] = held + 1
            return true
        }
    }

    func giveBack(_ address: PeerAddress) {
        state.withLock { state in
            state.total -= 1
            let held = (state.byAddress[address] ?? 1) - 1
            state.byAddress[address] = held > 0 ? held : nil
        }
    }
}
