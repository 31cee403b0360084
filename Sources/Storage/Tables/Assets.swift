package import Domain

/// Hosts, databases, devices and other systems.
package enum Assets {
    package static func get(
        _ id: AssetID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Asset>? {
        var query = selection
        query.append("FROM assets a WHERE a.org_id = ? AND a.id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    package static func get(
        named name: String, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Asset>? {
        var query = selection
        query.append("FROM assets a WHERE a.org_id = ? AND a.name = ?", [.id(organization), .text(name)])
        return try connection.first(query) { try decode($0) }
    }

    /// Refused (`.constraint(.foreignKey, …)`) when a zone, node or label is not in the same organization.
    package static func insert(_ row: Authenticated<Asset>, on connection: any SQLConnection) throws {
        let value = row.value
        try requireZone(value, on: connection)
        try connection.execute(
            """
            INSERT INTO assets (
                id, org_id, name, address, platform_id, is_active, protocols, zone_id, node_ids, label_ids, specific, comment,
                created_by, updated_by, date_created, date_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .text(value.name), .text(value.address),
                .integer(Int64(value.platform.rawValue)),
                .flag(value.isActive), .list(packed(value.protocols)), .id(value.zone), .list(value.nodes), .list(value.labels),
                .list(packed(value.specific)), .text(value.comment), .text(value.createdBy), .text(value.updatedBy),
                .time(value.dateCreated), .time(value.dateUpdated), .blob(row.mac),
            ])
        try link(value, on: connection)
    }

    /// Writes everything but id, organization and what tells of the creation; false if there is none of that id in the
    /// organization.
    package static func update(_ row: Authenticated<Asset>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        try requireZone(value, on: connection)
        let changed = try connection.execute(
            """
            UPDATE assets SET name = ?, address = ?, platform_id = ?, is_active = ?, protocols = ?, zone_id = ?, node_ids = ?,
                label_ids = ?, specific = ?, comment = ?, updated_by = ?, date_updated = ?, mac = ?
            WHERE org_id = ? AND id = ?
            """,
            [
                .text(value.name), .text(value.address), .integer(Int64(value.platform.rawValue)), .flag(value.isActive),
                .list(packed(value.protocols)), .id(value.zone), .list(value.nodes), .list(value.labels),
                .list(packed(value.specific)), .text(value.comment), .text(value.updatedBy), .time(value.dateUpdated),
                .blob(row.mac), .id(value.organization),
                .id(value.id),
            ])
        guard changed > 0 else { return false }
        try connection.execute("DELETE FROM asset_nodes WHERE asset_id = ?", [.id(value.id)])
        try connection.execute("DELETE FROM asset_labels WHERE asset_id = ?", [.id(value.id)])
        try link(value, on: connection)
        return true
    }

    /// Assets that any of the nodes holds, at most `limit`.
    package static func ids(
        under nodes: [NodeID], in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [AssetID] {
        var query = SQLQuery("SELECT DISTINCT asset_id FROM asset_nodes WHERE org_id = ? AND node_id IN", [.id(organization)])
        query.append(listOf: nodes.map { .id($0) })
        query.append("LIMIT ?", [.integer(limit)])
        return try connection.query(query) { try $0.id(0) }
    }

    /// The platforms of the named assets, and of those that any of the nodes holds; each once.
    package static func platforms(
        of assets: [AssetID], under nodes: [NodeID], in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Platform.ID] {
        var query = SQLQuery("SELECT DISTINCT platform_id FROM assets WHERE org_id = ? AND (id IN", [.id(organization)])
        query.append(listOf: assets.map { .id($0) })
        query.append("OR id IN (SELECT asset_id FROM asset_nodes WHERE org_id = ? AND node_id IN", [.id(organization)])
        query.append(listOf: nodes.map { .id($0) })
        query.append("))")
        return try connection.query(query) { Platform.ID(rawValue: Int(clamping: try $0.integer(0))) }
    }

    private static func requireZone(_ asset: Asset, on connection: any SQLConnection) throws {
        guard let zone = asset.zone else { return }
        try References.require(
            "SELECT 1 FROM zones WHERE org_id = ? AND id = ?", zone, in: asset.organization, "assets.zone_id", on: connection)
    }

    /// Writes the indexes of nodes and labels.
    private static func link(_ asset: Asset, on connection: any SQLConnection) throws {
        let organization = asset.organization
        try References.requireLabels(asset.labels, in: organization, "assets.label_ids", on: connection)
        for node in asset.nodes {
            try References.require(
                "SELECT 1 FROM nodes WHERE org_id = ? AND id = ?", node, in: organization, "assets.node_ids", on: connection)
            try connection.execute(
                "INSERT INTO asset_nodes (org_id, node_id, asset_id) VALUES (?, ?, ?)",
                [.id(organization), .id(node), .id(asset.id)])
        }
        for label in asset.labels {
            try connection.execute(
                "INSERT INTO asset_labels (org_id, label_id, asset_id) VALUES (?, ?, ?)",
                [.id(organization), .id(label), .id(asset.id)])
        }
    }
}

// MARK: - Columns

extension Assets {
    static let selection = SQLQuery("SELECT", []).appending(columns)

    static let columns: StaticString = """
        a.id, a.org_id, a.name, a.address, a.platform_id, a.is_active, a.protocols, a.node_ids, a.label_ids, a.specific,
        a.comment, \
        a.created_by, a.updated_by, a.date_created, a.date_updated, a.mac, a.zone_id
        """
    static let columnCount = 17

    static func decode(_ row: borrowing SQLRow, from start: Int = 0) throws(StorageFault) -> Authenticated<Asset> {
        guard let platform = Int(exactly: try row.integer(start + 4)) else { throw row.fault(start + 4) }
        return Authenticated(
            value: Asset(
                id: try row.id(start), organization: try row.id(start + 1), name: try row.text(start + 2),
                address: try row.text(start + 3), platform: Platform.ID(rawValue: platform), isActive: try row.flag(start + 5),
                protocols: try protocols(row, start + 6), zone: try row.idOrNil(start + 16), nodes: try row.ids(start + 7),
                labels: try row.ids(start + 8),
                specific: try specific(row, start + 9), comment: try row.text(start + 10), createdBy: try row.text(start + 11),
                updatedBy: try row.text(start + 12), dateCreated: try row.time(start + 13),
                dateUpdated: try row.time(start + 14)),
            mac: try row.blob(start + 15))
    }

    private static func packed(_ protocols: [AssetProtocol]) -> [String] { protocols.flatMap { [$0.name, String($0.port)] } }

    private static func packed(_ fields: [String: String]) -> [String] {
        fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    }

    private static func protocols(_ row: borrowing SQLRow, _ column: Int) throws(StorageFault) -> [AssetProtocol] {
        let texts = try row.texts(column)
        guard texts.count % 2 == 0 else { throw row.fault(column) }
        var protocols: [AssetProtocol] = []
        for index in stride(from: 0, to: texts.count, by: 2) {
            guard let port = Int(texts[index + 1]) else { throw row.fault(column) }
            protocols.append(AssetProtocol(name: texts[index], port: port))
        }
        return protocols
    }

    private static func specific(_ row: borrowing SQLRow, _ column: Int) throws(StorageFault) -> [String: String] {
        let texts = try row.texts(column)
        if texts.isEmpty { return [:] }
        guard texts.count % 2 == 0 else { throw row.fault(column) }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: texts.count, by: 2) { fields[texts[index]] = texts[index + 1] }
        return fields
    }
}
