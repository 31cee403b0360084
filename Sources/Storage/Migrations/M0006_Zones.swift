extension Migration {
    /// Networks that are reached through gateways, and which asset is in which.
    static let m0006 = Migration(
        6, "zones",
        [
            """
            CREATE TABLE zones (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), name $text NOT NULL,
                comment $text NOT NULL, created_by $text NOT NULL, updated_by $text NOT NULL, date_created $integer NOT NULL,
                date_updated $integer NOT NULL, mac $bytes NOT NULL, UNIQUE (org_id, name)) $table
            """,
            "ALTER TABLE assets ADD COLUMN zone_id $uuid REFERENCES zones (id)",
            "CREATE INDEX assets_by_zone ON assets (zone_id, platform_id) WHERE zone_id IS NOT NULL",
        ])
}
