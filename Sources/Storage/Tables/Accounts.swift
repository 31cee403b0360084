package import Domain

/// Privileged accounts on assets, without their secrets.
package enum Accounts {
    package static func get(
        _ id: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Account>? {
        var query = selection
        query.append("FROM accounts c WHERE c.org_id = ? AND c.id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    /// Every account of an asset, by name.
    package static func all(
        of asset: AssetID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Account>] {
        var query = selection
        query.append("FROM accounts c WHERE c.asset_id = ? AND c.org_id = ? ORDER BY c.name", [.id(asset), .id(organization)])
        return try connection.query(query) { try decode($0) }
    }

    /// Accounts that are logged in to through this one.
    package static func all(
        switchingFrom id: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Account>] {
        var query = selection
        query.append("FROM accounts c WHERE c.su_from = ? AND c.org_id = ?", [.id(id), .id(organization)])
        return try connection.query(query) { try decode($0) }
    }

    /// Refused (`.constraint(.foreignKey, …)`) when the asset, a label or the account to switch from is not in the same
    /// organization.
    package static func insert(_ row: Authenticated<Account>, on connection: any SQLConnection) throws {
        let value = row.value
        try checkReferences(value, on: connection)
        try connection.execute(
            """
            INSERT INTO accounts (
                id, org_id, asset_id, name, username, secret_type, privileged, is_active, secret_reset, su_from, current_version,
                pending_version, previous_version, last_version, label_ids, source, source_id, connectivity, comment, created_by,
                updated_by, date_created, date_updated, date_change_secret, date_verified, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .id(value.asset), .text(value.name), .text(value.username),
                .text(value.secretType.rawValue), .flag(value.privileged), .flag(value.isActive), .flag(value.secretReset),
                .id(value.suFrom), .integer(value.stages.current), .integer(value.stages.pending),
                .integer(value.stages.previous),
                .integer(value.stages.last), .list(value.labels), .text(value.source.kind), .text(value.source.id),
                .text(value.connectivity.rawValue), .text(value.comment), .text(value.createdBy), .text(value.updatedBy),
                .time(value.dateCreated), .time(value.dateUpdated), .time(value.dateChangeSecret), .time(value.dateVerified),
                .blob(row.mac),
            ])
        try link(value, on: connection)
    }

    /// Writes everything but id, organization, asset and what tells of the creation; false if there is none of that id on that
    /// asset.
    package static func update(_ row: Authenticated<Account>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        try checkReferences(value, on: connection)
        let changed = try connection.execute(
            """
            UPDATE accounts SET name = ?, username = ?, secret_type = ?, privileged = ?, is_active = ?, secret_reset = ?,
                su_from = ?,
                current_version = ?, pending_version = ?, previous_version = ?, last_version = ?, label_ids = ?, source = ?,
                source_id = ?, connectivity = ?, comment = ?, updated_by = ?, date_updated = ?, date_change_secret = ?,
                date_verified = ?, mac = ?
            WHERE org_id = ? AND id = ? AND asset_id = ?
            """,
            [
                .text(value.name), .text(value.username), .text(value.secretType.rawValue), .flag(value.privileged),
                .flag(value.isActive), .flag(value.secretReset), .id(value.suFrom), .integer(value.stages.current),
                .integer(value.stages.pending), .integer(value.stages.previous), .integer(value.stages.last), .list(value.labels),
                .text(value.source.kind), .text(value.source.id), .text(value.connectivity.rawValue), .text(value.comment),
                .text(value.updatedBy), .time(value.dateUpdated), .time(value.dateChangeSecret), .time(value.dateVerified),
                .blob(row.mac), .id(value.organization), .id(value.id), .id(value.asset),
            ])
        guard changed > 0 else { return false }
        try connection.execute("DELETE FROM account_labels WHERE account_id = ?", [.id(value.id)])
        try link(value, on: connection)
        return true
    }

    /// Deletes the account with every version of its secret; false if there is none of that id in the organization.
    package static func delete(_ id: AccountID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool
    {
        try connection.execute("DELETE FROM secret_versions WHERE account_id = ? AND org_id = ?", [.id(id), .id(organization)])
        return try connection.execute("DELETE FROM accounts WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    private static func checkReferences(_ account: Account, on connection: any SQLConnection) throws {
        let organization = account.organization
        try References.require(
            "SELECT 1 FROM assets WHERE org_id = ? AND id = ?", account.asset, in: organization, "accounts.asset_id",
            on: connection)
        try References.requireLabels(account.labels, in: organization, "accounts.label_ids", on: connection)
        if let suFrom = account.suFrom {
            try References.require(
                "SELECT 1 FROM accounts WHERE org_id = ? AND id = ?", suFrom, in: organization, "accounts.su_from", on: connection
            )
        }
    }

    /// Writes the index of labels.
    private static func link(_ account: Account, on connection: any SQLConnection) throws {
        for label in account.labels {
            try connection.execute(
                "INSERT INTO account_labels (org_id, label_id, account_id) VALUES (?, ?, ?)",
                [.id(account.organization), .id(label), .id(account.id)])
        }
    }
}

// MARK: - Columns

extension Accounts {
    static let selection = SQLQuery("SELECT", []).appending(columns)

    static let columns: StaticString = """
        c.id, c.org_id, c.asset_id, c.name, c.username, c.secret_type, c.privileged, c.is_active, c.secret_reset, c.su_from, \
        c.current_version, c.pending_version, c.previous_version, c.last_version, c.label_ids, c.source, c.source_id, \
        c.connectivity, c.comment, c.created_by, c.updated_by, c.date_created, c.date_updated, c.date_change_secret, \
        c.date_verified, c.mac
        """
    static let columnCount = 26

    static func decode(_ row: borrowing SQLRow, from start: Int = 0) throws(StorageFault) -> Authenticated<Account> {
        let stages = SecretStages(
            current: try row.integerOrNil(start + 10), pending: try row.integerOrNil(start + 11),
            previous: try row.integerOrNil(start + 12), last: try row.integer(start + 13))
        let account = Account(
            id: try row.id(start), organization: try row.id(start + 1), asset: try row.id(start + 2),
            name: try row.text(start + 3),
            username: try row.text(start + 4), secretType: try row.value(start + 5), privileged: try row.flag(start + 6),
            isActive: try row.flag(start + 7), secretReset: try row.flag(start + 8), suFrom: try row.idOrNil(start + 9),
            stages: stages, labels: try row.ids(start + 14),
            source: AccountSource(kind: try row.text(start + 15), id: try row.textOrNil(start + 16)),
            connectivity: try row.value(start + 17), comment: try row.text(start + 18), createdBy: try row.text(start + 19),
            updatedBy: try row.text(start + 20), dateCreated: try row.time(start + 21), dateUpdated: try row.time(start + 22),
            dateChangeSecret: try row.timeOrNil(start + 23), dateVerified: try row.timeOrNil(start + 24))
        return Authenticated(value: account, mac: try row.blob(start + 25))
    }
}
