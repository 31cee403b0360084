package import Domain

/// Which versions were ever on their way to a target.
package enum SentSecrets {
    /// Notes that a version is about to be sent, or may be live already; one that was noted before is open again.
    package static func insert(
        _ number: Int64, of account: AccountID, in organization: OrganizationID, at date: Timestamp,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO sent_secrets (account_id, number, org_id, date_sent) VALUES (?, ?, ?, ?)
            ON CONFLICT (account_id, number) DO UPDATE SET date_sent = excluded.date_sent, date_superseded = NULL
            """,
            [.id(account), .integer(number), .id(organization), .time(date)])
    }

    /// Notes that a login proved a version; from now on the earlier ones count as superseded.
    package static func prove(
        _ number: Int64, of account: AccountID, in organization: OrganizationID, at date: Timestamp,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO sent_secrets (account_id, number, org_id, date_sent, date_proven) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (account_id, number) DO UPDATE SET date_proven = excluded.date_proven, date_superseded = NULL
            """,
            [.id(account), .integer(number), .id(organization), .time(date), .time(date)])
        try connection.execute(
            """
            UPDATE sent_secrets SET date_superseded = ?
            WHERE account_id = ? AND org_id = ? AND number < ? AND date_superseded IS NULL
            """,
            [.time(date), .id(account), .id(organization), .integer(number)])
    }

    /// Every version that may be live: newest first.
    package static func open(
        of account: AccountID, in organization: OrganizationID, supersededAfter cutoff: Timestamp,
        on connection: any SQLConnection
    ) throws -> [SentSecret] {
        try connection.query(
            """
            SELECT account_id, org_id, number, date_sent, date_proven, date_superseded FROM sent_secrets
            WHERE account_id = ? AND org_id = ? AND (date_superseded IS NULL OR date_superseded >= ?) ORDER BY number DESC
            """,
            [.id(account), .id(organization), .time(cutoff)], decode)
    }

    package static func get(
        _ number: Int64, of account: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> SentSecret? {
        try connection.first(
            """
            SELECT account_id, org_id, number, date_sent, date_proven, date_superseded FROM sent_secrets
            WHERE account_id = ? AND number = ? AND org_id = ?
            """,
            [.id(account), .integer(number), .id(organization)], decode)
    }

    private static func decode(_ row: borrowing SQLRow) throws -> SentSecret {
        SentSecret(
            account: try row.id(0), organization: try row.id(1), number: try row.integer(2), dateSent: try row.time(3),
            dateProven: try row.timeOrNil(4), dateSuperseded: try row.timeOrNil(5))
    }
}
