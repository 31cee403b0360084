package import Domain

/// Names and values that can be attached to assets and accounts.
package enum Labels {
    package static func get(
        _ id: LabelID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Label>? {
        try connection.first(
            "SELECT id, org_id, name, value, color, comment, date_created, mac FROM labels WHERE org_id = ? AND id = ?",
            [.id(organization), .id(id)], decode)
    }

    package static func get(
        named name: String, value: String, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Label>? {
        try connection.first(
            """
            SELECT id, org_id, name, value, color, comment, date_created, mac
            FROM labels WHERE org_id = ? AND name = ? AND value = ?
            """,
            [.id(organization), .text(name), .text(value)], decode)
    }

    package static func insert(_ row: Authenticated<Label>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            "INSERT INTO labels (id, org_id, name, value, color, comment, date_created, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .id(value.id), .id(value.organization), .text(value.name), .text(value.value), .text(value.color),
                .text(value.comment),
                .time(value.dateCreated), .blob(row.mac),
            ])
    }

    /// False if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Label>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            "UPDATE labels SET name = ?, value = ?, color = ?, comment = ?, mac = ? WHERE org_id = ? AND id = ?",
            [
                .text(value.name), .text(value.value), .text(value.color), .text(value.comment), .blob(row.mac),
                .id(value.organization),
                .id(value.id),
            ]) > 0
    }

    /// False if there is none; refused (`.constraint(.foreignKey, …)`) while it is attached, for the rows it is attached to name
    /// it.
    package static func delete(_ id: LabelID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM labels WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    /// Assets that the label is attached to, at most `limit`.
    package static func assets(
        with label: LabelID, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [AssetID] {
        try connection.query(
            "SELECT asset_id FROM asset_labels WHERE label_id = ? AND org_id = ? LIMIT ?",
            [.id(label), .id(organization), .integer(limit)]
        ) { try $0.id(0) }
    }

    /// Accounts that the label is attached to, at most `limit`.
    package static func accounts(
        with label: LabelID, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [AccountID] {
        try connection.query(
            "SELECT account_id FROM account_labels WHERE label_id = ? AND org_id = ? LIMIT ?",
            [.id(label), .id(organization), .integer(limit)]
        ) { try $0.id(0) }
    }

    static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Label> {
        Authenticated(
            value: Label(
                id: try row.id(0), organization: try row.id(1), name: try row.text(2), value: try row.text(3),
                color: try row.text(4),
                comment: try row.text(5), dateCreated: try row.time(6)),
            mac: try row.blob(7))
    }
}

// MARK: - List

/// What the list of labels is filtered and ordered by.
package enum LabelField: String, ListField {
    case id, name, value, color
    case dateCreated = "date_created"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .name: ListColumn(.text, "name")
        case .value: ListColumn(.text, "value")
        case .color: ListColumn(.text, "color")
        case .dateCreated: ListColumn(.time, "date_created")
        }
    }
}

extension Labels {
    package static func list(
        _ request: ListRequest<LabelField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Label>> {
        try statement.run(request, scope: [.id(organization)], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: SQLQuery("SELECT id, org_id, name, value, color, comment, date_created, mac"), from: "FROM labels", join: "",
        scope: "org_id = ?", searched: [LabelField.name.column, LabelField.value.column], order: "name, value, id")
}
