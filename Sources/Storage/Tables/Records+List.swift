package import Domain

/// What the list of records is filtered and ordered by.
package enum RecordField: String, ListField {
    case id, username, status, reason
    case type = "kind"
    case execution = "execution_id"
    case asset = "asset_id"
    case assetName = "asset_name"
    case account = "account_id"
    case secretType = "secret_type"
    case isIgnored = "ignore_fail"
    case dateCreated = "date_created"
    case dateFinished = "date_finished"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "r.id")
        case .username: ListColumn(.text, "r.username")
        case .status: ListColumn(.text, "r.status")
        case .reason: ListColumn(.text, "r.reason")
        case .type: ListColumn(.text, "r.kind")
        case .execution: ListColumn(.id, "r.execution_id")
        case .asset: ListColumn(.id, "r.asset_id")
        case .assetName: ListColumn(.text, "r.asset_name")
        case .account: ListColumn(.id, "r.account_id")
        case .secretType: ListColumn(.text, "r.secret_type")
        case .isIgnored: ListColumn(.flag, "r.is_ignored")
        case .dateCreated: ListColumn(.time, "r.date_created")
        case .dateFinished: ListColumn(.time, "r.date_finished")
        }
    }
}

extension Records {
    package static func list(
        _ request: ListRequest<RecordField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Record>> {
        try statement.run(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    /// The same with what cannot be read in its place.
    package static func found(
        _ request: ListRequest<RecordField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<FoundRow<Authenticated<Record>>> {
        try statement.found(request, scope: [.id(organization)], on: connection) { try decode($0) }
    }

    private static let statement = ListStatement(
        select: selection, from: "FROM records r", join: "", scope: "r.org_id = ?",
        searched: [RecordField.username.column, RecordField.assetName.column], order: "r.date_created DESC, r.id")
}

// MARK: - Overview

/// Numbers over an organization's records and executions of some kinds since a moment.
package struct RecordTotals: Sendable, Equatable {
    package var byStatus: [Record.Status: Int64] = [:]
    package var executions: [Execution.Status: Int64] = [:]
    package var assets: Int64 = 0
    package var accounts: Int64 = 0
}

extension Records {
    /// - Parameter since: counts what was created from then on.
    package static func totals(
        of kinds: [TaskKind], since: Timestamp, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> RecordTotals {
        var totals = RecordTotals()
        let names = kinds.map { SQLValue.text($0.rawValue) }
        var query = SQLQuery(
            "SELECT status, COUNT(*) FROM records WHERE org_id = ? AND date_created >= ? AND kind IN",
            [.id(organization), .time(since)])
        query.append(listOf: names)
        query.append("GROUP BY status")
        for (status, count) in try connection.query(query, { (try $0.value(0, of: Record.Status.self), try $0.integer(1)) }) {
            totals.byStatus[status] = count
        }
        query = SQLQuery(
            "SELECT status, COUNT(*) FROM executions WHERE org_id = ? AND date_created >= ? AND kind IN",
            [.id(organization), .time(since)])
        query.append(listOf: names)
        query.append("GROUP BY status")
        let runs = try connection.query(query) { (try $0.value(0, of: Execution.Status.self), try $0.integer(1)) }
        for (status, count) in runs { totals.executions[status] = count }
        query = SQLQuery(
            """
            SELECT COUNT(DISTINCT asset_id), COUNT(DISTINCT account_id) FROM records
            WHERE org_id = ? AND date_created >= ? AND kind IN
            """, [.id(organization), .time(since)])
        query.append(listOf: names)
        if let distinct = try connection.first(query, { (try $0.integer(0), try $0.integer(1)) }) {
            (totals.assets, totals.accounts) = distinct
        }
        return totals
    }
}
