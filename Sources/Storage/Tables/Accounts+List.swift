package import Domain

/// What the list of accounts is filtered and ordered by.
package enum AccountField: String, ListField {
    case id, name, username, address, category, type, platform, privileged, source, connectivity, comment
    case asset = "asset_id"
    case assetName = "asset_name"
    case secretType = "secret_type"
    case secretReset = "secret_reset"
    case isActive = "is_active"
    case hasSecret = "has_secret"
    case sourceID = "source_id"
    case node = "node_id"
    case label = "label_id"
    case dateCreated = "date_created"
    case dateUpdated = "date_updated"
    case dateChangeSecret = "date_change_secret"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "c.id")
        case .name: ListColumn(.text, "c.name")
        case .username: ListColumn(.text, "c.username")
        case .privileged: ListColumn(.flag, "c.privileged")
        case .source: ListColumn(.text, "c.source")
        case .sourceID: ListColumn(.text, "c.source_id")
        case .connectivity: ListColumn(.text, "c.connectivity")
        case .comment: ListColumn(.text, "c.comment")
        case .asset: ListColumn(.id, "c.asset_id")
        case .secretType: ListColumn(.text, "c.secret_type")
        case .secretReset: ListColumn(.flag, "c.secret_reset")
        case .isActive: ListColumn(.flag, "c.is_active")
        case .hasSecret: ListColumn(.flag, "CASE WHEN c.current_version IS NULL THEN 0 ELSE 1 END")
        case .label: ListColumn(.id, "c.id IN (SELECT account_id FROM account_labels WHERE label_id IN", membership: true)
        case .node: ListColumn(.id, "c.asset_id IN (SELECT asset_id FROM asset_nodes WHERE node_id IN", membership: true)
        case .dateCreated: ListColumn(.time, "c.date_created")
        case .dateUpdated: ListColumn(.time, "c.date_updated")
        case .dateChangeSecret: ListColumn(.time, "c.date_change_secret")
        default: ofAsset
        }
    }

    private var ofAsset: ListColumn {
        switch self {
        case .address: ListColumn(.text, "a.address", related: true)
        case .category: ListColumn(.text, "p.category", related: true)
        case .type: ListColumn(.text, "p.type", related: true)
        case .platform: ListColumn(.text, "p.name", related: true)
        default: ListColumn(.text, "a.name", related: true)
        }
    }
}

/// An account with its asset, of which a list shows something.
package struct ListedAccount: Sendable {
    package var account: Authenticated<Account>
    package var asset: Authenticated<Asset>
}

extension Accounts {
    /// - Note: a filter by node holds for the nodes given, so the caller adds their descendants.
    package static func list(
        _ request: ListRequest<AccountField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<ListedAccount> {
        try statement.run(request, scope: [.id(organization)], on: connection) { row in
            ListedAccount(account: try decode(row), asset: try Assets.decode(row, from: columnCount))
        }
    }

    private static let statement = ListStatement(
        select: selection.appending(",").appending(Assets.columns), from: "FROM accounts c",
        join: "JOIN assets a ON a.id = c.asset_id JOIN platforms p ON p.id = a.platform_id",
        related: """
            c.asset_id IN (
                SELECT a.id FROM assets a JOIN platforms p ON p.id = a.platform_id WHERE a.org_id = ? AND
            """,
        isRelatedScoped: true, scope: "c.org_id = ?",
        searched: [
            AccountField.name.column, AccountField.username.column, AccountField.address.column, AccountField.assetName.column,
        ],
        order: "c.name, c.id")
}
