package import Domain

/// Deletions that may take many rows with them: in as many short transactions as it takes, so that other writers are not held up.
///
/// The first transaction writes the change's mark. After a crash midway what is left is still there to be deleted again.
extension Database {
    /// Deletes an asset with its accounts and their secrets; false if there is none of that id in the organization.
    package func deleteAsset(
        _ id: AssetID, in organization: OrganizationID, marking request: RequestID, at date: Timestamp
    ) async throws -> Bool {
        let exists = try await read { connection in
            try connection.exists("SELECT 1 FROM assets WHERE org_id = ? AND id = ?", [.id(organization), .id(id)])
        }
        guard exists else { return false }
        try await writeInSteps { connection in
            try ChangeMarks.insert(request, at: date, on: connection)
            return try Deletion.step(of: id, in: organization, on: connection)
        }
        return true
    }

    /// Deletes an organization with everything in it, its data keys first; false if there is none of that id.
    package func deleteOrganization(_ id: OrganizationID, marking request: RequestID, at date: Timestamp) async throws -> Bool {
        let exists = try await write { connection in
            guard try Organizations.get(id, on: connection) != nil else { return false }
            try DataKeys.destroyAll(in: id, on: connection)
            try ChangeMarks.insert(request, at: date, on: connection)
            return true
        }
        guard exists else { return false }
        try await writeInSteps { try Deletion.step(of: id, on: $0) }
        return true
    }
}

/// Small pieces of large deletions; each returns whether more is left.
private enum Deletion {
    static func step(of asset: AssetID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        let accounts = try connection.query(
            "SELECT id FROM accounts WHERE asset_id = ? AND org_id = ? LIMIT 20", [.id(asset), .id(organization)]
        ) { try $0.id(0, of: Account.self) }
        for account in accounts { _ = try Accounts.delete(account, in: organization, on: connection) }
        if !accounts.isEmpty { return true }
        try connection.execute("DELETE FROM assets WHERE org_id = ? AND id = ?", [.id(organization), .id(asset)])
        return false
    }

    static func step(of organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        for statement in first where try connection.execute(statement, [.id(organization)]) > 0 { return true }
        let accounts = try connection.query("SELECT id FROM accounts WHERE org_id = ? LIMIT 20", [.id(organization)]) {
            try $0.id(0, of: Account.self)
        }
        for account in accounts { _ = try Accounts.delete(account, in: organization, on: connection) }
        if !accounts.isEmpty { return true }
        for statement in inOrder where try connection.execute(statement, [.id(organization)]) > 0 { return true }
        return false
    }

    /// What no key opens any more.
    private static let first: [StaticString] = [
        "DELETE FROM secret_changes WHERE id IN (SELECT id FROM secret_changes WHERE org_id = ? LIMIT 100)",
        """
        DELETE FROM kept_secrets WHERE (account_id, number) IN (
            SELECT account_id, number FROM kept_secrets WHERE org_id = ? LIMIT 200)
        """,
        "DELETE FROM login_attempts WHERE id IN (SELECT id FROM login_attempts WHERE org_id = ? LIMIT 1000)",
        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE org_id = ? LIMIT 200)",
    ]

    private static let inOrder: [StaticString] = [
        "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE org_id = ? LIMIT 200)",
        "DELETE FROM executions WHERE id IN (SELECT id FROM executions WHERE org_id = ? LIMIT 100)",
        "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE org_id = ? LIMIT 50)",
        "DELETE FROM assets WHERE id IN (SELECT id FROM assets WHERE org_id = ? LIMIT 20)",
        "DELETE FROM zones WHERE id IN (SELECT id FROM zones WHERE org_id = ? LIMIT 50)",
        "DELETE FROM credentials WHERE id IN (SELECT id FROM credentials WHERE org_id = ? LIMIT 50)",
        "DELETE FROM applications WHERE id IN (SELECT id FROM applications WHERE org_id = ? LIMIT 50)",
        "DELETE FROM nodes WHERE id IN (SELECT id FROM nodes WHERE org_id = ? LIMIT 50)",
        "DELETE FROM labels WHERE id IN (SELECT id FROM labels WHERE org_id = ? LIMIT 50)",
        "DELETE FROM organizations WHERE id = ?",
    ]
}
