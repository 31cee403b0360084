/// The instant at which a step has taken too long.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    init(_ limit: Duration) { self.init(at: .now + limit) }

    init(at instant: ContinuousClock.Instant) { self.instant = instant }

    var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What is left, in nanoseconds; 0 when nothing is.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = max(.zero, instant - ContinuousClock.now).components
        return min(seconds, 1_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// What is left, for `poll`: at least one millisecond while the deadline has not passed, so that nobody spins.
    var milliseconds: Int32 {
        let left = instant - ContinuousClock.now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        return Int32(clamping: min(seconds, 100_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
