extension Migration {
    /// Organizations, assets, accounts and their secrets, applications, users, settings and keys.
    ///
    /// Lists that a row's authentication code covers stand in the row itself (`node_ids`, `label_ids`, …); the link tables beside
    /// them are indexes for filters only. `su_from` refers to an account of the same asset without a constraint, since both go
    /// together.
    ///
    /// Accounts lie in the order of organization, asset and name, so that a fetch by names reads one page of them, and a list
    /// that must look at all of an organization reads them one after the other. Columns of a clustered key come first: elsewhere
    /// SQLite 3.40's check of the file calls other columns NULL that are not.
    static let m0001 = Migration(
        1, "backbone",
        tenants + assets + accounts + applications + users + keys)

    private static let tenants: [StaticString] = [
        """
        CREATE TABLE organizations (
            id $uuid NOT NULL PRIMARY KEY, name $text NOT NULL UNIQUE, comment $text NOT NULL, is_active $integer NOT NULL,
            date_created $integer NOT NULL, mac $bytes NOT NULL) $table
        """,
        """
        CREATE TABLE nodes (
            id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), key $text NOT NULL,
            value $text NOT NULL,
            parent_id $uuid, mac $bytes NOT NULL, UNIQUE (org_id, key)) $table
        """,
        """
        CREATE TABLE labels (
            id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), name $text NOT NULL,
            value $text NOT NULL, color $text NOT NULL, comment $text NOT NULL, date_created $integer NOT NULL,
            mac $bytes NOT NULL,
            UNIQUE (org_id, name, value)) $table
        """,
    ]

    private static let assets: [StaticString] = [
        """
        CREATE TABLE platforms (
            id $integer NOT NULL PRIMARY KEY, name $text NOT NULL UNIQUE, category $text NOT NULL, type $text NOT NULL) $table
        """,
        """
        CREATE TABLE assets (
            id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), name $text NOT NULL,
            address $text NOT NULL, platform_id $integer NOT NULL REFERENCES platforms (id), is_active $integer NOT NULL,
            protocols $bytes NOT NULL, node_ids $bytes NOT NULL, label_ids $bytes NOT NULL, specific $bytes NOT NULL,
            comment $text NOT NULL, created_by $text NOT NULL, updated_by $text NOT NULL, date_created $integer NOT NULL,
            date_updated $integer NOT NULL, mac $bytes NOT NULL, UNIQUE (org_id, name)) $table
        """,
        """
        CREATE TABLE asset_nodes (
            node_id $uuid NOT NULL REFERENCES nodes (id), asset_id $uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
            org_id $uuid NOT NULL, PRIMARY KEY (node_id, asset_id)) $clustered
        """,
        "CREATE INDEX asset_nodes_by_asset ON asset_nodes (asset_id)",
        """
        CREATE TABLE asset_labels (
            label_id $uuid NOT NULL REFERENCES labels (id), asset_id $uuid NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
            org_id $uuid NOT NULL, PRIMARY KEY (label_id, asset_id)) $clustered
        """,
        "CREATE INDEX asset_labels_by_asset ON asset_labels (asset_id)",
    ]

    private static let accounts: [StaticString] = [
        """
        CREATE TABLE accounts (
            org_id $uuid NOT NULL REFERENCES organizations (id), asset_id $uuid NOT NULL REFERENCES assets (id), name $text NOT NULL,
            id $uuid NOT NULL UNIQUE, username $text NOT NULL, secret_type $text NOT NULL,
            privileged $integer NOT NULL, is_active $integer NOT NULL, secret_reset $integer NOT NULL, su_from $uuid,
            current_version $integer, pending_version $integer, previous_version $integer, last_version $integer NOT NULL,
            label_ids $bytes NOT NULL, source $text NOT NULL, source_id $text, connectivity $text NOT NULL,
            comment $text NOT NULL, created_by $text NOT NULL, updated_by $text NOT NULL, date_created $integer NOT NULL,
            date_updated $integer NOT NULL, date_change_secret $integer, date_verified $integer, mac $bytes NOT NULL,
            PRIMARY KEY (org_id, asset_id, name), UNIQUE (asset_id, username, secret_type)) $clustered
        """,
        "CREATE INDEX accounts_by_name ON accounts (org_id, name, id)",
        "CREATE INDEX accounts_by_su_from ON accounts (su_from) WHERE su_from IS NOT NULL",
        """
        CREATE TABLE account_labels (
            label_id $uuid NOT NULL REFERENCES labels (id), account_id $uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
            org_id $uuid NOT NULL, PRIMARY KEY (label_id, account_id)) $clustered
        """,
        "CREATE INDEX account_labels_by_account ON account_labels (account_id)",
        """
        CREATE TABLE secret_versions (
            account_id $uuid NOT NULL REFERENCES accounts (id), number $integer NOT NULL, org_id $uuid NOT NULL,
            secret_type $text NOT NULL, secret $bytes NOT NULL, fingerprint $bytes, created_by $text NOT NULL,
            date_created $integer NOT NULL, PRIMARY KEY (account_id, number)) $clustered
        """,
    ]

    private static let applications: [StaticString] = [
        """
        CREATE TABLE applications (
            id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), name $text NOT NULL,
            accounts $text NOT NULL, ip_group $bytes NOT NULL, is_active $integer NOT NULL, rate_limit $integer,
            comment $text NOT NULL, created_by $text NOT NULL, updated_by $text NOT NULL, date_created $integer NOT NULL,
            date_updated $integer NOT NULL, mac $bytes NOT NULL, UNIQUE (org_id, name)) $table
        """,
        """
        CREATE TABLE credentials (
            id $uuid NOT NULL PRIMARY KEY, application_id $uuid NOT NULL REFERENCES applications (id), org_id $uuid NOT NULL,
            name $text NOT NULL, secret $bytes NOT NULL, ip_group $bytes NOT NULL, is_strict $integer NOT NULL,
            is_active $integer NOT NULL, date_expires $integer, created_by $text NOT NULL, date_created $integer NOT NULL,
            mac $bytes NOT NULL) $table
        """,
        "CREATE INDEX credentials_by_application ON credentials (application_id)",
        """
        CREATE TABLE credential_usage (
            credential_id $uuid NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE, org_id $uuid NOT NULL,
            date_last_used $integer NOT NULL, address $text NOT NULL) $clustered
        """,
    ]

    private static let users: [StaticString] = [
        """
        CREATE TABLE users (
            id $uuid NOT NULL PRIMARY KEY, username $text NOT NULL UNIQUE, name $text NOT NULL, role $text NOT NULL,
            is_active $integer NOT NULL, password $bytes NOT NULL, date_created $integer NOT NULL,
            date_password_updated $integer NOT NULL, mac $bytes NOT NULL) $table
        """,
        """
        CREATE TABLE sessions (
            token_digest $bytes NOT NULL PRIMARY KEY, user_id $uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            date_created $integer NOT NULL, date_expires $integer NOT NULL, confirmed_until $integer, mac $bytes NOT NULL) $table
        """,
        "CREATE INDEX sessions_by_user ON sessions (user_id)",
        "CREATE INDEX sessions_by_expiry ON sessions (date_expires)",
        "CREATE TABLE settings (name $text NOT NULL PRIMARY KEY, value $text NOT NULL, mac $bytes NOT NULL) $table",
    ]

    private static let keys: [StaticString] = [
        """
        CREATE TABLE key_slots (
            id $uuid NOT NULL PRIMARY KEY, kind $text NOT NULL, label $text NOT NULL, parameters $bytes NOT NULL,
            wrapped_key $bytes NOT NULL, date_created $integer NOT NULL) $table
        """,
        """
        CREATE TABLE keyring_keys (
            number $integer NOT NULL PRIMARY KEY, wrapped_key $bytes NOT NULL, state $text NOT NULL,
            date_created $integer NOT NULL) $table
        """,
        """
        CREATE TABLE data_keys (
            org_id $uuid NOT NULL, number $integer NOT NULL, kek_number $integer NOT NULL, wrapped_key $bytes NOT NULL,
            state $text NOT NULL, date_created $integer NOT NULL, uses_reserved $integer NOT NULL, PRIMARY KEY (org_id,
            number)) $table
        """,
        "CREATE TABLE change_marks (request_id $uuid NOT NULL PRIMARY KEY, date $integer NOT NULL) $table",
        "CREATE INDEX change_marks_by_date ON change_marks (date)",
    ]
}
