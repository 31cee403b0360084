package import Domain

/// The keys of applications.
package enum Credentials {
    package static func get(
        _ id: CredentialID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Credential>? {
        var query = selection
        query.append("FROM credentials WHERE org_id = ? AND id = ?", [.id(organization), .id(id)])
        return try connection.first(query, decode)
    }

    /// Every credential of an application, oldest first.
    package static func all(
        of application: ApplicationID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Credential>] {
        var query = selection
        query.append(
            "FROM credentials WHERE application_id = ? AND org_id = ? ORDER BY date_created, id",
            [.id(application), .id(organization)])
        return try connection.query(query, decode)
    }

    /// Every credential of every organization, for the policy snapshot in memory.
    package static func everywhere(on connection: any SQLConnection) throws -> [Authenticated<Credential>] {
        try connection.query(selection.appending("FROM credentials"), decode)
    }

    /// Refused (`.constraint(.foreignKey, …)`) when the application is not in the same organization.
    package static func insert(_ row: Authenticated<Credential>, on connection: any SQLConnection) throws {
        let value = row.value
        try References.require(
            "SELECT 1 FROM applications WHERE org_id = ? AND id = ?", value.application, in: value.organization,
            "credentials.application_id", on: connection)
        try connection.execute(
            """
            INSERT INTO credentials (
                id, application_id, org_id, name, secret, ip_group, is_strict, is_active, date_expires, created_by, date_created,
                mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.application), .id(value.organization), .text(value.name), .sealed(value.secret),
                .list(value.ipGroup), .flag(value.isStrict), .flag(value.isActive), .time(value.dateExpires),
                .text(value.createdBy),
                .time(value.dateCreated), .blob(row.mac),
            ])
    }

    /// Writes everything but ids and what tells of the creation; false if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Credential>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            """
            UPDATE credentials SET name = ?, secret = ?, ip_group = ?, is_strict = ?, is_active = ?, date_expires = ?, mac = ?
            WHERE org_id = ? AND id = ? AND application_id = ?
            """,
            [
                .text(value.name), .sealed(value.secret), .list(value.ipGroup), .flag(value.isStrict), .flag(value.isActive),
                .time(value.dateExpires), .blob(row.mac), .id(value.organization), .id(value.id), .id(value.application),
            ]) > 0
    }

    package static func delete(
        _ id: CredentialID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute("DELETE FROM credentials WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    private static let selection = SQLQuery(
        """
        SELECT id, application_id, org_id, name, secret, ip_group, is_strict, is_active, date_expires, created_by, date_created,
        mac
        """)

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Credential> {
        Authenticated(
            value: Credential(
                id: try row.id(0), application: try row.id(1), organization: try row.id(2), name: try row.text(3),
                secret: try row.sealed(4), ipGroup: try row.texts(5), isStrict: try row.flag(6), isActive: try row.flag(7),
                dateExpires: try row.timeOrNil(8), createdBy: try row.text(9), dateCreated: try row.time(10)),
            mac: try row.blob(11))
    }
}
