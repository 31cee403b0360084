internal import Dispatch
internal import Domain
internal import Synchronization

/// Hosts that were seen to refuse a wrong secret not long ago, so that not each proof costs a rejected login.
final class RefusedGuesses: Sendable {
    private static let validity: Int64 = 24 * 3600
    private static let most = 100_000
    private let seen = Mutex<[String: Timestamp]>([:])
    /// Hosts that are tried now, each with what ends with its trial.
    private let trials = Mutex<[String: DispatchGroup]>([:])

    func wasRefused(at place: String) -> Bool {
        let now = Timestamp.now
        return seen.withLock { seen in seen[place].map { $0 <= now && now < $0.adding(seconds: Self.validity) } ?? false }
    }

    func note(_ place: String) {
        let now = Timestamp.now
        seen.withLock { seen in
            if seen.count >= Self.most { seen.removeAll() }
            seen[place] = now
        }
    }

    /// Runs a trial of a host, after the one that is under way there: turns that come to a new host together cost it one rejected login
    /// and not one each. They wait for one trial and no more, so that a host that does not answer holds each up but once. Blocks.
    func oneAtATime<Output: Sendable>(
        at place: String, _ body: () throws(ConnectorFault) -> Output
    ) throws(ConnectorFault) -> Output {
        let other = trials.withLock { trials -> DispatchGroup? in
            if let trial = trials[place] { return trial }
            // Begun before anybody can see it: whoever comes from here on waits for its end.
            let trial = DispatchGroup()
            trial.enter()
            trials[place] = trial
            return nil
        }
        if let other {
            other.wait()
            return try body()
        }
        defer { trials.withLock { $0.removeValue(forKey: place) }?.leave() }
        return try body()
    }
}
