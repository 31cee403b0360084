package import Domain

/// Networks that are reached through gateways.
package enum Zones {
    package static func get(
        _ id: ZoneID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Zone>? {
        try connection.first(
            selection.appending("FROM zones WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]), decode)
    }

    package static func get(
        named name: String, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Zone>? {
        try connection.first(
            selection.appending("FROM zones WHERE org_id = ? AND name = ?", [.id(organization), .text(name)]), decode)
    }

    /// Every zone of an organization.
    package static func all(in organization: OrganizationID, on connection: any SQLConnection) throws -> [Authenticated<Zone>] {
        try connection.query(selection.appending("FROM zones WHERE org_id = ? ORDER BY id", [.id(organization)]), decode)
    }

    package static func insert(_ row: Authenticated<Zone>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO zones (id, org_id, name, comment, created_by, updated_by, date_created, date_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .text(value.name), .text(value.comment), .text(value.createdBy),
                .text(value.updatedBy), .time(value.dateCreated), .time(value.dateUpdated), .blob(row.mac),
            ])
    }

    /// False if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Zone>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            "UPDATE zones SET name = ?, comment = ?, updated_by = ?, date_updated = ?, mac = ? WHERE org_id = ? AND id = ?",
            [
                .text(value.name), .text(value.comment), .text(value.updatedBy), .time(value.dateUpdated), .blob(row.mac),
                .id(value.organization), .id(value.id),
            ]) > 0
    }

    /// False if there is none; refused (`.constraint(.foreignKey, …)`) while assets are in it.
    package static func delete(_ id: ZoneID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM zones WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    // MARK: - What is in it

    /// The hosts that lead into the zone, by name.
    package static func gateways(
        of zone: ZoneID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Asset>] {
        var query = Assets.selection
        query.append(
            "FROM assets a WHERE a.zone_id = ? AND a.platform_id = ? AND a.org_id = ? ORDER BY a.name, a.id",
            [.id(zone), .integer(Int64(Platform.ID.gateway.rawValue)), .id(organization)])
        return try connection.query(query) { try Assets.decode($0) }
    }

    /// How many assets are in it, gateways aside.
    package static func assetCount(
        of zone: ZoneID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Int64 {
        try connection.integer(
            "SELECT COUNT(*) FROM assets WHERE zone_id = ? AND platform_id <> ? AND org_id = ?",
            [.id(zone), .integer(Int64(Platform.ID.gateway.rawValue)), .id(organization)])
    }

    fileprivate static let selection = SQLQuery(
        "SELECT id, org_id, name, comment, created_by, updated_by, date_created, date_updated, mac")

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Zone> {
        Authenticated(
            value: Zone(
                id: try row.id(0), organization: try row.id(1), name: try row.text(2), comment: try row.text(3),
                createdBy: try row.text(4), updatedBy: try row.text(5), dateCreated: try row.time(6),
                dateUpdated: try row.time(7)),
            mac: try row.blob(8))
    }
}

// MARK: - List

/// What the list of zones is filtered and ordered by.
package enum ZoneField: String, ListField {
    case id, name, comment
    case dateCreated = "date_created"
    case dateUpdated = "date_updated"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .name: ListColumn(.text, "name")
        case .comment: ListColumn(.text, "comment")
        case .dateCreated: ListColumn(.time, "date_created")
        case .dateUpdated: ListColumn(.time, "date_updated")
        }
    }
}

extension Zones {
    package static func list(
        _ request: ListRequest<ZoneField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Zone>> {
        try statement.run(request, scope: [.id(organization)], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM zones", join: "", scope: "org_id = ?",
        searched: [ZoneField.name.column, ZoneField.comment.column], order: "name, id")
}
