internal import Domain
internal import Synchronization

/// The logins in force, by the keyed digests of their tokens: for whoever must know one at once, before a request is read as a whole.
///
/// It follows what is stored and decides nothing: a request is authenticated against the stored session all the same.
final class LiveSessions: Sendable {
    private let expiries = Mutex<[[UInt8]: Timestamp]>([:])

    /// Takes up sessions and forgets those that are over.
    func insert(_ sessions: [Session], now: Timestamp) {
        expiries.withLock { expiries in
            if sessions.contains(where: { expiries[$0.tokenDigest] == nil }) { expiries = expiries.filter { now < $0.value } }
            for session in sessions where now < session.dateExpires { expiries[session.tokenDigest] = session.dateExpires }
        }
    }

    func remove(_ tokenDigest: [UInt8]) {
        expiries.withLock { expiries in _ = expiries.removeValue(forKey: tokenDigest) }
    }

    func removeAll() { expiries.withLock { $0.removeAll() } }

    func contains(_ tokenDigest: [UInt8], now: Timestamp) -> Bool {
        expiries.withLock { expiries in expiries[tokenDigest].map { now < $0 } ?? false }
    }
}
