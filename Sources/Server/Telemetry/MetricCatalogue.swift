/// What the metrics of this server mean, for the one who reads them.
enum MetricCatalogue {
    static func help(_ name: String) -> String { helps[name] ?? "No description." }

    /// The bounds of a histogram's cells.
    static func bounds(of name: String) -> [Double] {
        name.hasSuffix("_seconds") ? durations : sizes
    }

    /// From 10 microseconds, less than the fastest decision, to 10 seconds.
    private static let durations: [Double] = [
        0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
        2.5, 5, 10,
    ]
    private static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384]

    private static let helps = [
        "keyturn_fetches_total": "Secret fetches by applications, by outcome.",
        "keyturn_fetch_decision_seconds": "From a fetch's request line to its decision, without the wait for the audit's commit.",
        "keyturn_requests_total": "Answered requests of the admin API, by route and outcome.",
        "keyturn_request_seconds": "How long requests of the admin API took.",
        "keyturn_audit_commit_entries": "Entries that one commit of the audit made durable.",
        "keyturn_audit_commit_seconds": "How long a commit of the audit took.",
        "keyturn_audit_commit_failures_total": "Commits of the audit that failed; what waited for them was not granted.",
        "keyturn_audit_healthy": "1 if the last commit of the audit succeeded, else 0.",
        "keyturn_audit_entries": "The number of the last entry of the audit chain.",
        "keyturn_audit_unsigned_entries": "Entries at the end of the chain that no signed checkpoint covers yet.",
        "keyturn_audit_waiting_entries": "Entries that wait for their commit.",
        "keyturn_open_connections": "Open connections of the main listener.",
        "keyturn_accepted_connections_total": "Connections that the main listener took.",
        "keyturn_refused_connections_total": "Connections turned away at a limit.",
        "keyturn_cut_connections_total": "Connections ended at a deadline.",
        "keyturn_parked_requests": "Requests that wait for their answer.",
        "keyturn_overdue_requests_total": "Requests answered 503 at their deadline.",
        "keyturn_http_requests_total": "Requests on the main listener.",
        "keyturn_malformed_requests_total": "Requests refused for their form as messages, before anybody was identified.",
        "keyturn_changes_total": "Accounts that executions worked on, by kind of work and outcome.",
        "keyturn_change_seconds": "How long the work on one account took, from when there was room for it.",
        "keyturn_accounts_uncertain": "Accounts of which it is not known which secret is live; counted every minute.",
        "keyturn_changes_uncertain": "Open changes of which it is not known what became of them; counted every minute.",
        "keyturn_oldest_doubt_seconds": "How long the oldest of these lasts, 0 where there is none.",
        "keyturn_doubts_settled_total": "Changes in doubt, or cut short, that came to their end by themselves, by outcome.",
        "keyturn_tasks_overdue": "Tasks whose run is overdue; counted every minute.",
        "keyturn_task_rows_damaged":
            "Periodic tasks and open executions whose rows cannot be read or do not authenticate; counted every minute.",
        "keyturn_sealed": "1 while the vault is sealed, else 0.",
        "keyturn_disk_free_bytes": "Bytes that can still be written where the data directory lies.",
        "keyturn_disk_reserve_held": "1 while the reserve on the disk is held, 0 after it had to be given up.",
        "keyturn_uptime_seconds": "Since the server was started.",
        "keyturn_metric_series_refused_total": "Times that a metric was refused because there are too many series.",
        "process_resident_memory_bytes": "Memory of the process that is in RAM.",
        "process_open_fds": "Open file descriptors.",
        "process_cpu_seconds_total": "Processor time used, user and system.",
    ]
}
