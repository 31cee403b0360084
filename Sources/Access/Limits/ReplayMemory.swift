package import Domain
internal import Synchronization

/// Remembers the signatures that were accepted, so that a captured request is of no use elsewhere.
///
/// A signature is remembered by its decoded code under its date's second, with the address that used it first, until no
/// request with that date can pass any more; then its whole second is dropped. Inside the window nothing is ever forgotten:
/// when the bound is reached, new signatures are refused instead. Two honest calls within one second are byte for byte the
/// same, hence `.repeated`, which a strict credential refuses.
///
/// To be asked only after signature, date and address have passed. What was dated before the start is the caller's to refuse.
package final class ReplayMemory: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// Not seen before.
        case fresh
        /// Seen before, from this same address.
        case repeated
        /// Seen before, from another address: refuse.
        case replayed
        /// No room: refuse with 429; nothing was remembered.
        case full
        /// Dated so that a former use may have been forgotten: refuse.
        case stale
    }

    package struct Bounds: Sendable {
        package var entriesPerCredential: Int
        package var entriesInAll: Int

        package init(entriesPerCredential: Int = 1_000_000, entriesInAll: Int = 4_000_000) {
            self.entriesPerCredential = entriesPerCredential
            self.entriesInAll = entriesInAll
        }
    }

    private static let shardCount = 32

    private let shards: [ReplayShard]
    private let bounds: Bounds
    /// How far a date may lie from the clock, in seconds, on either side.
    private let window: Int64
    private let total = Atomic<Int>(0)
    /// The second in which everything was last swept because there was no room.
    private let lastSweep = Atomic<Int64>(.min)

    /// `windowSeconds` is the freshness window that dates were checked against.
    package init(windowSeconds: Int64, bounds: Bounds = Bounds()) {
        window = min(max(windowSeconds, 1), 86_400)
        self.bounds = bounds
        shards = (0..<Self.shardCount).map { _ in ReplayShard() }
    }

    /// Looks a signature up and remembers it if it is new. `date` is the signed date.
    package func check(
        _ mac: SignatureMAC, credential: CredentialID, date: Timestamp, address: IPAddress, now: Timestamp
    ) -> Outcome {
        let entry = ReplayEntry(mac, address)
        let outcome = look(entry, credential, date, now)
        // Credentials that fell silent still hold what is long out of the window: room for the others.
        guard outcome == .full, total.load(ordering: .relaxed) >= bounds.entriesInAll,
            lastSweep.exchange(now.seconds, ordering: .relaxed) != now.seconds
        else { return outcome }
        sweep(now: now)
        return look(entry, credential, date, now)
    }

    private func look(_ entry: ReplayEntry, _ credential: CredentialID, _ date: Timestamp, _ now: Timestamp) -> Outcome {
        shard(of: credential).state.withLock { state in
            state.credentials[credential, default: ReplayLog()]
                .check(
                    entry, second: date.seconds, window: (now.seconds - window)...(now.seconds + window), bounds: bounds,
                    total: total)
        }
    }

    /// Drops what is out of the window for every credential; to be called every few seconds.
    package func sweep(now: Timestamp) {
        for shard in shards {
            shard.state.withLock { state in
                for credential in state.credentials.keys {
                    state.credentials[credential]?.drop(before: now.seconds - window, total: total)
                }
            }
        }
    }

    /// Signatures remembered now, for metrics.
    package var count: Int { total.load(ordering: .relaxed) }

    private func shard(of credential: CredentialID) -> ReplayShard {
        let mixed = (credential.high ^ credential.low) &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(mixed >> 59) % Self.shardCount]
    }
}

/// Credentials that share a lock.
private final class ReplayShard: Sendable {
    struct State {
        var credentials: [CredentialID: ReplayLog] = [:]
    }

    let state = Mutex(State())
}

/// What one credential has used: a set of entries for each second of the dates.
private struct ReplayLog {
    /// Few, and the one that is asked for is nearly always the last: found by looking from the end.
    private var seconds: [Int64] = []
    /// In the same order.
    private var tables: [ReplayTable] = []
    private var count = 0
    /// Dates up to here were dropped; the clock may go back, what was forgotten does not come back as new.
    private var droppedThrough = Int64.min
    /// `expired` at the last drop, so that it is looked for once a second only.
    private var lastDrop = Int64.min

    mutating func check(
        _ entry: ReplayEntry, second: Int64, window: ClosedRange<Int64>, bounds: ReplayMemory.Bounds,
        total: borrowing Atomic<Int>
    ) -> ReplayMemory.Outcome {
        if window.lowerBound != lastDrop { drop(before: window.lowerBound, total: total) }
        guard window.contains(second), second > droppedThrough else { return .stale }
        let place = seconds.lastIndex(of: second)
        if let place, let former = tables[place].address(of: entry) {
            return former == entry.address ? .repeated : .replayed
        }
        guard count < bounds.entriesPerCredential, total.load(ordering: .relaxed) < bounds.entriesInAll else { return .full }
        if let place {
            tables[place].insert(entry)
        } else {
            // As many as the second before had are likely to come.
            var table = ReplayTable(room: tables.last?.count ?? 0)
            table.insert(entry)
            seconds.append(second)
            tables.append(table)
        }
        count += 1
        total.wrappingAdd(1, ordering: .relaxed)
        return .fresh
    }

    /// Drops the seconds before `expired`.
    mutating func drop(before expired: Int64, total: borrowing Atomic<Int>) {
        lastDrop = expired
        var dropped = 0
        var last = droppedThrough
        for place in seconds.indices.reversed() where seconds[place] < expired {
            last = max(last, seconds.remove(at: place))
            dropped += tables.remove(at: place).count
        }
        droppedThrough = last
        count -= dropped
        total.wrappingSubtract(dropped, ordering: .relaxed)
    }
}
