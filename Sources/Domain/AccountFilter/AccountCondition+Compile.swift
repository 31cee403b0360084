extension AccountCondition {
    /// A rule whose parts do not fit together, which cannot be read in, becomes one that never holds.
    init(_ rule: AccountRule, _ descendants: (NodeID) -> [NodeID]) {
        if case .anything = rule.value {
            self = rule.match == .exact || rule.match == .in ? .always : .never
            return
        }
        switch rule.field.kind {
        case .text, .address: self = Self.text(rule)
        case .flag: self = Self.flag(rule)
        case .secretType: self = Self.secretType(rule)
        case .platform, .category, .type: self = Self.platform(rule)
        case .related: self = Self.related(rule, descendants)
        }
    }

    private static func text(_ rule: AccountRule) -> AccountCondition {
        if rule.match == .addressIn {
            guard let entries = rule.value.allTexts, let policy = try? AddressPolicy(entries) else { return .never }
            return .addressIn(policy)
        }
        guard let texts = rule.value.allTexts, let condition = TextCondition(rule.match, texts) else { return .never }
        return switch rule.field {
        case .name: .name(condition)
        case .username: .username(condition)
        case .assetName: .assetName(condition)
        case .address: .address(condition)
        default: .never
        }
    }

    private static func flag(_ rule: AccountRule) -> AccountCondition {
        guard case .flag(let value) = rule.value, rule.match == .exact || rule.match == .not else { return .never }
        let flag = value == (rule.match == .exact)
        return switch rule.field {
        case .privileged: .privileged(flag)
        case .isActive: .isActive(flag)
        default: .never
        }
    }

    private static func secretType(_ rule: AccountRule) -> AccountCondition {
        guard let texts = rule.value.allTexts else { return .never }
        let types = Set(texts.compactMap { SecretType(rawValue: $0) })
        return selected(rule.match, types, of: SecretType.allCases).map { .secretType($0) } ?? .never
    }

    /// Platform, category and type all come down to a set of platforms.
    private static func platform(_ rule: AccountRule) -> AccountCondition {
        let chosen: Set<Platform.ID>
        if case .platforms(let ids, _) = rule.value {
            chosen = Set(ids)
        } else if let texts = rule.value.allTexts {
            let matching = Platform.all.filter { texts.contains(rule.field == .category ? $0.category.rawValue : $0.type) }
            chosen = Set(matching.map(\.id))
        } else {
            return .never
        }
        return selected(rule.match, chosen, of: Platform.all.map(\.id)).map { .platform($0) } ?? .never
    }

    private static func selected<Value: Hashable>(
        _ match: AccountMatch, _ values: Set<Value>, of all: [Value]
    ) -> Set<Value>? {
        switch match {
        case .exact, .in, .anyOf: values
        case .not: Set(all).subtracting(values)
        default: nil
        }
    }

    private static func related(_ rule: AccountRule, _ descendants: (NodeID) -> [NodeID]) -> AccountCondition {
        guard case .ids(let ids, _) = rule.value, [.exact, .in, .anyOf, .allOf].contains(rule.match) else { return .never }
        let needsAll = rule.match == .allOf
        switch rule.field {
        case .labels:
            let labels = Set(ids.map { $0.retyped(as: Label.self) })
            return needsAll ? .allLabels(labels) : .anyLabel(labels)
        case .asset:
            // An account has one asset; JumpServer reads both operators as "one of these".
            return .asset(Set(ids.map { $0.retyped(as: Asset.self) }))
        case .nodes:
            let trees = ids.map { id in Set([id.retyped(as: Node.self)] + descendants(id.retyped(as: Node.self))) }
            return needsAll ? .allNodes(trees) : .anyNode(trees.reduce(into: []) { $0.formUnion($1) })
        default: return .never
        }
    }
}

extension AccountRuleValue {
    /// One text or several; nil for other values.
    var allTexts: [String]? {
        switch self {
        case .text(let text): [text]
        case .texts(let texts): texts
        default: nil
        }
    }
}
