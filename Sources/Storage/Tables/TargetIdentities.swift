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

    /// Other accounts with a secret of the same kind that were seen to be the same user, or to share one of several, the first seen first; of
    /// whatever organization, since the far side knows of none. Global.
    package static func others(
        than account: AccountID, _ type: SecretType, _ identity: [UInt8], on connection: any SQLConnection
    ) throws -> [(account: AccountID, organization: OrganizationID)] {
        let same: [(account: AccountID, organization: OrganizationID)] = try connection.query(
            """
            SELECT account_id, org_id FROM target_identities
            WHERE identity = ? AND secret_type = ? AND account_id <> ? ORDER BY date, account_id
            """,
            [.blob(identity), .text(type.rawValue), .id(account)]
        ) { (account: try $0.id(0), organization: try $0.id(1)) }
        return same + (try namesakes(of: account, type, identity, on: connection))
    }

    /// Of a system on which one name may be several users: those that have one of them in common without being the same.
    private static func namesakes(
        of account: AccountID, _ type: SecretType, _ identity: [UInt8], on connection: any SQLConnection
    ) throws -> [(account: AccountID, organization: OrganizationID)] {
        guard let own = NamesakeIdentity(identity) else { return [] }
        // A longer text comes behind all that it begins with, and the length of a user's name is below 2³¹.
        let (first, last) = (own.system, own.system + [0x7F, 0xFF, 0xFF, 0xFF])
        let found = try connection.query(
            """
            SELECT account_id, org_id, identity FROM target_identities
            WHERE identity > ? AND identity < ? AND identity <> ? AND secret_type = ? AND account_id <> ? ORDER BY date, account_id
            """,
            [.blob(first), .blob(last), .blob(identity), .text(type.rawValue), .id(account)]
        ) { (account: try $0.id(0) as AccountID, organization: try $0.id(1) as OrganizationID, identity: try $0.blob(2)) }
        return found.filter { NamesakeIdentity($0.identity)?.hasOneInCommon(with: own) ?? false }
            .map { (account: $0.account, organization: $0.organization) }
    }
}
