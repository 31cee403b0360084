package import Domain

/// What is believed of assets' far sides: pinned systems and confirmed endpoints.
package enum AssetTrusts {
    package static func get(
        _ asset: AssetID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<AssetTrust>? {
        var query = selection
        query.append("WHERE org_id = ? AND asset_id = ?", [.id(organization), .id(asset)])
        return try connection.first(query) { try decode($0) }
    }

    /// What is believed of an organization's assets, by pages in the order of ids.
    package static func page(
        after asset: AssetID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<AssetTrust>] {
        var query = selection
        query.append(
            "WHERE org_id = ? AND asset_id > ? ORDER BY asset_id LIMIT ?",
            [.id(organization), .id(asset ?? AssetID(high: 0, low: 0)), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }

    private static let selection = SQLQuery(
        "SELECT asset_id, org_id, policy, systems, endpoint, confirmed_by, date_confirmed, mac FROM asset_trusts")

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<AssetTrust> {
        Authenticated(
            value: AssetTrust(
                asset: try row.id(0), organization: try row.id(1), policy: try row.text(2), systems: try row.texts(3),
                endpoint: try row.blob(4), confirmedBy: try row.text(5), dateConfirmed: try row.time(6)),
            mac: try row.blob(7))
    }

    /// Writes what is believed, whether there was a row or not.
    package static func put(_ row: Authenticated<AssetTrust>, on connection: any SQLConnection) throws {
        let value = row.value
        try References.require(
            "SELECT 1 FROM assets WHERE org_id = ? AND id = ?", value.asset, in: value.organization, "asset_trusts.asset_id",
            on: connection)
        try connection.execute(
            """
            INSERT INTO asset_trusts (asset_id, org_id, policy, systems, endpoint, confirmed_by, date_confirmed, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (asset_id) DO UPDATE SET policy = excluded.policy, systems = excluded.systems,
                endpoint = excluded.endpoint, confirmed_by = excluded.confirmed_by, date_confirmed = excluded.date_confirmed,
                mac = excluded.mac
            """,
            [
                .id(value.asset), .id(value.organization), .text(value.policy), .list(value.systems), .blob(value.endpoint),
                .text(value.confirmedBy), .time(value.dateConfirmed), .blob(row.mac),
            ])
    }
}
