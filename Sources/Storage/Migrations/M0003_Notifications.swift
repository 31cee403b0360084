extension Migration {
    /// The outbox: what is to be told to people and programs, until it has been.
    static let m0003 = Migration(
        3, "notifications",
        [
            """
            CREATE TABLE deliveries (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL, channel $text NOT NULL, recipient $text NOT NULL,
                event $text NOT NULL, subject $text NOT NULL, body $text NOT NULL, payload $text NOT NULL,
                date_created $integer NOT NULL, date_due $integer NOT NULL, attempts $integer NOT NULL, state $text NOT NULL,
                fault $text NOT NULL, mac $bytes NOT NULL) $table
            """,
            "CREATE INDEX deliveries_by_due ON deliveries (state, date_due)",
        ])
}
