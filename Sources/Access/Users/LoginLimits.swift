internal import Domain
internal import Synchronization

/// Slows guessing of passwords: counts failures by account and by address, in windows of some minutes, in memory.
///
/// An account and an address together are locked after few failures, an address alone or an account alone after more, so that nobody locks
/// an administrator out from elsewhere with a handful of wrong guesses. Keys are canonical names, so spelling does not help, and an address
/// is its subscriber's prefix, since one subscriber has all of that.
///
/// When the table is full, the windows with the fewest failures make room, and one that locks never does: whoever floods the table forgets
/// his own beginnings, not what was counted against an account. With nothing to forget, nobody is heard.
final class LoginLimits: Sendable {
    private struct Window {
        var failures: Int
        var ends: Timestamp
    }

    private enum Key: Hashable {
        case pair(String, IPAddress?)
        case account(String)
        case address(IPAddress?)

        /// How many times the failures that lock a pair lock this.
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
    private let capacity: Int
    private let windows = Mutex<[Key: Window]>([:])

    /// - Parameters:
    ///   - failures: of one account from one address that lock the two together.
    ///   - windowSeconds: for how long failures are counted, and a lock lasts.
    init(failures: Int = 5, windowSeconds: Int64 = 900, capacity: Int = 150_000) {
        self.failures = min(max(failures, 1), 100_000)
        self.windowSeconds = max(windowSeconds, 1)
        self.capacity = max(capacity, 3)
    }

    /// Hears a try and counts it as a failure in one step, before its outcome is known, so that parallel guesses do not slip through
    /// together; nil if it is heard, else the seconds until one is.
    func admit(account: String, address: IPAddress?, now: Timestamp) -> Int? {
        let keys = Self.keys(account, address)
        return windows.withLock { windows in
            let waits = keys.compactMap { key -> Int? in
                guard let window = windows[key], window.ends > now, window.failures >= limit(of: key) else { return nil }
                return seconds(from: now, to: window.ends)
            }
            if let longest = waits.max() { return longest }
            let fresh = keys.count { windows[$0] == nil }
            if windows.count + fresh > capacity, !makeRoom(in: &windows, sparing: keys, now: now) { return 60 }
            for key in keys {
                var window = windows[key] ?? Window(failures: 0, ends: now)
                if window.ends <= now { window = Window(failures: 0, ends: now.adding(seconds: windowSeconds)) }
                window.failures += 1
                windows[key] = window
            }
            return nil
        }
    }

    /// The try was good: it and the failures of this pair are forgotten.
    func forget(account: String, address: IPAddress?) {
        windows.withLock { windows in
            for key in Self.keys(account, address) {
                if case .pair = key { windows[key] = nil } else { Self.takeBack(key, &windows) }
            }
        }
    }

    /// The try was not looked at after all: it counts for nothing.
    func withdraw(account: String, address: IPAddress?) {
        windows.withLock { windows in
            for key in Self.keys(account, address) { Self.takeBack(key, &windows) }
        }
    }

    // MARK: - Steps

    private func limit(of key: Key) -> Int { failures * key.factor }

    /// Frees a quarter of the table, weakest windows first; false if everything there locks.
    private func makeRoom(in windows: inout [Key: Window], sparing keys: [Key], now: Timestamp) -> Bool {
        windows = windows.filter { $0.value.ends > now }
        var strength = 1
        while windows.count > capacity / 4 * 3, strength < limit(of: .account("")) {
            windows = windows.filter { key, window in
                window.failures > strength || window.failures >= limit(of: key) || keys.contains(key)
            }
            strength *= 2
        }
        return windows.count + keys.count <= capacity
    }

    private static func takeBack(_ key: Key, _ windows: inout [Key: Window]) {
        guard let window = windows[key] else { return }
        windows[key]?.failures = max(0, window.failures - 1)
    }

    private func seconds(from now: Timestamp, to end: Timestamp) -> Int {
        let (difference, overflow) = end.milliseconds.subtractingReportingOverflow(now.milliseconds)
        return overflow ? Int(windowSeconds) : Int(clamping: difference / 1000 + 1)
    }

    private static func keys(_ account: String, _ address: IPAddress?) -> [Key] {
        let prefix = address?.subscriberPrefix
        return [.pair(account, prefix), .account(account), .address(prefix)]
    }
}
