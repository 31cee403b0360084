package import Domain

/// A sealed value that outlived its account: somebody forced a deletion while it was not known which value is live.
package struct KeptSecret: Sendable, Hashable {
    package let account: AccountID
    package let organization: OrganizationID
    package let number: Int64
    package let assetName: String
    package let address: String
    package let username: String
    package let secretType: SecretType
    package let secret: Sealed
    package let dateCreated: Timestamp
    package let dateKept: Timestamp
    package let keptBy: String
}

/// Sealed values without an account.
package enum KeptSecrets {
    /// Copies every version of an account, before the account goes.
    package static func keep(
        _ account: Account, on asset: Asset, by author: String, at date: Timestamp, on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO kept_secrets (
                account_id, number, org_id, asset_name, address, username, secret_type, secret, date_created, date_kept, kept_by)
            SELECT account_id, number, org_id, ?, ?, ?, secret_type, secret, date_created, ?, ?
            FROM secret_versions WHERE account_id = ? AND org_id = ?
            ON CONFLICT (account_id, number) DO NOTHING
            """,
            [
                .text(asset.name), .text(asset.address), .text(account.username), .time(date), .text(author), .id(account.id),
                .id(account.organization),
            ])
    }

    /// Everything that is kept in an organization, newest first.
    package static func all(
        in organization: OrganizationID, limit: Int64 = 1000, on connection: any SQLConnection
    ) throws -> [KeptSecret] {
        try page(of: nil, in: organization, offset: 0, limit: limit, on: connection).rows
    }

    /// What is kept of one account, or of all, newest first.
    ///
    /// - Parameter search: a text of the name of the asset, its address or the user name, whatever the case of ASCII letters.
    package static func page(
        of account: AccountID?, search: String? = nil, in organization: OrganizationID, offset: Int64, limit: Int64,
        on connection: any SQLConnection
    ) throws -> ListPage<KeptSecret> {
        var scope = SQLQuery("FROM kept_secrets", [])
        scope.append("WHERE org_id = ?", [.id(organization)])
        if let account { scope.append("AND account_id = ?", [.id(account)]) }
        if let search {
            scope.append("AND (")
            scope.append(contains: search, in: "asset_name")
            scope.append("OR")
            scope.append(contains: search, in: "address")
            scope.append("OR")
            scope.append(contains: search, in: "username")
            scope.append(")")
        }
        var count = SQLQuery("SELECT COUNT(*)", [])
        count.append(scope)
        var query = selection
        query.append(scope)
        query.append(
            "ORDER BY date_kept DESC, account_id, number DESC LIMIT ? OFFSET ?",
            [.integer(max(0, limit)), .integer(max(0, offset))])
        let total = try connection.first(count) { try $0.integer(0) } ?? 0
        return ListPage(rows: try connection.query(query) { try decode($0) }, total: total)
    }

    private static let selection = SQLQuery("SELECT", []).appending(
        """
        account_id, org_id, number, asset_name, address, username, secret_type, secret, date_created, date_kept, kept_by
        """)

    private static func decode(_ row: borrowing SQLRow) throws -> KeptSecret {
        KeptSecret(
            account: try row.id(0), organization: try row.id(1), number: try row.integer(2), assetName: try row.text(3),
            address: try row.text(4), username: try row.text(5), secretType: try row.value(6), secret: try row.sealed(7),
            dateCreated: try row.time(8), dateKept: try row.time(9), keptBy: try row.text(10))
    }
}
