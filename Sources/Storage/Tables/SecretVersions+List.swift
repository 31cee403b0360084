package import Domain

/// What the list of an account's earlier secrets is filtered and ordered by, named as answers have it.
package enum SecretVersionField: String, ListField {
    case version
    case secretType = "secret_type"
    case author = "history_user"
    case date = "history_date"

    package var column: ListColumn {
        switch self {
        case .version: ListColumn(.integer, "number")
        case .secretType: ListColumn(.text, "secret_type")
        case .author: ListColumn(.text, "created_by")
        case .date: ListColumn(.time, "date_created")
        }
    }
}

extension SecretVersions {
    /// The kept versions of an account, the newest first unless asked otherwise. What is sealed is not searched.
    ///
    /// - Parameter current: the number of one that is left out.
    package static func list(
        _ request: ListRequest<SecretVersionField> = ListRequest(limit: 1000), of account: AccountID,
        without current: Int64? = nil,
        in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<SecretVersion> {
        // Numbers begin at 1.
        let scope: [SQLValue] = [.id(account), .id(organization), .integer(current ?? 0)]
        return try statement.run(request, scope: scope, on: connection) { try decode($0) }
    }

    private static let statement = ListStatement(
        select: SQLQuery(
            "SELECT account_id, org_id, number, secret_type, secret, fingerprint, created_by, date_created", []),
        from: "FROM secret_versions", join: "", scope: "account_id = ? AND org_id = ? AND number <> ?",
        searched: [SecretVersionField.author.column, SecretVersionField.secretType.column], order: "number DESC")
}
