extension MetricRegistry {
    /// The content type of `text`.
    package static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics in the text format of Prometheus, version 0.0.4, always in the same order.
    package var text: [UInt8] {
        var writer = MetricText()
        var name: String?
        for (key, series) in snapshot {
            if key.name != name {
                writer.header(key.name, series.kind)
                name = key.name
            }
            switch series {
            case .counter(let counter): writer.sample(key.name, key.labels, "\(counter.value)")
            case .gauge(let gauge): writer.sample(key.name, key.labels, MetricText.number(gauge.value))
            case .reading(_, let read): writer.sample(key.name, key.labels, MetricText.number(read()))
            case .histogram(let histogram): writer.histogram(key.name, key.labels, histogram)
            }
        }
        return writer.bytes
    }
}

/// Writes lines of the exposition format.
private struct MetricText {
    private(set) var bytes: [UInt8] = []

    mutating func header(_ name: String, _ kind: MetricKind) {
        append("# HELP \(name) ")
        append(Self.escaped(MetricCatalogue.help(name), quotes: false))
        append("\n# TYPE \(name) \(kind.rawValue)\n")
    }

    mutating func sample(_ name: String, _ labels: [MetricRegistry.Label], _ value: String, bound: String? = nil) {
        append(name)
        var pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        if !pairs.isEmpty { append("{" + pairs.joined(separator: ",") + "}") }
        append(" " + value + "\n")
    }

    mutating func histogram(_ name: String, _ labels: [MetricRegistry.Label], _ histogram: HistogramSeries) {
        var total: Int64 = 0
        let bounds = histogram.bounds.map(Self.number) + ["+Inf"]
        for (bound, count) in zip(bounds, histogram.counts) {
            total += count
            sample(name + "_bucket", labels, "\(total)", bound: bound)
        }
        sample(name + "_sum", labels, Self.number(histogram.sum))
        sample(name + "_count", labels, "\(total)")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
