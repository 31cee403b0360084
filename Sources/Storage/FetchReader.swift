package import Domain

/// What one secret fetch reads: an account with its asset and its current secret, all still to be authenticated.
package struct FetchRow: Sendable {
    package let account: Authenticated<Account>
    package let asset: Authenticated<Asset>
    /// The version that the account's stages call current; nil where there is none.
    package let secret: FetchSecret?
    /// All of it as it is stored, to the byte: rows of the same image are the same.
    package let image: [UInt8]
}

/// A sealed secret with what its opening needs.
package struct FetchSecret: Sendable, Hashable {
    package var number: Int64
    package var type: SecretType
    package var secret: Sealed
    package var dateCreated: Timestamp
}

/// Reads what secret fetches need, on the one thread that made it: a connection of its own, statements prepared once, and one
/// read transaction for all fetches of a cycle (measured: one each costs 12 %).
package final class FetchReader {
    private let connection: SQLiteConnection
    private let byNames: SQLiteStatement
    private let byAsset: SQLiteStatement
    private let byAccount: SQLiteStatement
    private let version: SQLiteStatement
    private let commits: CommitCount
    private var isReading = false
    /// The state that this cycle reads; nil until it is asked for.
    private var cycle: State?

    /// Names a state of the database: as long as it stays the same, everything read is as it was.
    package struct State: Equatable {
        /// Write transactions of this process.
        fileprivate let commits: UInt64
        /// SQLite's own count, which other processes' transactions change too (`PRAGMA data_version`).
        fileprivate let version: Int64
    }

    fileprivate init(_ connection: SQLiteConnection, commits: CommitCount) throws(StorageFault) {
        self.connection = connection
        self.commits = commits
        version = try connection.prepare("PRAGMA data_version")
        byNames = try connection.prepare(
            Self.statement("WHERE a.org_id = ? AND a.name = ? AND c.name = ? AND c.org_id = a.org_id"))
        byAsset = try connection.prepare(Self.statement("WHERE a.org_id = ? AND a.id = ? AND c.name = ? AND c.org_id = a.org_id"))
        byAccount = try connection.prepare(Self.statement("WHERE c.org_id = ? AND c.id = ? AND a.org_id = c.org_id"))
    }

    /// Opens the cycle's read transaction unless it is open; what is read until `endCycle` is of one moment.
    package func beginIfNeeded() throws(StorageFault) {
        if isReading { return }
        try connection.begin()
        isReading = true
    }

    /// The state that is read now. A write of this process that ended meanwhile ends the cycle first, so that no answer is older than a
    /// change that somebody was told of.
    package func state() throws(StorageFault) -> State {
        let count = commits.value
        if let cycle, cycle.commits == count { return cycle }
        endCycle()
        defer { version.reset() }
        guard try version.step() else { throw .corrupt("data_version") }
        let state = State(commits: count, version: try SQLRow(version.handle).integer(0))
        cycle = state
        return state
    }

    /// Closes the cycle's read transaction, so that the next cycle sees what was written meanwhile.
    package func endCycle() {
        cycle = nil
        if !isReading { return }
        isReading = false
        do { try connection.commit() } catch { connection.rollback() }
    }

    /// The accounts of that name on the asset of that name; the names are UTF-8 and compared byte by byte.
    ///
    /// Here as below, a row that is stored as one of the `known` is is that one, without being decoded.
    package func accounts(
        in organization: OrganizationID, assetName: UnsafeRawBufferPointer, accountName: UnsafeRawBufferPointer,
        known: [FetchRow] = []
    ) throws(StorageFault) -> [FetchRow] {
        try beginIfNeeded()
        defer { byNames.reset() }
        try byNames.bind(organization, at: 1)
        try byNames.bind(text: assetName, at: 2)
        try byNames.bind(text: accountName, at: 3)
        return try Self.rows(byNames, known)
    }

    /// The accounts of that name on the asset of that id.
    package func accounts(
        in organization: OrganizationID, asset: AssetID, accountName: UnsafeRawBufferPointer, known: [FetchRow] = []
    ) throws(StorageFault) -> [FetchRow] {
        try beginIfNeeded()
        defer { byAsset.reset() }
        try byAsset.bind(organization, at: 1)
        try byAsset.bind(asset, at: 2)
        try byAsset.bind(text: accountName, at: 3)
        return try Self.rows(byAsset, known)
    }

    /// The account of that id; nil if there is none in the organization.
    package func account(
        in organization: OrganizationID, id: AccountID, known: [FetchRow] = []
    ) throws(StorageFault) -> FetchRow? {
        try beginIfNeeded()
        defer { byAccount.reset() }
        try byAccount.bind(organization, at: 1)
        try byAccount.bind(id, at: 2)
        return try Self.rows(byAccount, known).first
    }
}

// MARK: - Statement and rows

extension FetchReader {
    private static func statement(_ condition: StaticString) -> String {
        var query = Accounts.selection
        query.append(",")
        query.append(Assets.columns)
        query.append(
            """
            , v.number, v.secret_type, v.secret, v.date_created
            FROM assets a JOIN accounts c ON c.asset_id = a.id
            LEFT JOIN secret_versions v ON v.account_id = c.id AND v.number = c.current_version AND v.org_id = c.org_id
            """)
        query.append(condition)
        return query.text
    }

    private static func rows(_ statement: SQLiteStatement, _ known: [FetchRow]) throws(StorageFault) -> [FetchRow] {
        var rows: [FetchRow] = []
        while try statement.step() {
            let row = SQLRow(statement.handle)
            let image = row.image
            if let same = known.first(where: { $0.image == image }) {
                rows.append(same)
            } else {
                rows.append(try decode(row, image))
            }
        }
        return rows
    }

    private static func decode(_ row: borrowing SQLRow, _ image: [UInt8]) throws(StorageFault) -> FetchRow {
        let start = Accounts.columnCount + Assets.columnCount
        var secret: FetchSecret?
        if !row.isNull(start) {
            secret = FetchSecret(
                number: try row.integer(start), type: try row.value(start + 1), secret: try row.sealed(start + 2),
                dateCreated: try row.time(start + 3))
        }
        return FetchRow(
            account: try Accounts.decode(row), asset: try Assets.decode(row, from: Accounts.columnCount), secret: secret,
            image: image)
    }
}

extension Database {
    /// A reader for one thread of the hot path.
    ///
    /// The cache holds the pages that are fetched often. With 1,000,000 accounts fetched at random, 64 MiB were no faster than 16,
    /// and mapped memory was no faster either but counted with the whole file.
    package func makeFetchReader(cacheKibibytes: Int = 32 * 1024) throws(StorageFault) -> FetchReader {
        try FetchReader(try confinedConnection(writable: false, cacheKibibytes: cacheKibibytes), commits: commits)
    }
}
