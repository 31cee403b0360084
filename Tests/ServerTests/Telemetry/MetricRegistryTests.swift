import CoreMetrics
import Testing

@testable import Server

@Suite("MetricRegistry")
struct MetricRegistryTests {
    private func text(_ registry: MetricRegistry) -> String { String(decoding: registry.text, as: UTF8.self) }

    @Test("counters, gauges and readings are written with help, type and labels, in a fixed order")
    func exposition() {
        let registry = MetricRegistry()
        Counter(label: "keyturn_fetches_total", dimensions: [("outcome", "granted")], factory: registry).increment(by: 3)
        Counter(label: "keyturn_fetches_total", dimensions: [("outcome", "a\"b\\c\nd")], factory: registry).increment()
        Meter(label: "a.gauge", dimensions: [], factory: registry).set(2.5)
        registry.read("keyturn_sealed") { 1 }
        #expect(
            text(registry) == """
                # HELP a_gauge No description.
                # TYPE a_gauge gauge
                a_gauge 2.5
                # HELP keyturn_fetches_total Secret fetches by applications, by outcome.
                # TYPE keyturn_fetches_total counter
                keyturn_fetches_total{outcome="a\\"b\\\\c\\nd"} 1
                keyturn_fetches_total{outcome="granted"} 3
                # HELP keyturn_metric_series_refused_total Times that a metric was refused because there are too many series.
                # TYPE keyturn_metric_series_refused_total counter
                keyturn_metric_series_refused_total 0
                # HELP keyturn_sealed 1 while the vault is sealed, else 0.
                # TYPE keyturn_sealed gauge
                keyturn_sealed 1

                """)
        #expect(text(registry) == text(registry))
    }

    @Test("a timer becomes a histogram in seconds whose cells add up")
    func histogram() {
        let registry = MetricRegistry()
        let timer = CoreMetrics.Timer(label: "x_seconds", dimensions: [], factory: registry)
        for nanoseconds in [5_000, 20_000, 900_000, 30_000_000_000] as [Int64] { timer.recordNanoseconds(nanoseconds) }
        let lines = text(registry).split(separator: "\n")
        #expect(lines.contains("x_seconds_bucket{le=\"1e-05\"} 1"))
        #expect(lines.contains("x_seconds_bucket{le=\"0.001\"} 3"))
        #expect(lines.contains("x_seconds_bucket{le=\"10\"} 3"))
        #expect(lines.contains("x_seconds_bucket{le=\"+Inf\"} 4"))
        #expect(lines.contains("x_seconds_count 4"))
        #expect(lines.contains { $0.hasPrefix("x_seconds_sum 30.0009") })
    }

    @Test("the same name and labels, in any order, are one series")
    func sameSeries() {
        let registry = MetricRegistry()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(text(registry).contains("c{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test("beyond the limit, or under a name of another kind, metrics count into nothing and are counted themselves")
    func bounded() {
        let registry = MetricRegistry(seriesLimit: 10)
        for number in 0..<50 { Counter(label: "c", dimensions: [("n", "\(number)")], factory: registry).increment() }
        Meter(label: "c", dimensions: [], factory: registry).set(7)
        let lines = text(registry).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("c{") }.count == 9)
        #expect(lines.contains("keyturn_metric_series_refused_total 42"))
        #expect(!lines.contains("c 7"))
    }

    @Test("increments from many tasks are all counted")
    func concurrent() async {
        let registry = MetricRegistry()
        let counter = Counter(label: "c", dimensions: [], factory: registry)
        let timer = CoreMetrics.Timer(label: "t_seconds", dimensions: [], factory: registry)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        timer.recordNanoseconds(1_000_000_000)
                    }
                }
            }
        }
        #expect(text(registry).contains("c 8000\n"))
        #expect(text(registry).contains("t_seconds_sum 8000\n"))
    }

    @Test("the process tells its memory, descriptors and processor time")
    func process() throws {
        let registry = MetricRegistry()
        ProcessReadings.register(in: registry)
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
            let line = try #require(text(registry).split(separator: "\n").first { $0.hasPrefix(name + " ") })
            #expect(try #require(Double(line.split(separator: " ")[1])) > 0)
        }
    }
}
