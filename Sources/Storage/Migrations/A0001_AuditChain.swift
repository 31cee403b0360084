/// The audit database: the chain of entries, its segments and checkpoints, and the announced changes that are open.
package enum AuditSchema {
    package static func create(_ connection: any SQLConnection) throws {
        _ = try connection.execute(
            """
            CREATE TABLE audit_entries (
                seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL,
                actor_kind TEXT NOT NULL, actor_id BLOB, organization_id BLOB, body BLOB NOT NULL, hash BLOB NOT NULL)
            """)
        _ = try connection.execute(
            """
            CREATE TABLE audit_segments (
                number INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, first_hash BLOB NOT NULL, started_ms INTEGER NOT NULL)
            """)
        _ = try connection.execute(
            """
            CREATE TABLE audit_checkpoints (
                seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, head BLOB NOT NULL, time_ms INTEGER NOT NULL, key_id TEXT NOT NULL,
                signature BLOB NOT NULL)
            """)
        _ = try connection.execute("CREATE TABLE audit_signing_keys (key_id TEXT PRIMARY KEY, public_key BLOB NOT NULL)")
        _ = try connection.execute("CREATE TABLE audit_open_intents (seq INTEGER PRIMARY KEY, request_id BLOB NOT NULL)")
    }
}
