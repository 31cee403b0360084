/// One setting of the server, as JSON text. Global.
package struct Setting: Sendable, Hashable {
    package let name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// What administrators set for the server as a whole. Global.
package enum Settings {
    package static func get(_ name: String, on connection: any SQLConnection) throws -> Authenticated<Setting>? {
        try connection.first("SELECT name, value, mac FROM settings WHERE name = ?", [.text(name)], decode)
    }

    /// Every setting, by name.
    package static func all(on connection: any SQLConnection) throws -> [Authenticated<Setting>] {
        try connection.query("SELECT name, value, mac FROM settings ORDER BY name", [], decode)
    }

    /// Writes a setting, whether it was there or not.
    package static func put(_ row: Authenticated<Setting>, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO settings (name, value, mac) VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value, mac = excluded.mac
            """,
            [.text(row.value.name), .text(row.value.value), .blob(row.mac)])
    }

    /// False if there was none of that name.
    package static func delete(_ name: String, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM settings WHERE name = ?", [.text(name)]) > 0
    }

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Setting> {
        Authenticated(value: Setting(name: try row.text(0), value: try row.text(1)), mac: try row.blob(2))
    }
}
