extension Migration {
    /// The chain of audit entries, its segments and checkpoints, and the announced changes that are open.
    ///
    /// No further index: lists go from the newest entry back, and every index would be paid for by every fetch.
    static let a0001 = Migration(
        1, "audit chain",
        [
            """
            CREATE TABLE audit_entries (
                seq $integer NOT NULL PRIMARY KEY, time_ms $integer NOT NULL, action $text NOT NULL, outcome $text NOT NULL,
                actor_kind $text NOT NULL, actor_id $uuid, organization_id $uuid, body $bytes NOT NULL, hash $bytes NOT NULL) $table
            """,
            """
            CREATE TABLE audit_segments (
                number $integer NOT NULL PRIMARY KEY, first_seq $integer NOT NULL, first_hash $bytes NOT NULL,
                started_ms $integer NOT NULL) $table
            """,
            """
            CREATE TABLE audit_checkpoints (
                seq $integer NOT NULL PRIMARY KEY, count $integer NOT NULL, head $bytes NOT NULL, time_ms $integer NOT NULL,
                key_id $text NOT NULL, signature $bytes NOT NULL) $table
            """,
            "CREATE TABLE audit_signing_keys (key_id $text NOT NULL PRIMARY KEY, public_key $bytes NOT NULL) $table",
            "CREATE TABLE audit_open_intents (seq $integer NOT NULL PRIMARY KEY, request_id $uuid NOT NULL) $table",
        ])
}
