package import Domain

/// An open change, or what is left of one whose row cannot be read.
package typealias FoundChange = Result<Authenticated<OpenChange>, DamagedChange>

/// An open change whose row is not what can have been written, with what of it can still be read.
package struct DamagedChange: Error, Sendable, Hashable {
    package let id: ChangeID?
    package let organization: OrganizationID?
    package let account: AccountID?
    package let dateOpened: Timestamp?
    /// Where the damage is.
    package let what: String

    package init(
        id: ChangeID?, organization: OrganizationID?, account: AccountID?, dateOpened: Timestamp?, what: String
    ) {
        self.id = id
        self.organization = organization
        self.account = account
        self.dateOpened = dateOpened
        self.what = what
    }
}

/// Turns that are not over.
package enum SecretChanges {
    /// Refused (`.constraint(.unique, …)`) while another change of the account or of the same user on the target is open.
    package static func insert(_ row: Authenticated<OpenChange>, on connection: any SQLConnection) throws {
        let value = row.value
        try References.require(
            "SELECT 1 FROM accounts WHERE org_id = ? AND id = ?", value.account, in: value.organization,
            "secret_changes.account_id", on: connection)
        try connection.execute(
            """
            INSERT INTO secret_changes (
                id, org_id, account_id, asset_id, identity, stage, not_before, fields, date_opened, date_updated, mac)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(value.id), .id(value.organization), .id(value.account), .id(value.asset), .blob(value.identity),
                .text(value.stage.rawValue), .time(value.memory.notBefore), .list(value.fields), .time(value.dateOpened),
                .time(value.dateUpdated), .blob(row.mac),
            ])
    }

    /// Writes stage and memory; false if the change is not open any more.
    package static func update(_ row: Authenticated<OpenChange>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            """
            UPDATE secret_changes SET stage = ?, not_before = ?, fields = ?, date_updated = ?, mac = ?
            WHERE org_id = ? AND id = ? AND account_id = ?
            """,
            [
                .text(value.stage.rawValue), .time(value.memory.notBefore), .list(value.fields), .time(value.dateUpdated),
                .blob(row.mac), .id(value.organization), .id(value.id), .id(value.account),
            ]) > 0
    }

    /// Writes of which user of which system it is; false if the change is not open any more. Refused like an insertion while another
    /// change of the same user is open.
    package static func move(_ row: Authenticated<OpenChange>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        let moved = try connection.execute(
            "UPDATE secret_changes SET identity = ? WHERE org_id = ? AND id = ? AND account_id = ?",
            [.blob(value.identity), .id(value.organization), .id(value.id), .id(value.account)])
        return try moved > 0 && update(row, on: connection)
    }

    /// Open changes of other accounts whose user has the same name, on whatever system and in whatever organization. Global.
    ///
    /// - Parameter user: the last bytes of a canonical form.
    package static func others(
        than account: AccountID, endingWith user: [UInt8], on connection: any SQLConnection
    ) throws -> [(asset: AssetID, organization: OrganizationID, identity: [UInt8])] {
        let length = Int64(user.count)
        return try connection.query(
            """
            SELECT asset_id, org_id, identity FROM secret_changes
            WHERE account_id <> ? AND length(identity) >= ? AND substr(identity, length(identity) - ? + 1) = ?
            """,
            [.id(account), .integer(length), .integer(length), .blob(user)]
        ) { (asset: try $0.id(0), organization: try $0.id(1), identity: try $0.blob(2)) }
    }

    /// False if there was none.
    @discardableResult
    package static func delete(_ id: ChangeID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM secret_changes WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    package static func get(
        _ id: ChangeID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<OpenChange>? {
        var query = selection
        query.append("WHERE org_id = ? AND id = ?", [.id(organization), .id(id)])
        return try connection.first(query) { try decode($0) }
    }

    package static func of(
        _ account: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<OpenChange>? {
        var query = selection
        query.append("WHERE org_id = ? AND account_id = ?", [.id(organization), .id(account)])
        return try connection.first(query) { try decode($0) }
    }

    /// Every open change of an asset's accounts, also one that cannot be read.
    package static func on(
        _ asset: AssetID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [FoundChange] {
        var query = selection
        query.append("WHERE org_id = ? AND asset_id = ? ORDER BY id", [.id(organization), .id(asset)])
        return try connection.query(query) { try found($0) }
    }

    /// The open change of an account, also one that cannot be read.
    package static func found(
        of account: AccountID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> FoundChange? {
        var query = selection
        query.append("WHERE org_id = ? AND account_id = ?", [.id(organization), .id(account)])
        return try connection.first(query) { try found($0) }
    }

    /// Gives up the open change of an account.
    package static func delete(of account: AccountID, in organization: OrganizationID, on connection: any SQLConnection) throws {
        try connection.execute(
            "DELETE FROM secret_changes WHERE org_id = ? AND account_id = ?", [.id(organization), .id(account)])
    }

    /// Gives up every open change of an asset's accounts.
    package static func delete(on asset: AssetID, in organization: OrganizationID, on connection: any SQLConnection) throws {
        try connection.execute(
            "DELETE FROM secret_changes WHERE org_id = ? AND asset_id = ?", [.id(organization), .id(asset)])
    }

    /// Every open change that does not wait beyond the moment, of every organization, those that waited longest first. Global.
    ///
    /// One that cannot be read takes none of the others with it.
    package static func due(at moment: Timestamp, limit: Int64, on connection: any SQLConnection) throws -> [FoundChange] {
        var query = selection
        query.append(
            "WHERE not_before IS NULL OR not_before <= ? ORDER BY COALESCE(not_before, date_updated), id LIMIT ?",
            [.time(moment), .integer(limit)])
        return try connection.query(query) { try found($0) }
    }

    /// The open changes of one asset that do not wait beyond the moment, as `due` has them. Global.
    package static func due(
        on asset: AssetID, at moment: Timestamp, limit: Int64, on connection: any SQLConnection
    ) throws -> [FoundChange] {
        var query = selection
        query.append(
            """
            WHERE asset_id = ? AND (not_before IS NULL OR not_before <= ?)
            ORDER BY COALESCE(not_before, date_updated), id LIMIT ?
            """,
            [.id(asset), .time(moment), .integer(limit)])
        return try connection.query(query) { try found($0) }
    }

    /// The assets that have open changes which do not wait beyond the moment, those that waited longest first; nil for what is no number of
    /// an asset. Global.
    package static func assetsDue(at moment: Timestamp, on connection: any SQLConnection) throws -> [AssetID?] {
        try connection.query(
            """
            SELECT asset_id FROM secret_changes WHERE not_before IS NULL OR not_before <= ?
            GROUP BY asset_id ORDER BY MIN(COALESCE(not_before, date_updated)), asset_id
            """,
            [.time(moment)]
        ) { row -> AssetID? in try? row.id(0) }
    }

    /// Every open change, by pages in the order of ids, from the bytes of one on; one that cannot be read takes none of the others with it,
    /// and its place is what stands there, whether or not that is an id. Nil at the end. Global.
    package static func found(
        after id: [UInt8]?, limit: Int64, on connection: any SQLConnection
    ) throws -> (rows: [FoundChange], next: [UInt8]?) {
        var query = selection
        query.append("WHERE id > ? ORDER BY id LIMIT ?", [.blob(id ?? []), .integer(limit)])
        var last: [UInt8]?
        let rows = try connection.query(query) { row -> FoundChange in
            last = try row.blob(0)
            return try found(row)
        }
        return (rows, rows.count == Int(clamping: limit) ? last : nil)
    }

    /// Every open change, by pages in the order of ids. Global.
    package static func page(
        after id: ChangeID?, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<OpenChange>] {
        var query = selection
        query.append("WHERE id > ? ORDER BY id LIMIT ?", [.id(id ?? ChangeID(high: 0, low: 0)), .integer(limit)])
        return try connection.query(query) { try decode($0) }
    }

    /// When the next open change is due; nil if none is open. Global.
    package static func nextDue(on connection: any SQLConnection) throws -> Timestamp? {
        try connection.first(
            "SELECT COALESCE(not_before, date_updated) FROM secret_changes ORDER BY COALESCE(not_before, date_updated) LIMIT 1",
            []
        ) { try $0.time(0) }
    }

    /// How many turns are open and in doubt, and since when the oldest is. Global.
    package static func uncertain(on connection: any SQLConnection) throws -> (count: Int64, since: Timestamp?) {
        let found = try connection.first(
            "SELECT COUNT(*), MIN(date_opened) FROM secret_changes WHERE stage = 'uncertain'", []
        ) { (try $0.integer(0), try $0.timeOrNil(1)) }
        return found.map { (count: $0.0, since: $0.1) } ?? (0, nil)
    }

    /// The open changes of some accounts, also those that cannot be read.
    package static func found(
        of accounts: [AccountID], in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [AccountID: FoundChange] {
        var all: [AccountID: FoundChange] = [:]
        for start in stride(from: 0, to: accounts.count, by: 500) {
            var query = selection
            query.append("WHERE org_id = ? AND account_id IN", [.id(organization)])
            query.append(listOf: accounts[start..<min(start + 500, accounts.count)].map { .id($0) })
            for change in try connection.query(query, { (account: try $0.id(2, of: Account.self), found: try found($0)) }) {
                all[change.account] = change.found
            }
        }
        return all
    }

    private static let selection = SQLQuery(
        """
        SELECT id, org_id, account_id, asset_id, identity, stage, not_before, fields, date_opened, date_updated, mac
        FROM secret_changes
        """)

    private static func found(_ row: borrowing SQLRow) throws -> FoundChange {
        do {
            return .success(try decode(row))
        } catch StorageFault.corrupt(let what) {
            return .failure(
                DamagedChange(
                    id: try? row.id(0), organization: try? row.id(1), account: try? row.id(2), dateOpened: try? row.time(8),
                    what: what))
        }
    }

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<OpenChange> {
        guard let read = OpenChange.read(try row.texts(7), notBefore: try row.timeOrNil(6)) else { throw row.fault(7) }
        return Authenticated(
            value: OpenChange(
                id: try row.id(0), organization: try row.id(1), account: try row.id(2), asset: try row.id(3),
                identity: try row.blob(4), kind: read.kind, plan: read.plan, request: read.request, old: read.old,
                startedBy: read.startedBy, dateOpened: try row.time(8), stage: try row.value(5), memory: read.memory,
                dateUpdated: try row.time(9)),
            mac: try row.blob(10))
    }
}
