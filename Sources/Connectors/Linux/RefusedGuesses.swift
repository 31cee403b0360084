internal import Domain
internal import Synchronization

/// Hosts that were seen to refuse a wrong secret not long ago, so that not each proof costs a rejected login.
final class RefusedGuesses: Sendable {
    private static let validity: Int64 = 24 * 3600
    private static let most = 100_000
    private let seen = Mutex<[String: Timestamp]>([:])
    /// Hosts that are tried now.
    private let trials = Mutex<[String: Trial]>([:])

    /// Held by whoever tries a host.
    private final class Trial: Sendable {
        let turn = Mutex(())
    }

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
        let (trial, isFirst) = trials.withLock { trials -> (Trial, Bool) in
            if let trial = trials[place] { return (trial, false) }
            let trial = Trial()
            trials[place] = trial
            return (trial, true)
        }
        guard isFirst else {
            trial.turn.withLock { _ in }
            return try body()
        }
        defer { trials.withLock { $0[place] = nil } }
        let outcome = trial.turn.withLock { _ in
            do throws(ConnectorFault) {
                return Swift.Result<Output, ConnectorFault>.success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
