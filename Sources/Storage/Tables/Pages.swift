package import Domain

// Whole tables by pages in the order of their ids, for going through all that is stored.

extension Assets {
    /// Assets of an organization with ids above the given one.
    package static func page(
        after id: AssetID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Asset>] {
        var query = selection
        query.append(
            "FROM assets a WHERE a.id > ? AND a.org_id = ? ORDER BY a.id LIMIT ?",
            [.id(id ?? AssetID(high: 0, low: 0)), .id(organization), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }
}

extension Accounts {
    /// Accounts of an organization with ids above the given one.
    package static func page(
        after id: AccountID?, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Account>] {
        var query = selection
        query.append(
            "FROM accounts c WHERE c.id > ? AND c.org_id = ? ORDER BY c.id LIMIT ?",
            [.id(id ?? AccountID(high: 0, low: 0)), .id(organization), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }
}

extension Labels {
    /// Every label of an organization.
    package static func all(in organization: OrganizationID, on connection: any SQLConnection) throws -> [Authenticated<Label>] {
        try connection.query(
            "SELECT id, org_id, name, value, color, comment, date_created, mac FROM labels WHERE org_id = ? ORDER BY id",
            [.id(organization)], decode)
    }
}

/// How many rows the tables hold that are gone through organization by organization, whatever organization their rows name.
///
/// A row that names none that exists is seen by no scoped query; the difference shows it.
package struct RowTotals: Sendable, Equatable {
    package var nodes: Int64 = 0
    package var labels: Int64 = 0
    package var zones: Int64 = 0
    package var assets: Int64 = 0
    package var accounts: Int64 = 0
    package var versions: Int64 = 0
    package var tasks: Int64 = 0
    package var executions: Int64 = 0
    package var records: Int64 = 0

    package init() {}

    package init(on connection: any SQLConnection) throws {
        nodes = try connection.integer("SELECT COUNT(*) FROM nodes")
        labels = try connection.integer("SELECT COUNT(*) FROM labels")
        zones = try connection.integer("SELECT COUNT(*) FROM zones")
        assets = try connection.integer("SELECT COUNT(*) FROM assets")
        accounts = try connection.integer("SELECT COUNT(*) FROM accounts")
        versions = try connection.integer("SELECT COUNT(*) FROM secret_versions")
        tasks = try connection.integer("SELECT COUNT(*) FROM tasks")
        executions = try connection.integer("SELECT COUNT(*) FROM executions")
        records = try connection.integer("SELECT COUNT(*) FROM records")
    }
}
