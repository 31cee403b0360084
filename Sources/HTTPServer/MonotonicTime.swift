import Glibc

/// A moment of the machine's monotonic clock.
package struct MonotonicTime: Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment a duration later; a negative duration counts as none, an overflow as the end of time.
    package func advanced(by duration: Duration) -> MonotonicTime {
        advanced(by: Span(duration))
    }

    func advanced(by span: Span) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span.nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    /// A duration as the clock counts, converted beforehand: a `Duration` has 128 bits, and each request takes several.
    struct Span: Sendable {
        let nanoseconds: UInt64

        init(_ duration: Duration) { nanoseconds = duration.wholeNanoseconds }
    }

    /// How long after an earlier moment this one is; zero when it is not later.
    package func since(_ earlier: MonotonicTime) -> Duration {
        guard earlier < self else { return .zero }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}

extension Duration {
    /// Nanoseconds, clamped to what fits; negative durations count as zero.
    var wholeNanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .max }
        let (sum, carried) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return carried ? .max : sum
    }
}
