package import Domain

/// Which user of which system each account was seen to be.
package enum TargetIdentities {
    package static func put(
        _ identity: [UInt8], of account: AccountID, _ type: SecretType, in organization: OrganizationID, at date: Timestamp,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO target_identities (account_id, org_id, secret_type, identity, date) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (account_id) DO UPDATE SET secret_type = excluded.secret_type, identity = excluded.identity,
                date = excluded.date
            """,
            [.id(account), .id(organization), .text(type.rawValue), .blob(identity), .time(date)])
    }

    package static func get(
        _ account: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [UInt8]? {
        try connection.first(
            "SELECT identity FROM target_identities WHERE account_id = ? AND org_id = ?", [.id(account), .id(organization)]
        ) { try $0.blob(0) }
    }

    /// Other accounts with a secret of the same kind that were seen to be the same user, the first seen first; of whatever organization, since
    /// the far side knows of none. Global.
    package static func others(
        than account: AccountID, _ type: SecretType, _ identity: [UInt8], on connection: any SQLConnection
    ) throws -> [(account: AccountID, organization: OrganizationID)] {
        try connection.query(
            """
            SELECT account_id, org_id FROM target_identities
            WHERE identity = ? AND secret_type = ? AND account_id <> ? ORDER BY date, account_id
            """,
            [.blob(identity), .text(type.rawValue), .id(account)]
        ) { (account: try $0.id(0), organization: try $0.id(1)) }
    }
}
