/// A table whose rows the ledger counts: every row that decides something, and every wrapped key.
package struct WatchedTable: Sendable {
    /// Part of a row's mark; never changes.
    package let kind: String
    /// Whether there may be so many rows that going through them takes seconds.
    package let isLarge: Bool
    /// Whether the content is a row's authentication code.
    package let isAuthenticated: Bool
    private let name: String
    /// Expressions over a row's columns, written `@column`. They belong to this driver, as triggers do.
    private let id: String
    private let content: String

    private init(_ kind: String, _ name: String, id: String = "@id", content: String? = nil, isLarge: Bool = false) {
        self.kind = kind
        self.name = name
        self.id = id
        self.content = content ?? "@mac"
        self.isLarge = isLarge
        isAuthenticated = content == nil
    }

    /// In the order in which the ledger keeps them: new ones at the end.
    package static let all = [
        WatchedTable("organization", "organizations"), WatchedTable("node", "nodes"), WatchedTable("label", "labels"),
        WatchedTable("asset", "assets", isLarge: true), WatchedTable("account", "accounts", isLarge: true),
        WatchedTable("application", "applications"), WatchedTable("credential", "credentials"), WatchedTable("user", "users"),
        WatchedTable("session", "sessions", id: "@token_digest"),
        WatchedTable("setting", "settings", id: "CAST(@name AS BLOB)"),
        WatchedTable(
            "data-key", "data_keys", id: "CAST(hex(@org_id) || ':' || @number AS BLOB)",
            content: "CAST(hex(@wrapped_key) || ':' || @kek_number || ':' || @state || ':' || @uses_reserved AS BLOB)"),
        WatchedTable(
            "keyring-key", "keyring_keys", id: "CAST(@number AS BLOB)",
            content: "CAST(hex(@wrapped_key) || ':' || @state AS BLOB)"),
        WatchedTable(
            "key-slot", "key_slots", content: "CAST(hex(@wrapped_key) || ':' || @kind || ':' || hex(@parameters) AS BLOB)"),
        WatchedTable("delivery", "deliveries"), WatchedTable("open-change", "secret_changes"),
        WatchedTable("asset-trust", "asset_trusts", id: "@asset_id", isLarge: true),
        WatchedTable("task", "tasks"), WatchedTable("execution", "executions", isLarge: true),
        WatchedTable("record", "records", isLarge: true), WatchedTable("zone", "zones"),
    ]
}

extension WatchedTable {
    /// Finds something if the schema has the table yet.
    var existence: SQLQuery {
        var query = SQLQuery("SELECT 1 FROM main.sqlite_schema", [])
        query.append("WHERE type = 'table' AND name = ?", [.text(name)])
        return query
    }

    /// Every row's id and content.
    var selection: String { "SELECT \(columns("")) FROM main.\(name)" }

    /// What makes a connection note each change of the table in `row_changes`. It all lives in the connection, not in the file.
    var triggers: [String] {
        let (old, new) = (columns("OLD."), columns("NEW."))
        return [
            """
            CREATE TEMP TRIGGER watch_\(name)_insert AFTER INSERT ON main.\(name) BEGIN
                INSERT INTO row_changes (kind, is_gain, id, content) SELECT '\(kind)', 1, \(new); END
            """,
            """
            CREATE TEMP TRIGGER watch_\(name)_delete AFTER DELETE ON main.\(name) BEGIN
                INSERT INTO row_changes (kind, is_gain, id, content) SELECT '\(kind)', 0, \(old); END
            """,
            """
            CREATE TEMP TRIGGER watch_\(name)_update AFTER UPDATE ON main.\(name)
                WHEN (\(old)) IS NOT (\(new)) BEGIN
                INSERT INTO row_changes (kind, is_gain, id, content) SELECT '\(kind)', 0, \(old);
                INSERT INTO row_changes (kind, is_gain, id, content) SELECT '\(kind)', 1, \(new); END
            """,
        ]
    }

    func replacement(of code: RowCode) -> SQLQuery {
        var query = SQLQuery(rendered: "UPDATE main.\(name) SET mac = ? WHERE \(id.replacing("@", with: "")) = ?")
        query.append("AND mac = ?", [.blob(code.new), .blob(code.id), .blob(code.former)])
        return query
    }

    private func columns(_ row: String) -> String { (id + ", " + content).replacing("@", with: row) }
}
