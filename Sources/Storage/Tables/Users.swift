package import Domain

/// The people who administer the vault. Global.
package enum Users {
    package static func get(_ id: UserID, on connection: any SQLConnection) throws -> Authenticated<User>? {
        try connection.first(selection.appending("FROM users WHERE id = ?", [.id(id)]), decode)
    }

    /// - Parameter username: in the canonical form in which it was stored.
    package static func get(username: String, on connection: any SQLConnection) throws -> Authenticated<User>? {
        try connection.first(selection.appending("FROM users WHERE username = ?", [.text(username)]), decode)
    }

    package static func everyone(on connection: any SQLConnection) throws -> [Authenticated<User>] {
        try connection.query(selection.appending("FROM users"), decode)
    }

    package static func insert(_ row: Authenticated<User>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO users (id, username, name, role, is_active, password, date_created, date_password_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .text(value.username), .text(value.name), .text(value.role.rawValue), .flag(value.isActive),
                .sealed(value.password), .time(value.dateCreated), .time(value.datePasswordUpdated), .blob(row.mac),
            ])
    }

    /// False if there is none of that id.
    package static func update(_ row: Authenticated<User>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            """
            UPDATE users SET username = ?, name = ?, role = ?, is_active = ?, password = ?, date_password_updated = ?, mac = ?
            WHERE id = ?
            """,
            [
                .text(value.username), .text(value.name), .text(value.role.rawValue), .flag(value.isActive),
                .sealed(value.password),
                .time(value.datePasswordUpdated), .blob(row.mac), .id(value.id),
            ]) > 0
    }

    /// Deletes the user with their sessions; false if there is none of that id.
    package static func delete(_ id: UserID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM users WHERE id = ?", [.id(id)]) > 0
    }

    private static let selection = SQLQuery(
        "SELECT id, username, name, role, is_active, password, date_created, date_password_updated, mac")

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<User> {
        Authenticated(
            value: User(
                id: try row.id(0), username: try row.text(1), name: try row.text(2), role: try row.value(3),
                isActive: try row.flag(4),
                password: try row.sealed(5), dateCreated: try row.time(6), datePasswordUpdated: try row.time(7)),
            mac: try row.blob(8))
    }
}

// MARK: - List

/// What the list of users is filtered and ordered by.
package enum UserField: String, ListField {
    case id, username, name, role
    case isActive = "is_active"
    case dateCreated = "date_created"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .username: ListColumn(.text, "username")
        case .name: ListColumn(.text, "name")
        case .role: ListColumn(.text, "role")
        case .isActive: ListColumn(.flag, "is_active")
        case .dateCreated: ListColumn(.time, "date_created")
        }
    }
}

extension Users {
    package static func list(
        _ request: ListRequest<UserField>, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<User>> {
        try statement.run(request, scope: [], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM users", join: "", scope: "1 = 1",
        searched: [UserField.username.column, UserField.name.column], order: "username, id")
}
