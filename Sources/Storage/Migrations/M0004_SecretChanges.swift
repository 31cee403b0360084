extension Migration {
    /// Open changes of secrets, what was ever sent, logins that were tried, and what is believed of the far side.
    ///
    /// One open change of an account and of a user on a target, by unique indexes, across restarts. `secret_changes` refers to its account
    /// without a cascade: an account with an open change is not deleted by accident. `kept_secrets` refers to nothing, since it
    /// holds what outlived its account.
    static let m0004 = Migration(
        4, "secret changes",
        [
            """
            CREATE TABLE secret_changes (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL, account_id $uuid NOT NULL UNIQUE REFERENCES accounts (id),
                asset_id $uuid NOT NULL, identity $bytes NOT NULL UNIQUE, stage $text NOT NULL, not_before $integer,
                fields $bytes NOT NULL, date_opened $integer NOT NULL, date_updated $integer NOT NULL, mac $bytes NOT NULL) $table
            """,
            "CREATE INDEX secret_changes_by_asset ON secret_changes (asset_id)",
            """
            CREATE TABLE sent_secrets (
                account_id $uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, number $integer NOT NULL,
                org_id $uuid NOT NULL, date_sent $integer NOT NULL, date_proven $integer, date_superseded $integer,
                PRIMARY KEY (account_id, number)) $clustered
            """,
            """
            CREATE TABLE login_attempts (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL, account_id $uuid NOT NULL, identity $bytes NOT NULL,
                number $integer NOT NULL, date $integer NOT NULL, outcome $text NOT NULL) $table
            """,
            "CREATE INDEX login_attempts_by_account ON login_attempts (account_id, date)",
            "CREATE INDEX login_attempts_by_identity ON login_attempts (identity, date)",
            """
            CREATE TABLE asset_trusts (
                asset_id $uuid NOT NULL PRIMARY KEY REFERENCES assets (id) ON DELETE CASCADE, org_id $uuid NOT NULL,
                policy $text NOT NULL, systems $bytes NOT NULL, endpoint $bytes NOT NULL, confirmed_by $text NOT NULL,
                date_confirmed $integer NOT NULL, mac $bytes NOT NULL) $table
            """,
            """
            CREATE TABLE target_identities (
                account_id $uuid NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE, org_id $uuid NOT NULL,
                secret_type $text NOT NULL, identity $bytes NOT NULL, date $integer NOT NULL) $table
            """,
            "CREATE INDEX target_identities_by_identity ON target_identities (identity)",
            """
            CREATE TABLE kept_secrets (
                account_id $uuid NOT NULL, number $integer NOT NULL, org_id $uuid NOT NULL, asset_name $text NOT NULL,
                address $text NOT NULL, username $text NOT NULL, secret_type $text NOT NULL, secret $bytes NOT NULL,
                date_created $integer NOT NULL, date_kept $integer NOT NULL, kept_by $text NOT NULL,
                PRIMARY KEY (account_id, number)) $clustered
            """,
        ])
}
