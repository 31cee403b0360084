internal import HTTPServer
internal import Metrics

/// Counts secret fetches by outcome and measures how long deciding took.
package final class FetchMeter: Sendable {
    private let granted = Counter(label: "keyturn_fetches_total", dimensions: [("outcome", "granted")])
    private let duration = Timer(label: "keyturn_fetch_decision_seconds")
    private let refused: [String: Counter]
    private let other = Counter(label: "keyturn_fetches_total", dimensions: [("outcome", "other")])

    /// The outcomes that have a counter of their own: a closed list, so that nobody outside makes up label values.
    private static let outcomes = [
        "authentication_failed", "not_authenticated", "not_found", "ambiguous", "invalid", "malformed", "throttled", "sealed",
        "unavailable", "integrity",
    ]

    package init() {
        refused = Dictionary(
            uniqueKeysWithValues: Self.outcomes.map {
                ($0, Counter(label: "keyturn_fetches_total", dimensions: [("outcome", $0)]))
            })
    }

    func granted(since start: MonotonicTime) {
        granted.increment()
        record(start)
    }

    func refused(_ code: String, since start: MonotonicTime) {
        (refused[code] ?? other).increment()
        record(start)
    }

    private func record(_ start: MonotonicTime) {
        let now = MonotonicTime.now
        duration.recordNanoseconds(now.nanoseconds > start.nanoseconds ? Int64(clamping: now.nanoseconds - start.nanoseconds) : 0)
    }
}
