#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z: the one form of time that is stored.
package struct Timestamp: Hashable, Sendable, Comparable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// From whole seconds; saturates instead of overflowing.
    package init(seconds: Int64) {
        let (value, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : value
    }

    /// Whole seconds, rounded down.
    package var seconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }

    /// The system's clock now.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// This moment moved by whole seconds; saturates.
    package func adding(seconds: Int64) -> Timestamp {
        let (value, overflow) = milliseconds.addingReportingOverflow(Timestamp(seconds: seconds).milliseconds)
        return Timestamp(milliseconds: overflow ? (seconds < 0 ? .min : .max) : value)
    }

    package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

/// Where "now" comes from, so that tests can set it.
package struct WallClock: Sendable {
    package let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    package static let system = WallClock { Timestamp.now }
}

/// A point of the machine's steady clock, for measuring how long something took; it means nothing outside this process.
package struct Stopwatch: Sendable, Hashable {
    package let nanoseconds: UInt64

    /// From a reading of `CLOCK_MONOTONIC` that was taken elsewhere.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static var started: Stopwatch {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Stopwatch(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Whole microseconds since then; 0 for a point that is still to come.
    package var microseconds: Int64 {
        let now = Stopwatch.started.nanoseconds
        return now > nanoseconds ? Int64(clamping: (now - nanoseconds) / 1000) : 0
    }
}
