package import Domain

/// When and from where each credential was last used; kept apart so that a use changes no authenticated row, and written in
/// batches.
package struct CredentialUsage: Sendable, Hashable {
    package var credential: CredentialID
    package var organization: OrganizationID
    package var dateLastUsed: Timestamp
    package var address: String

    package init(credential: CredentialID, organization: OrganizationID, dateLastUsed: Timestamp, address: String) {
        self.credential = credential
        self.organization = organization
        self.dateLastUsed = dateLastUsed
        self.address = address
    }
}

extension CredentialUsage {
    /// Remembers the uses; one of a credential that is gone meanwhile is left out, and an older one does not replace a newer.
    package static func record(_ uses: [CredentialUsage], on connection: any SQLConnection) throws {
        for use in uses {
            try connection.execute(
                """
                INSERT INTO credential_usage (credential_id, org_id, date_last_used, address)
                SELECT id, org_id, ?, ? FROM credentials WHERE id = ? AND org_id = ?
                ON CONFLICT (credential_id) DO UPDATE SET date_last_used = excluded.date_last_used, address = excluded.address
                WHERE excluded.date_last_used >= credential_usage.date_last_used
                """,
                [.time(use.dateLastUsed), .text(use.address), .id(use.credential), .id(use.organization)])
        }
    }

    /// The last uses of an application's credentials.
    package static func all(
        of application: ApplicationID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [CredentialUsage] {
        try connection.query(
            """
            SELECT u.credential_id, u.org_id, u.date_last_used, u.address
            FROM credentials c JOIN credential_usage u ON u.credential_id = c.id WHERE c.application_id = ? AND c.org_id = ?
            """,
            [.id(application), .id(organization)]
        ) {
            CredentialUsage(
                credential: try $0.id(0), organization: try $0.id(1), dateLastUsed: try $0.time(2), address: try $0.text(3))
        }
    }

    /// When any credential of each of the applications was last used.
    package static func latest(
        of applications: [ApplicationID], in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [ApplicationID: Timestamp] {
        var query = SQLQuery(
            """
            SELECT c.application_id, MAX(u.date_last_used) FROM credentials c JOIN credential_usage u ON u.credential_id = c.id
            WHERE c.org_id = ? AND c.application_id IN
            """, [.id(organization)])
        query.append(listOf: applications.map { .id($0) })
        query.append("GROUP BY c.application_id")
        let pairs = try connection.query(query) { (id: try $0.id(0, of: Application.self), date: try $0.time(1)) }
        return pairs.reduce(into: [:]) { $0[$1.id] = $1.date }
    }
}
