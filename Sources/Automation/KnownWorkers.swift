internal import Domain
internal import Synchronization

/// Workers and gateways whose login was accepted lately: only for others is a login an attempt that must be written down first, and those are made one
/// at a time, so that turns that begin together neither use up a worker's logins of a day nor are all rejected.
final class KnownWorkers: Sendable {
    private struct Key: Hashable {
        let account: AccountID
        let version: Int64?
    }

    private struct State {
        var accepted: [Key: Timestamp] = [:]
        /// Those whose first login is under way, with who waits for its end.
        var trying: [Key: [CheckedContinuation<Void, Never>]] = [:]
    }

    private static let seconds: Int64 = 900
    private let state = Mutex(State())

    /// Waits while somebody else's first login of the worker is under way. False: this one is an attempt that must be written down first.
    /// Whoever entered leaves.
    func enter(_ account: AccountID, _ version: Int64?, at now: @Sendable () -> Timestamp) async -> Bool {
        let key = Key(account: account, version: version)
        while true {
            let moment = now()
            var isKnown: Bool?
            await withCheckedContinuation { continuation in
                let (answer, waits) = state.withLock { state -> (Bool?, Bool) in
                    if let date = state.accepted[key], moment >= date, moment < date.adding(seconds: Self.seconds) {
                        return (true, false)
                    }
                    guard state.trying[key] != nil else {
                        state.trying[key] = []
                        return (false, false)
                    }
                    state.trying[key]?.append(continuation)
                    return (nil, true)
                }
                isKnown = answer
                if !waits { continuation.resume() }
            }
            if let isKnown { return isKnown }
        }
    }

    /// The next login is an attempt again.
    func forget(_ account: AccountID, _ version: Int64?) {
        state.withLock { $0.accepted[Key(account: account, version: version)] = nil }
    }

    /// - Parameter date: when the login was accepted; nil if it was not.
    func leave(_ account: AccountID, _ version: Int64?, isAccepted date: Timestamp?, wasKnown: Bool) {
        let key = Key(account: account, version: version)
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            if state.accepted.count > 10_000 { state.accepted.removeAll() }
            state.accepted[key] = date
            return wasKnown ? [] : state.trying.removeValue(forKey: key) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }
}
