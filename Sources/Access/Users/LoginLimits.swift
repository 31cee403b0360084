internal import Domain
internal import Synchronization

/// Slows guessing of passwords: counts failures by account and by address, in windows of a quarter of an hour or so, in memory.
///
/// An account and an address together are locked after few failures, an address alone or an account alone after more, so that nobody locks
/// an administrator out from elsewhere with a handful of wrong guesses. Keys are canonical names, so spelling does not help.
final class LoginLimits: Sendable {
    private struct Window {
        var failures: Int
        var ends: Timestamp
    }

    private enum Key: Hashable {
        case pair(String, String)
        case account(String)
        case address(String)

        /// How many times the failures of a pair lock this.
        var factor: Int {
            switch self {
            case .pair: 1
            case .address: 6
            case .account: 20
            }
        }
    }

    private let failures: Int
    private let windowSeconds: Int64
    private static let capacity = 50_000

    private let windows = Mutex<[Key: Window]>([:])

    /// - Parameters:
    ///   - failures: of one account from one address, before they are locked.
    ///   - windowSeconds: for how long failures are counted and a lock lasts.
    init(failures: Int = 5, windowSeconds: Int64 = 900) {
        self.failures = min(max(failures, 1), 100_000)
        self.windowSeconds = max(windowSeconds, 1)
    }

    /// Seconds until another try is heard; nil if it is heard now.
    func secondsLocked(account: String, address: String, now: Timestamp) -> Int? {
        windows.withLock { windows in
            keys(account, address).compactMap { key -> Int? in
                guard let window = windows[key], window.ends > now, window.failures >= failures * key.factor else { return nil }
                return Int(clamping: (window.ends.milliseconds - now.milliseconds + 999) / 1000)
            }.max()
        }
    }

    /// Counts a try before its outcome is known, so that parallel guesses do not slip through together.
    func countTry(account: String, address: String, now: Timestamp) {
        windows.withLock { windows in
            if windows.count > Self.capacity { windows = windows.filter { $0.value.ends > now } }
            // Full of live windows: drop them all rather than grow; the pair's own count starts again, which is the lesser harm.
            if windows.count > Self.capacity { windows.removeAll() }
            for key in keys(account, address) {
                var window = windows[key] ?? Window(failures: 0, ends: now)
                if window.ends <= now { window = Window(failures: 0, ends: now.adding(seconds: windowSeconds)) }
                window.failures += 1
                windows[key] = window
            }
        }
    }

    /// The try was good: it and the failures of this pair are forgotten.
    func forget(account: String, address: String) {
        windows.withLock { windows in
            windows[.pair(account, address)] = nil
            for key in [Key.account(account), .address(address)] { windows[key]?.failures -= 1 }
        }
    }

    private func keys(_ account: String, _ address: String) -> [Key] {
        [.pair(account, address), .account(account), .address(address)]
    }
}
