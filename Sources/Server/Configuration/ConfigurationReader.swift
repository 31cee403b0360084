internal import Yams

/// Reads a mapping of the configuration key by key, and collects what is wrong instead of stopping at the first.
///
/// Messages name keys and rules and never repeat values. Keys that nobody asked for are errors.
final class ConfigurationReader {
    private let mapping: Node.Mapping
    /// Names of the keys above, with a dot behind each.
    private let prefix: String
    private let findings: Findings
    private var asked: Set<String> = []

    /// What was found wrong so far, in all sections.
    private final class Findings {
        var problems: [ConfigurationFault.Problem] = []
    }

    convenience init(root: Node) throws(ConfigurationFault.Rejected) {
        guard let mapping = root.mapping else { throw ConfigurationFault.Rejected(root, "", "must be keys with values") }
        self.init(mapping, prefix: "", Findings())
    }

    private init(_ mapping: Node.Mapping, prefix: String, _ findings: Findings) {
        self.mapping = mapping
        self.prefix = prefix
        self.findings = findings
    }

    var problems: [ConfigurationFault.Problem] { findings.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) } }

    // MARK: - Values

    /// Puts the value of a key, where there is one, in its place.
    func read<Value>(_ key: String, into target: inout Value, _ rule: ScalarRule<Value>) {
        guard let node = node(key) else { return }
        guard case .scalar(let scalar) = node else { return fail(node, key, "must be " + rule.expectation) }
        guard let value = rule.read(Self.text(scalar)) else { return fail(node, key, "must be " + rule.expectation) }
        target = value
    }

    /// As above, for a key whose empty value means that there is none.
    func read<Value>(_ key: String, into target: inout Value?, orNone rule: ScalarRule<Value>) {
        let optional = ScalarRule<Value?>(rule.expectation + ", or empty") { text in
            if text.isEmpty { return .some(nil) }
            return rule.read(text).map { .some($0) }
        }
        read(key, into: &target, optional)
    }

    /// Puts the values of a list in its place; each is read by the rule.
    func read<Value>(_ key: String, into target: inout [Value], each rule: ScalarRule<Value>, atMost limit: Int) {
        guard let node = node(key) else { return }
        guard case .sequence(let list) = node, list.count <= limit else {
            return fail(node, key, "must be a list of at most \(limit) values")
        }
        var values: [Value] = []
        for (index, element) in list.enumerated() {
            guard case .scalar(let scalar) = element, let value = rule.read(Self.text(scalar)) else {
                fail(element, "\(key)[\(index)]", "must be " + rule.expectation)
                continue
            }
            values.append(value)
        }
        target = values
    }

    /// Reads the keys below a key, where there is one.
    func section(_ key: String, _ body: (ConfigurationReader) -> Void) {
        guard let node = node(key) else { return }
        // A section whose keys are all commented out is null.
        if case .scalar(let scalar) = node, Self.text(scalar).isEmpty { return }
        guard case .mapping(let mapping) = node else { return fail(node, key, "must be keys with values") }
        let reader = ConfigurationReader(mapping, prefix: prefix + key + ".", findings)
        body(reader)
        reader.refuseUnknown()
    }

    /// Records that values do not go together.
    func fail(_ key: String, _ message: String) {
        findings.problems.append(.init(line: mapping.first { $0.key.string == key }?.key.mark?.line, key: prefix + key, message))
    }

    /// Records every key that was not asked for.
    func refuseUnknown() {
        for (key, _) in mapping where !asked.contains(key.string ?? "") {
            fail(key, key.string.map { String($0.prefix(64)) } ?? "?", "there is no such key")
        }
    }

    // MARK: - Nodes

    private func node(_ key: String) -> Node? {
        asked.insert(key)
        return mapping.first { $0.key.string == key }?.value
    }

    private func fail(_ node: Node, _ key: String, _ message: String) {
        findings.problems.append(.init(line: node.mark?.line, key: prefix + key, message))
    }

    /// A value that is not quoted may be written `~` or `null` for none.
    private static func text(_ scalar: Node.Scalar) -> String {
        scalar.style == .plain && (scalar.string == "~" || scalar.string == "null") ? "" : scalar.string
    }
}

extension ConfigurationFault {
    /// One problem that ends the reading.
    struct Rejected: Error {
        let problem: Problem

        init(_ node: Node?, _ key: String, _ message: String) {
            problem = Problem(line: node?.mark?.line, key: key, message)
        }
    }
}
