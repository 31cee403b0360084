extension Migration {
    /// Tasks with what a scheduler remembers of them, executions, and the records of what they did to each account.
    ///
    /// Executions and records outlive tasks, accounts and assets: they tell what happened to secrets.
    static let m0005 = Migration(
        5, "tasks",
        [
            """
            CREATE TABLE tasks (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), kind $text NOT NULL,
                name $text NOT NULL, what $text NOT NULL, secret $bytes, is_periodic $integer NOT NULL,
                crontab $text NOT NULL, interval_hours $integer NOT NULL, zone $text NOT NULL, date_begin $integer,
                missed $text NOT NULL, jitter $integer NOT NULL, date_scheduled $integer NOT NULL, recipients $bytes NOT NULL,
                is_active $integer NOT NULL, comment $text NOT NULL, created_by $text NOT NULL, updated_by $text NOT NULL,
                date_created $integer NOT NULL, date_updated $integer NOT NULL, mac $bytes NOT NULL,
                UNIQUE (org_id, kind, name)) $table
            """,
            """
            CREATE TABLE task_states (
                task_id $uuid NOT NULL PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE, org_id $uuid NOT NULL,
                date_planned $integer, date_begins $integer, date_last_run $integer, last_execution_id $uuid) $clustered
            """,
            "CREATE INDEX task_states_by_begin ON task_states (date_begins) WHERE date_begins IS NOT NULL",
            """
            CREATE TABLE executions (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id), kind $text NOT NULL,
                task_id $uuid, task_name $text NOT NULL, run_by $text NOT NULL, author_id $uuid, author $text NOT NULL,
                what $text NOT NULL, status $text NOT NULL, date_created $integer NOT NULL, date_start $integer,
                date_finished $integer, total $integer NOT NULL, done $integer NOT NULL, reason $text NOT NULL,
                mac $bytes NOT NULL) $table
            """,
            "CREATE INDEX executions_by_kind ON executions (org_id, kind, date_created)",
            "CREATE INDEX executions_by_task ON executions (task_id, date_created)",
            "CREATE INDEX executions_open ON executions (task_id) WHERE status IN ('pending', 'running')",
            """
            CREATE TABLE records (
                id $uuid NOT NULL PRIMARY KEY, org_id $uuid NOT NULL REFERENCES organizations (id),
                execution_id $uuid NOT NULL REFERENCES executions (id), kind $text NOT NULL, asset_id $uuid NOT NULL,
                asset_name $text NOT NULL, account_id $uuid, username $text NOT NULL, secret_type $text NOT NULL,
                status $text NOT NULL, reason $text, detail $text NOT NULL, date_until $integer, old_version $integer,
                new_version $integer, steps $bytes NOT NULL, date_created $integer NOT NULL, date_start $integer,
                date_finished $integer, is_ignored $integer NOT NULL, mac $bytes NOT NULL) $table
            """,
            "CREATE INDEX records_by_execution ON records (execution_id, status)",
            "CREATE INDEX records_by_kind ON records (org_id, kind, date_created)",
            "CREATE INDEX records_by_account ON records (account_id, date_created)",
            "CREATE INDEX records_uncertain ON records (account_id, date_created) WHERE status = 'uncertain'",
        ])
}
