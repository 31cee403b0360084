package import Domain

/// Programs that may fetch secrets.
package enum Applications {
    package static func get(
        _ id: ApplicationID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Application>? {
        var query = selection
        query.append("FROM applications WHERE org_id = ? AND id = ?", [.id(organization), .id(id)])
        return try connection.first(query, decode)
    }

    /// Every application of every organization, for the policy snapshot in memory.
    package static func everywhere(on connection: any SQLConnection) throws -> [Authenticated<Application>] {
        try connection.query(selection.appending("FROM applications"), decode)
    }

    package static func insert(_ row: Authenticated<Application>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO applications (
                id, org_id, name, accounts, ip_group, is_active, rate_limit, comment, created_by, updated_by, date_created,
                date_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .text(value.name), .text(value.accounts), .list(value.ipGroup),
                .flag(value.isActive), .integer(value.rateLimit), .text(value.comment), .text(value.createdBy),
                .text(value.updatedBy),
                .time(value.dateCreated), .time(value.dateUpdated), .blob(row.mac),
            ])
    }

    /// Writes everything but id, organization and what tells of the creation; false if there is none of that id in the
    /// organization.
    package static func update(_ row: Authenticated<Application>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            """
            UPDATE applications SET name = ?, accounts = ?, ip_group = ?, is_active = ?, rate_limit = ?, comment = ?,
                updated_by = ?,
                date_updated = ?, mac = ?
            WHERE org_id = ? AND id = ?
            """,
            [
                .text(value.name), .text(value.accounts), .list(value.ipGroup), .flag(value.isActive), .integer(value.rateLimit),
                .text(value.comment), .text(value.updatedBy), .time(value.dateUpdated), .blob(row.mac), .id(value.organization),
                .id(value.id),
            ]) > 0
    }

    /// Deletes the application with its credentials; false if there is none of that id in the organization.
    package static func delete(
        _ id: ApplicationID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute("DELETE FROM credentials WHERE application_id = ? AND org_id = ?", [.id(id), .id(organization)])
        return try connection.execute("DELETE FROM applications WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    private static let selection = SQLQuery(
        """
        SELECT id, org_id, name, accounts, ip_group, is_active, rate_limit, comment, created_by, updated_by, date_created, \
        date_updated, mac
        """)

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Application> {
        Authenticated(
            value: Application(
                id: try row.id(0), organization: try row.id(1), name: try row.text(2), accounts: try row.text(3),
                ipGroup: try row.texts(4), isActive: try row.flag(5), rateLimit: try row.integerOrNil(6),
                comment: try row.text(7),
                createdBy: try row.text(8), updatedBy: try row.text(9), dateCreated: try row.time(10),
                dateUpdated: try row.time(11)),
            mac: try row.blob(12))
    }
}

// MARK: - List

/// What the list of applications is filtered and ordered by.
package enum ApplicationField: String, ListField {
    case id, name, comment
    case isActive = "is_active"
    case dateCreated = "date_created"
    case dateUpdated = "date_updated"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .name: ListColumn(.text, "name")
        case .comment: ListColumn(.text, "comment")
        case .isActive: ListColumn(.flag, "is_active")
        case .dateCreated: ListColumn(.time, "date_created")
        case .dateUpdated: ListColumn(.time, "date_updated")
        }
    }
}

extension Applications {
    package static func list(
        _ request: ListRequest<ApplicationField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Application>> {
        try statement.run(request, scope: [.id(organization)], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM applications", join: "", scope: "org_id = ?",
        searched: [ApplicationField.name.column, ApplicationField.comment.column], order: "name, id")
}
