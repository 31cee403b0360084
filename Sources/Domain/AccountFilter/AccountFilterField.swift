/// What rules may ask of an account: a closed list, so that no rule reaches further than was thought of.
package enum AccountFilterField: Sendable, CaseIterable {
    case name, username, secretType, privileged, isActive, labels
    case asset, assetName, address, platform, category, type, nodes

    /// How its values look.
    enum Kind {
        case text, address, flag, secretType, platform, category, type, related
    }

    /// The names by which clients know the field; JumpServer's paths are among them.
    package var names: [String] {
        switch self {
        case .name: ["name"]
        case .username: ["username"]
        case .secretType: ["secret_type"]
        case .privileged: ["privileged"]
        case .isActive: ["is_active"]
        case .labels: ["labels"]
        case .asset: ["asset"]
        case .assetName: ["asset__name", "asset_name"]
        case .address: ["asset__address", "address"]
        case .platform: ["asset__platform", "platform", "asset__platform__name"]
        case .category: ["category", "asset__category", "asset__platform__category"]
        case .type: ["type", "asset__type", "asset__platform__type"]
        case .nodes: ["asset__nodes", "nodes"]
        }
    }

    private static let byName: [String: AccountFilterField] = {
        var fields: [String: AccountFilterField] = [:]
        for field in allCases {
            for name in field.names { fields[name] = field }
        }
        return fields
    }()

    package static func named(_ name: String) -> AccountFilterField? { byName[name] }

    var kind: Kind {
        switch self {
        case .name, .username, .assetName: .text
        case .address: .address
        case .privileged, .isActive: .flag
        case .secretType: .secretType
        case .platform: .platform
        case .category: .category
        case .type: .type
        case .labels, .asset, .nodes: .related
        }
    }

    /// The operators that make sense for it. Only texts have an order, that of their bytes; addresses have ranges (`ip_in`) instead.
    package var matches: [AccountMatch] {
        switch kind {
        case .text: [.exact, .not, .in, .contains, .startswith, .endswith, .gte, .lte, .gt, .lt]
        case .address: [.exact, .not, .in, .contains, .startswith, .endswith, .addressIn]
        case .flag: [.exact, .not]
        case .secretType, .category, .type: [.exact, .not, .in]
        case .platform: [.exact, .not, .in, .anyOf]
        case .related: [.exact, .in, .anyOf, .allOf]
        }
    }
}
