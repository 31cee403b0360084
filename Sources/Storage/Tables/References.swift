internal import Domain

/// Checks that what a row refers to is in the row's own organization, which a plain foreign key does not.
enum References {
    /// - Parameter sql: finds a row by organization and id.
    static func require<Entity>(
        _ sql: StaticString, _ id: Identifier<Entity>, in organization: OrganizationID, _ column: String,
        on connection: any SQLConnection
    ) throws {
        guard try connection.exists(sql, [.id(organization), .id(id)]) else {
            throw StorageFault.constraint(.foreignKey, columns: column)
        }
    }

    static func requireLabels(
        _ labels: [LabelID], in organization: OrganizationID, _ column: String, on connection: any SQLConnection
    ) throws {
        for label in labels {
            try require("SELECT 1 FROM labels WHERE org_id = ? AND id = ?", label, in: organization, column, on: connection)
        }
    }
}
