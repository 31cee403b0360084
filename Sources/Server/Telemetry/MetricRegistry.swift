package import CoreMetrics
internal import Synchronization

/// Keeps the numbers of all metrics, and hands out what counts them: the server's backend of swift-metrics.
///
/// Making a metric takes a lock; counting is an atomic addition. The number of series is bounded: beyond it new ones count into nothing,
/// and `keyturn_metric_series_refused_total` says so.
package final class MetricRegistry: MetricsFactory {
    /// One metric under one set of labels.
    struct Key: Hashable, Comparable {
        let name: String
        let labels: [Label]

        init(_ name: String, _ labels: [(String, String)]) {
            self.name = MetricName.sanitized(name)
            self.labels = labels.map { Label(name: MetricName.sanitized($0.0), value: $0.1) }.sorted()
        }

        static func < (a: Key, b: Key) -> Bool {
            a.name == b.name ? a.labels.lexicographicallyPrecedes(b.labels) : a.name < b.name
        }
    }

    struct Label: Hashable, Comparable {
        let name: String
        let value: String

        static func < (a: Label, b: Label) -> Bool { a.name == b.name ? a.value < b.value : a.name < b.name }
    }

    enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
        /// Read when somebody asks.
        case reading(kind: MetricKind, @Sendable () -> Double)

        var kind: MetricKind {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            case .reading(let kind, _): kind
            }
        }
    }

    private struct State {
        var series: [Key: Series] = [:]
        /// All series of one name are of one kind.
        var kinds: [String: MetricKind] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())
    private let refused = CounterSeries()

    package init(seriesLimit: Int = 2_000) {
        limit = seriesLimit
        state.withLock { $0.series[Key("keyturn_metric_series_refused_total", [])] = .counter(refused) }
    }

    /// A gauge or counter whose value is asked for when metrics are read; the closure must not block.
    package func read(
        _ name: String, _ kind: MetricKind = .gauge, labels: [(String, String)] = [], _ value: @escaping @Sendable () -> Double
    ) {
        _ = series(Key(name, labels), kind) { .reading(kind: kind, value) }
    }

    /// Everything, ordered by name and labels.
    var snapshot: [(key: Key, series: Series)] {
        state.withLock { $0.series.map { (key: $0.key, series: $0.value) } }.sorted { $0.key < $1.key }
    }

    /// The series of that key, made where there is none; nil if the limit is reached or the name is of another kind.
    private func series(_ key: Key, _ kind: MetricKind, _ make: () -> Series) -> Series? {
        state.withLock { state in
            if let known = state.series[key], known.kind == kind { return known }
            guard state.kinds[key.name].map({ $0 == kind }) ?? true, state.series[key] == nil, state.series.count < limit else {
                refused.increment(by: 1)
                return nil
            }
            let made = make()
            state.kinds[key.name] = kind
            state.series[key] = made
            return made
        }
    }
}

/// What a metric is, in the words of the exposition format.
package enum MetricKind: String, Sendable { case counter, gauge, histogram }

// MARK: - swift-metrics

extension MetricRegistry {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        if case .counter(let made)? = series(Key(label, dimensions), .counter, { .counter(CounterSeries()) }) { return made }
        return CounterSeries()
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        if case .gauge(let made)? = series(Key(label, dimensions), .gauge, { .gauge(GaugeSeries()) }) { return made }
        return GaugeSeries()
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            if case .gauge(let made)? = series(Key(label, dimensions), .gauge, { .gauge(GaugeSeries()) }) { return made }
            return GaugeSeries()
        }
        return histogram(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        let bounds = MetricCatalogue.bounds(of: MetricName.sanitized(label))
        let found = series(Key(label, dimensions), .histogram) { .histogram(HistogramSeries(bounds: bounds)) }
        if case .histogram(let made)? = found { return made }
        return HistogramSeries(bounds: bounds)
    }

    // Series live as long as the process: a counter that went and came again would look like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

/// Names of metrics and labels (Prometheus data model).
enum MetricName {
    /// With an underscore for each character that a name cannot have.
    static func sanitized(_ name: String) -> String {
        var bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"): byte
            default: UInt8(ascii: "_")
            }
        }
        if bytes.first.map({ (0x30...0x39).contains($0) }) ?? true { bytes.insert(UInt8(ascii: "_"), at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
