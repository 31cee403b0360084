/// An account filter made ready to be asked often: sets for lists, compiled networks, nodes with their descendants.
///
/// Whatever cannot be answered is answered with no.
package struct CompiledAccountFilter: Sendable {
    /// Facts that cost an extra read and are only needed by some filters.
    package struct Needs: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let labels = Needs(rawValue: 1)
        package static let nodes = Needs(rawValue: 2)
    }

    private enum Selection {
        case all
        case ids(Set<AccountID>)
        case conditions([AccountCondition])
    }

    private let selection: Selection
    package let needs: Needs

    /// `descendants` gives the nodes below a node; the filter holds what they were at this moment.
    package init(_ filter: AccountFilter, descendants: (NodeID) -> [NodeID]) {
        switch filter.selection {
        case .all: (selection, needs) = (.all, [])
        case .ids(let ids): (selection, needs) = (.ids(Set(ids)), [])
        case .attributes(let rules):
            // No rule at all cannot be read in, and must not mean everything should it come about.
            let conditions = rules.isEmpty ? [.never] : rules.map { AccountCondition($0, descendants) }
            // What is cheap to ask comes first.
            selection = .conditions(conditions.sorted { $0.cost < $1.cost })
            needs = rules.reduce(into: []) { needs, rule in
                if rule.field == .labels { needs.insert(.labels) }
                if rule.field == .nodes { needs.insert(.nodes) }
            }
        }
    }

    package func matches(_ facts: AccountFacts) -> Bool {
        switch selection {
        case .all: true
        case .ids(let ids): ids.contains(facts.account)
        case .conditions(let conditions): conditions.allSatisfy { $0.holds(for: facts) }
        }
    }
}

extension AccountFilter {
    package func compiled(descendants: (NodeID) -> [NodeID]) -> CompiledAccountFilter {
        CompiledAccountFilter(self, descendants: descendants)
    }
}

/// One compiled rule.
enum AccountCondition: Sendable {
    case always
    case never
    case name(TextCondition)
    case username(TextCondition)
    case assetName(TextCondition)
    case address(TextCondition)
    case addressIn(AddressPolicy)
    case privileged(Bool)
    case isActive(Bool)
    case secretType(Set<SecretType>)
    case platform(Set<Platform.ID>)
    case asset(Set<AssetID>)
    case anyLabel(Set<LabelID>)
    case allLabels(Set<LabelID>)
    case anyNode(Set<NodeID>)
    /// One set for each node asked for: itself and what lies below it.
    case allNodes([Set<NodeID>])

    func holds(for facts: AccountFacts) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .name(let condition): condition.holds(for: facts.name)
        case .username(let condition): condition.holds(for: facts.username)
        case .assetName(let condition): condition.holds(for: facts.assetName)
        case .address(let condition): condition.holds(for: facts.address)
        case .addressIn(let policy): IPAddress(facts.address).map { policy.allows($0) } ?? false
        case .privileged(let flag): facts.privileged == flag
        case .isActive(let flag): facts.isActive == flag
        case .secretType(let types): types.contains(facts.secretType)
        case .platform(let platforms): platforms.contains(facts.platform)
        case .asset(let assets): assets.contains(facts.asset)
        case .anyLabel(let labels): facts.labels.contains { labels.contains($0) }
        case .allLabels(let labels): !labels.isEmpty && labels.isSubset(of: facts.labels)
        case .anyNode(let nodes): facts.nodes.contains { nodes.contains($0) }
        case .allNodes(let trees): !trees.isEmpty && trees.allSatisfy { tree in facts.nodes.contains { tree.contains($0) } }
        }
    }

    /// Small for what costs little to ask.
    var cost: Int {
        switch self {
        case .always, .never, .privileged, .isActive: 0
        case .secretType, .platform, .asset: 1
        case .name, .username, .assetName, .address: 2
        default: 3
        }
    }
}
