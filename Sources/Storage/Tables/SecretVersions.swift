package import Domain

/// The sealed values of accounts' secrets, by number.
package enum SecretVersions {
    package static func get(
        _ number: Int64, of account: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> SecretVersion? {
        try connection.first(
            """
            SELECT account_id, org_id, number, secret_type, secret, fingerprint, created_by, date_created
            FROM secret_versions WHERE account_id = ? AND number = ? AND org_id = ?
            """,
            [.id(account), .integer(number), .id(organization)], decode)
    }

    /// Adds a version; one that is there is never overwritten (`.constraint(.unique, …)`).
    package static func insert(_ value: SecretVersion, on connection: any SQLConnection) throws {
        try References.require(
            "SELECT 1 FROM accounts WHERE org_id = ? AND id = ?", value.account, in: value.organization,
            "secret_versions.account_id",
            on: connection)
        try connection.execute(
            """
            INSERT INTO secret_versions (account_id, number, org_id, secret_type, secret, fingerprint, created_by, date_created)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.account), .integer(value.number), .id(value.organization), .text(value.secretType.rawValue),
                .sealed(value.secret), .sealed(value.fingerprint), .text(value.createdBy), .time(value.dateCreated),
            ])
    }

    /// Replaces the sealed bytes of a version by the same secret sealed anew under another key; false if there is no such
    /// version.
    package static func reseal(
        _ number: Int64, of account: AccountID, in organization: OrganizationID, secret: Sealed, fingerprint: Sealed?,
        on connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute(
            "UPDATE secret_versions SET secret = ?, fingerprint = ? WHERE account_id = ? AND number = ? AND org_id = ?",
            [.sealed(secret), .sealed(fingerprint), .id(account), .integer(number), .id(organization)]) > 0
    }

    /// Deletes the oldest versions beyond the newest `limit` (at least 1) and returns their numbers.
    ///
    /// What the account's row calls current, pending or previous stays whatever its age; so does every value that was ever sent to a
    /// target, until a later one was proved before `cutoff`.
    package static func prune(
        _ account: AccountID, in organization: OrganizationID, keeping limit: Int, supersededBefore cutoff: Timestamp,
        on connection: any SQLConnection
    ) throws -> [Int64] {
        let stages = try connection.first(
            "SELECT current_version, pending_version, previous_version FROM accounts WHERE org_id = ? AND id = ?",
            [.id(organization), .id(account)]
        ) { [try $0.integerOrNil(0), try $0.integerOrNil(1), try $0.integerOrNil(2)] }
        guard let stages else { return [] }
        let numbers = try connection.query(
            "SELECT number FROM secret_versions WHERE account_id = ? AND org_id = ? ORDER BY number DESC",
            [.id(account), .id(organization)]
        ) { try $0.integer(0) }
        let sent = Set(
            try SentSecrets.open(of: account, in: organization, supersededAfter: cutoff, on: connection).map(\.number))
        let old = numbers.dropFirst(max(1, limit)).filter { !stages.contains($0) && !sent.contains($0) }
        for number in old {
            try connection.execute(
                "DELETE FROM sent_secrets WHERE account_id = ? AND number = ? AND org_id = ?",
                [.id(account), .integer(number), .id(organization)])
            try connection.execute(
                "DELETE FROM secret_versions WHERE account_id = ? AND number = ? AND org_id = ?",
                [.id(account), .integer(number), .id(organization)])
        }
        return Array(old)
    }

    static func decode(_ row: borrowing SQLRow) throws -> SecretVersion {
        SecretVersion(
            account: try row.id(0), organization: try row.id(1), number: try row.integer(2), secretType: try row.value(3),
            secret: try row.sealed(4), fingerprint: try row.sealedOrNil(5), createdBy: try row.text(6),
            dateCreated: try row.time(7))
    }
}

extension SecretVersions {
    /// One page of all versions of an organization, for sealing anew: those after the given place, by account and number.
    package static func page(
        after place: (account: AccountID, number: Int64)?, in organization: OrganizationID, limit: Int64,
        on connection: any SQLConnection
    ) throws -> [SecretVersion] {
        let (account, number) = place ?? (AccountID(high: 0, low: 0), -1)
        return try connection.query(
            """
            SELECT account_id, org_id, number, secret_type, secret, fingerprint, created_by, date_created
            FROM secret_versions WHERE (account_id, number) > (?, ?) AND org_id = ? ORDER BY account_id, number LIMIT ?
            """,
            [.id(account), .integer(number), .id(organization), .integer(limit)], decode)
    }
}
