package import Domain
internal import Synchronization

/// Counts what each key does in windows of fixed length; beyond its limit a key waits for its next window.
///
/// Being refused does not prolong the wait. A key's window begins with its first use, so not all begin at once.
package final class RateLimit<Key: Hashable & Sendable>: Sendable {
    package enum Decision: Sendable, Equatable {
        case allowed
        /// Whole seconds until the key may try again, at least 1.
        case refused(retryAfterSeconds: Int)
    }

    private struct Window {
        var start: Int64
        var count: Int
    }

    private final class Shard: Sendable {
        let windows = Mutex<[Key: Window]>([:])
    }

    private let shards: [Shard]
    private let length: Int64
    private let keysPerShard: Int

    /// At most about `maximumKeys` keys are counted at a time; a further one is let through uncounted.
    package init(windowSeconds: Int64 = 60, maximumKeys: Int = 65_536) {
        length = min(max(windowSeconds, 1), 86_400) * 1_000
        shards = (0..<16).map { _ in Shard() }
        keysPerShard = max(maximumKeys / 16, 1)
    }

    /// Counts one use of `key` and tells whether it is within `limit` uses a window.
    package func count(_ key: Key, limit: Int, now: Timestamp) -> Decision {
        var hasher = Hasher()
        hasher.combine(key)
        let shard = shards[Int(UInt(bitPattern: hasher.finalize()) % UInt(shards.count))]
        let time = now.milliseconds
        return shard.windows.withLock { windows in
            guard var window = windows[key], !isOver(window, at: time) else {
                if windows[key] == nil, windows.count >= keysPerShard {
                    windows = windows.filter { !isOver($0.value, at: time) }
                    guard windows.count < keysPerShard else { return .allowed }
                }
                windows[key] = Window(start: time, count: 1)
                return limit >= 1 ? .allowed : .refused(retryAfterSeconds: wait(from: time, at: time))
            }
            guard window.count < limit else { return .refused(retryAfterSeconds: wait(from: window.start, at: time)) }
            window.count += 1
            windows[key] = window
            return .allowed
        }
    }

    /// Also over if the clock went back behind its start.
    private func isOver(_ window: Window, at time: Int64) -> Bool {
        time < window.start || time - window.start >= length
    }

    private func wait(from start: Int64, at time: Int64) -> Int {
        Int((length - (time - start) + 999) / 1_000)
    }
}
