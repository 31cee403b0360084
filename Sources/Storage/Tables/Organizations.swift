package import Domain

/// The tenants. Global: whoever calls decides who may see which.
package enum Organizations {
    package static func get(
        _ id: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Organization>? {
        try connection.first(
            "SELECT id, name, comment, is_active, date_created, mac FROM organizations WHERE id = ?", [.id(id)], decode)
    }

    package static func get(
        named name: String, on connection: any SQLConnection
    ) throws -> Authenticated<Organization>? {
        try connection.first(
            "SELECT id, name, comment, is_active, date_created, mac FROM organizations WHERE name = ?", [.text(name)], decode)
    }

    package static func all(on connection: any SQLConnection) throws -> [Authenticated<Organization>] {
        try connection.query("SELECT id, name, comment, is_active, date_created, mac FROM organizations ORDER BY id", [], decode)
    }

    package static func insert(_ row: Authenticated<Organization>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            "INSERT INTO organizations (id, name, comment, is_active, date_created, mac) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .id(value.id), .text(value.name), .text(value.comment), .flag(value.isActive), .time(value.dateCreated),
                .blob(row.mac),
            ])
    }

    /// False if there is none of that id.
    package static func update(_ row: Authenticated<Organization>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            "UPDATE organizations SET name = ?, comment = ?, is_active = ?, mac = ? WHERE id = ?",
            [.text(value.name), .text(value.comment), .flag(value.isActive), .blob(row.mac), .id(value.id)]) > 0
    }

    /// Whether an organization has more than the root of its tree.
    package static func hasContent(_ id: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        let tables: [StaticString] = [
            "SELECT 1 FROM assets WHERE org_id = ? LIMIT 1", "SELECT 1 FROM accounts WHERE org_id = ? LIMIT 1",
            "SELECT 1 FROM applications WHERE org_id = ? LIMIT 1", "SELECT 1 FROM labels WHERE org_id = ? LIMIT 1",
            "SELECT 1 FROM nodes WHERE org_id = ? AND parent_id IS NOT NULL LIMIT 1",
        ]
        return try tables.contains { try connection.exists($0, [.id(id)]) }
    }

    static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Organization> {
        Authenticated(
            value: Organization(
                id: try row.id(0), name: try row.text(1), comment: try row.text(2), isActive: try row.flag(3),
                dateCreated: try row.time(4)),
            mac: try row.blob(5))
    }
}

// MARK: - List

/// What the list of organizations is filtered and ordered by.
package enum OrganizationField: String, ListField {
    case id, name, comment
    case isActive = "is_active"
    case dateCreated = "date_created"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .name: ListColumn(.text, "name")
        case .comment: ListColumn(.text, "comment")
        case .isActive: ListColumn(.flag, "is_active")
        case .dateCreated: ListColumn(.time, "date_created")
        }
    }
}

extension Organizations {
    /// Every organization but the system's, which no one outside sees.
    package static func list(
        _ request: ListRequest<OrganizationField>, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Organization>> {
        try statement.run(request, scope: [.id(OrganizationID.system)], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: SQLQuery("SELECT id, name, comment, is_active, date_created, mac"), from: "FROM organizations", join: "",
        scope: "id <> ?",
        searched: [OrganizationField.name.column, OrganizationField.comment.column], order: "name, id")
}
