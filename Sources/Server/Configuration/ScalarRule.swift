internal import Domain

/// How the text of one value is read; nil refuses it with `expectation`.
struct ScalarRule<Value> {
    /// What is asked for, to follow "must be".
    let expectation: String
    let read: (String) -> Value?

    init(_ expectation: String, _ read: @escaping (String) -> Value?) {
        self.expectation = expectation
        self.read = read
    }

}

extension ScalarRule where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> ScalarRule {
        ScalarRule("a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            wholeNumber(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Bytes: a plain number, or one with `KiB`, `MiB` or `GiB`.
    static func bytes(_ range: ClosedRange<Int>) -> ScalarRule {
        ScalarRule("a size from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), such as 64KiB") { text in
            let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
            let unit = units.first { text.hasSuffix($0.0) } ?? ("", 1)
            guard let number = wholeNumber(String(text.dropLast(unit.0.count))) else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.1)
            return !overflow && range.contains(bytes) ? bytes : nil
        }
    }

    private static func sizeText(_ bytes: Int) -> String {
        if bytes > 0, bytes % (1 << 20) == 0 { return "\(bytes >> 20)MiB" }
        return bytes > 0 && bytes % (1 << 10) == 0 ? "\(bytes >> 10)KiB" : "\(bytes)"
    }
}

extension ScalarRule where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ScalarRule {
        let bounds = "from \(durationText(range.lowerBound)) to \(durationText(range.upperBound))"
        return ScalarRule("a duration \(bounds), such as 500ms, 60s, 5m or 1h") { text in
            duration(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A whole number with its unit.
    private static func duration(_ text: String) -> Duration? {
        let unit = text.drop { ("0"..."9").contains($0) }
        // A number of eleven digits in hours still fits the whole seconds of a `Duration`.
        guard let number = wholeNumber(String(text.dropLast(unit.count))), number <= 99_999_999_999 else { return nil }
        return switch unit {
        case "ms": .milliseconds(number)
        case "s": .seconds(number)
        case "m": .seconds(number * 60)
        case "h": .seconds(number * 3600)
        case "d": .seconds(number * 86_400)
        default: nil
        }
    }

    private static func durationText(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}

extension ScalarRule where Value == Bool {
    static var flag: ScalarRule { ScalarRule("true or false") { $0 == "true" ? true : $0 == "false" ? false : nil } }
}

extension ScalarRule where Value == String {
    /// An absolute path; of a file that is there or is going to be.
    static var path: ScalarRule {
        ScalarRule("an absolute path") { text in
            guard text.hasPrefix("/"), text.utf8.count <= 4000, !text.utf8.contains(0) else { return nil }
            // Two spellings of one directory would defeat the check that the keys lie outside the data.
            return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}

extension ScalarRule where Value == ListenAddress {
    static var listenAddress: ScalarRule {
        ScalarRule("an address with a port, such as 127.0.0.1:8443 or [::1]:8443") { ListenAddress($0) }
    }
}

extension ScalarRule where Value == Network {
    /// A network, or one address.
    static var network: ScalarRule {
        ScalarRule("an address or a network, such as 10.0.0.5 or 10.1.0.0/24") { text in
            if text.contains("/") { return Network(text) }
            return IPAddress(text).flatMap { Network(address: $0, prefixLength: $0.family == .v4 ? 32 : 128) }
        }
    }
}

extension ScalarRule where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a closed list of words.
    static var word: ScalarRule {
        ScalarRule("one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")) { Value(rawValue: $0) }
    }
}

/// Decimal digits only, so that neither a sign nor an exponent nor an octal zero slips through.
private func wholeNumber(_ text: String) -> Int? {
    guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        text.utf8.count == 1 || text.utf8.first != 0x30
    else { return nil }
    return Int(text)
}
