package import Domain

/// What the list of assets is filtered and ordered by.
package enum AssetField: String, ListField {
    case id, name, address, comment, platform, category, type
    case isActive = "is_active"
    case platformID = "platform_id"
    case zone
    case node = "node_id"
    case label = "label_id"
    case dateCreated = "date_created"
    case dateUpdated = "date_updated"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "a.id")
        case .name: ListColumn(.text, "a.name")
        case .address: ListColumn(.text, "a.address")
        case .comment: ListColumn(.text, "a.comment")
        case .platform: ListColumn(.text, "p.name", related: true)
        case .category: ListColumn(.text, "p.category", related: true)
        case .type: ListColumn(.text, "p.type", related: true)
        case .isActive: ListColumn(.flag, "a.is_active")
        case .platformID: ListColumn(.integer, "a.platform_id")
        case .zone: ListColumn(.id, "a.zone_id")
        case .node: ListColumn(.id, "a.id IN (SELECT asset_id FROM asset_nodes WHERE node_id IN", membership: true)
        case .label: ListColumn(.id, "a.id IN (SELECT asset_id FROM asset_labels WHERE label_id IN", membership: true)
        case .dateCreated: ListColumn(.time, "a.date_created")
        case .dateUpdated: ListColumn(.time, "a.date_updated")
        }
    }
}

extension Assets {
    /// - Note: a filter by node holds for the nodes given, so the caller adds their descendants.
    package static func list(
        _ request: ListRequest<AssetField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Asset>> {
        try statement.run(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM assets a", join: "JOIN platforms p ON p.id = a.platform_id",
        related: "a.platform_id IN (SELECT p.id FROM platforms p WHERE", scope: "a.org_id = ?",
        searched: [AssetField.name.column, AssetField.address.column], order: "a.name, a.id")
}
