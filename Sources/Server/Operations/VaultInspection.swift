internal import Cryptography
internal import Domain
package import Sealing
package import Storage

/// Opens every sealed value of a vault and checks every row's authentication code, and says how many there were.
///
/// For restoring and for proof; it changes nothing. It fails at the first thing that does not open, and names it.
package struct VaultInspection: Sendable {
    /// What was found good.
    package struct Findings: Sendable, Equatable {
        /// Rows whose code is their own.
        package var rows: Int64 = 0
        /// Sealed values that opened.
        package var secrets: Int64 = 0
    }

    private let database: Database
    private let keyring: Keyring
    private let pageRows: Int64 = 500

    package init(database: Database, keyring: Keyring) {
        self.database = database
        self.keyring = keyring
    }

    /// Blocks as long as it takes, in short read transactions.
    package func run() throws -> Findings {
        var findings = Findings()
        let keys = try keyring.keys()
        let organizations = try read { db, pass in try pass.rows(Organizations.all(on: db)) }
        try add(organizations.1, to: &findings)
        var totals = RowTotals()
        for organization in organizations.0 { try inspect(organization.id, keys, &findings, &totals) }
        try add(read { db, pass in try pass.global(db) }.1, to: &findings)
        let stored = try database.readSync { try RowTotals(on: $0) }
        guard totals == stored else { throw StorageFault.corrupt("rows that name no organization that there is") }
        return findings
    }

    private func inspect(
        _ organization: OrganizationID, _ keys: KeySet, _ findings: inout Findings, _ totals: inout RowTotals
    ) throws {
        let fixed = try read { db, pass in
            let nodes = try pass.rows(Nodes.all(in: organization, on: db)).count
            let labels = try pass.rows(Labels.all(in: organization, on: db)).count
            return (nodes, labels, try pass.rows(Zones.all(in: organization, on: db)).count)
        }
        totals.nodes += Int64(fixed.0.0)
        totals.labels += Int64(fixed.0.1)
        totals.zones += Int64(fixed.0.2)
        try add(fixed.1, to: &findings)
        totals.assets += try pages(&findings) { (last: AssetID?, db, pass) in
            try pass.rows(Assets.page(after: last, in: organization, limit: pageRows, on: db)).map(\.id)
        }
        totals.accounts += try pages(&findings) { (last: AccountID?, db, pass) in
            let accounts = try pass.rows(Accounts.page(after: last, in: organization, limit: pageRows, on: db))
            for account in accounts { try pass.stages(of: account, db) }
            return accounts.map(\.id)
        }
        totals.versions += try pages(&findings) { (last: VersionPlace?, db, pass) in
            let versions = try SecretVersions.page(
                after: last.map { ($0.account, $0.number) }, in: organization, limit: pageRows, on: db)
            for version in versions { try pass.open(version) }
            return versions.map { VersionPlace(account: $0.account, number: $0.number) }
        }
        totals.tasks += try pages(&findings) { (last: AutomationTaskID?, db, pass) in
            let tasks = try pass.rows(AutomationTasks.page(after: last, in: organization, limit: pageRows, on: db))
            for task in tasks {
                if let secret = task.secret { try pass.open(secret, at: .taskSecret(task.id, in: organization)) }
            }
            return tasks.map(\.id)
        }
        totals.executions += try pages(&findings) { (last: ExecutionID?, db, pass) in
            try pass.rows(Executions.page(after: last, in: organization, limit: pageRows, on: db)).map(\.id)
        }
        totals.records += try pages(&findings) { (last: RecordID?, db, pass) in
            try pass.rows(Records.page(after: last, in: organization, limit: pageRows, on: db)).map(\.id)
        }
    }

    private struct VersionPlace: Sendable {
        let account: AccountID
        let number: Int64
    }

    /// Goes through a table page by page; the closure gives back the place of each row. Returns how many there were.
    private func pages<Place: Sendable>(
        _ findings: inout Findings, _ page: @escaping @Sendable (Place?, any SQLConnection, inout Pass) throws -> [Place]
    ) throws -> Int64 {
        var last: Place?
        var count: Int64 = 0
        while true {
            let place = last
            let (places, found) = try read { db, pass in try page(place, db, &pass) }
            try add(found, to: &findings)
            count += Int64(places.count)
            guard let end = places.last else { return count }
            last = end
        }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection, inout Pass) throws -> Value
    ) throws -> (Value, Findings) {
        let keyring = keyring
        return try database.readSync { db in
            var pass = Pass(keyring: keyring, keys: try keyring.keys(), workspace: try SealingWorkspace())
            let value = try body(db, &pass)
            return (value, pass.findings)
        }
    }

    private func add(_ found: Findings, to findings: inout Findings) throws {
        findings.rows += found.rows
        findings.secrets += found.secrets
    }
}

/// The checks of one read transaction.
private struct Pass {
    let keyring: Keyring
    let keys: KeySet
    let workspace: SealingWorkspace
    var findings = VaultInspection.Findings()

    mutating func rows<Row: RowAuthenticated>(_ stored: [Authenticated<Row>]) throws -> [Row] {
        findings.rows += Int64(stored.count)
        return try stored.map { try keys.verified($0, with: workspace) }
    }

    mutating func open(_ sealed: Sealed, at place: Place) throws {
        let secret = try keys.open(sealed, at: place, with: workspace)
        _ = secret.count
        findings.secrets += 1
    }

    mutating func open(_ version: SecretVersion) throws {
        try open(version.secret, at: .accountSecret(version.account, version: version.number, in: version.organization))
        guard let fingerprint = version.fingerprint else { return }
        try open(fingerprint, at: .accountFingerprint(version.account, version: version.number, in: version.organization))
    }

    /// What an account's row calls current, pending or previous must be there.
    func stages(of account: Account, _ db: any SQLConnection) throws {
        for number in [account.stages.current, account.stages.pending, account.stages.previous].compactMap({ $0 }) {
            guard try SecretVersions.get(number, of: account.id, in: account.organization, on: db) != nil else {
                throw StorageFault.corrupt("version \(number) of account \(account.id) is missing")
            }
        }
    }

    /// What belongs to no organization, and the few rows that are kept in memory as a whole anyway.
    mutating func global(_ db: any SQLConnection) throws {
        _ = try rows(Applications.everywhere(on: db))
        for credential in try rows(Credentials.everywhere(on: db)) {
            try open(credential.secret, at: .credentialSecret(credential.id, in: credential.organization))
        }
        var offset: Int64 = 0
        while true {
            let page = try Users.list(ListRequest(offset: offset, limit: 200), on: db).rows
            for user in try rows(page) {
                try open(user.password, at: .userPassword(user.id))
                _ = try rows(Sessions.all(of: user.id, on: db))
            }
            if page.isEmpty { break }
            offset += Int64(page.count)
        }
        _ = try rows(Settings.all(on: db))
        _ = try AuditKey.load(keyring: keyring, in: db)
        findings.secrets += 1
    }
}
