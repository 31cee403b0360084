internal import Cryptography
package import Domain
internal import Glibc
internal import Storage

/// Replaces the key-encryption key: a new one wraps the data keys and authenticates the rows, and the former ones are destroyed.
///
/// Every step is durable by itself and opens with what the step before left, so a crash anywhere costs nothing: run again, it goes on
/// where it was. What the data keys sealed stays as it is.
package struct Rekey: Sendable {
    /// What is durable when each step is done.
    package enum Step: String, Sendable, CaseIterable {
        /// A new key-encryption key is the active one; the former ones still open.
        case activated
        /// Every data key is wrapped by it.
        case rewrapped
        /// Every row carries a code made with it.
        case authenticated
        /// The former keys are gone.
        case retired
    }

    /// What was done, this time.
    package struct Report: Sendable, Equatable {
        /// Number of the key that is active now.
        package var key: Int64 = 0
        package var dataKeys: Int64 = 0
        package var rows: Int64 = 0
        /// Open changes whose rows are damaged, with their accounts. They are left as they are: nothing was ever sent because of them, and
        /// nothing will be, until somebody gives each up by force.
        package var damaged: [String] = []
        /// Whether it went on where an earlier one was cut off.
        package var isResumed = false
    }

    private let keyring: Keyring
    private let unsealer: any Unsealer
    private let clock: WallClock
    private let grace: Duration
    private let reached: @Sendable (Step) throws -> Void
    private let chunk = 100

    /// - Parameters:
    ///   - unsealer: opens the root key, which is not kept in memory.
    ///   - grace: for how long work that began with the former keys may go on before rows get codes that those do not know.
    ///   - reached: is told of each step, so that tests can end there what a power cut would end.
    package init(
        _ keyring: Keyring, openedBy unsealer: any Unsealer, clock: WallClock = .system, grace: Duration = .seconds(1),
        reached: @escaping @Sendable (Step) throws -> Void = { _ in }
    ) {
        self.keyring = keyring
        self.unsealer = unsealer
        self.clock = clock
        self.grace = grace
        self.reached = reached
    }

    /// Begins, or goes on with one that was cut off. The vault is unsealed. In short transactions; blocks.
    ///
    /// - Parameter request: is marked as a change that was made, in the last transaction.
    package func run(marking request: RequestID) throws -> Report {
        var report = Report()
        report.isResumed = try keyring.database.readSync { try KeyringKeys.all(on: $0).count } > 1
        if !report.isResumed { try activate() }
        try keyring.reopen(with: unsealer)
        report.key = Int64(try keyring.keys().activeNumber)
        try reached(.activated)
        let (seconds, attoseconds) = grace.components
        usleep(UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
        report.dataKeys = try rewrap()
        try reached(.rewrapped)
        (report.rows, report.damaged) = try authenticate()
        try reached(.authenticated)
        try retire(request)
        try keyring.reopen(with: unsealer)
        try reached(.retired)
        return report
    }

    private func activate() throws {
        let (unsealer, now) = (unsealer, clock.now())
        try keyring.database.writeSync { db in
            let root = try Stored.root(of: KeySlots.all(on: db), with: unsealer)
            let former = try KeyringKeys.all(on: db)
            guard let last = former.map(\.number).max(), let number = UInt32(exactly: last)?.advanced(by: 1), number < .max else {
                throw SealingFault.exhausted
            }
            for var key in former {
                key.state = .open
                _ = try KeyringKeys.update(key, on: db)
            }
            let wrapped = try KeyWrap.keyringKey(number: number).wrap(SymmetricKey.random(), under: root)
            try KeyringKeys.insert(
                KeyringKey(number: Int64(number), wrappedKey: wrapped, state: .active, dateCreated: now), on: db)
        }
    }

    private func rewrap() throws -> Int64 {
        let (keyring, chunk) = (keyring, chunk)
        var count: Int64 = 0
        while true {
            let done = try keyring.database.writeSync { db in
                let keys = try keyring.keys()
                let rows = try DataKeys.page(notUnder: Int64(keys.activeNumber), limit: chunk, on: db)
                for row in rows { try keys.rewrap(row, on: db) }
                return rows.count
            }
            if done == 0 { return count }
            count += Int64(done)
        }
    }

    /// Former keys that nothing is under any more are destroyed, all or none.
    private func retire(_ request: RequestID) throws {
        let (keyring, now) = (keyring, clock.now())
        try keyring.database.writeSync { db in
            let active = Int64(try keyring.keys().activeNumber)
            for key in try KeyringKeys.all(on: db) where key.number != active { _ = try KeyringKeys.delete(key.number, on: db) }
            try ChangeMarks.insert(request, at: now, on: db)
        }
    }
}

// MARK: - Rows

extension Rekey {
    /// Goes through all rows until there is none with a code of a former key. Rows that come meanwhile have codes of the active one.
    private func authenticate() throws -> (rows: Int64, damaged: [String]) {
        var count: Int64 = 0
        while true {
            let (done, damaged) = try pass()
            if done == 0 { return (count, damaged) }
            count += done
        }
    }

    private func pass() throws -> (rows: Int64, damaged: [String]) {
        var count: Int64 = 0
        let organizations = try keyring.database.readSync { try Organizations.all(on: $0).map(\.value.id) }
        count += try remake { try Organizations.all(on: $0) }
        for organization in organizations {
            count += try remake { try Nodes.all(in: organization, on: $0) }
            count += try remake { try Labels.all(in: organization, on: $0) }
            count += try remake { try Zones.all(in: organization, on: $0) }
            count += try pages { try Assets.page(after: $0, in: organization, limit: 100, on: $1) }
            count += try pages { try Accounts.page(after: $0, in: organization, limit: 100, on: $1) }
            count += try pages { try AssetTrusts.page(after: $0, in: organization, limit: 100, on: $1) }
            count += try pages { try AutomationTasks.page(after: $0, in: organization, limit: 100, on: $1) }
            count += try pages { try Executions.page(after: $0, in: organization, limit: 100, on: $1) }
            count += try pages { try Records.page(after: $0, in: organization, limit: 100, on: $1) }
        }
        count += try remake { try Applications.everywhere(on: $0) }
        count += try remake { try Credentials.everywhere(on: $0) }
        count += try remake { try Users.everyone(on: $0) }
        count += try remake { try Sessions.everyone(on: $0) }
        count += try remake { try Settings.all(on: $0) }
        count += try pages { try Deliveries.page(after: $0, limit: 100, on: $1) }
        let changes = try openChanges()
        return (count + changes.rows, changes.damaged)
    }

    /// A damaged one stands for an account that is left alone until somebody forces it. With the former key or without, its row is not what
    /// was stored: it must not keep that key alive, which may be the very one that is to be got rid of.
    private func openChanges() throws -> (rows: Int64, damaged: [String]) {
        var count: Int64 = 0
        var damaged: [String] = []
        var last: [UInt8]?
        repeat {
            let place = last
            let page = try keyring.database.readSync { db in try SecretChanges.found(after: place, limit: 100, on: db) }
            let judged = try page.rows.map { try judge($0) }
            count += try write(judged.compactMap(\.sound))
            damaged += judged.compactMap(\.damage)
            last = page.next
        } while last != nil
        return (count, damaged)
    }

    /// An open change: one that is what was stored, or the words for it.
    private struct JudgedChange {
        var sound: Authenticated<OpenChange>?
        var damage: String?
    }

    private func judge(_ found: FoundChange) throws -> JudgedChange {
        switch found {
        case .failure(let change):
            let id = change.id.map { "\($0)" } ?? "one without a number"
            return JudgedChange(damage: id + " of account " + (change.account.map { "\($0)" } ?? "?"))
        case .success(let row):
            let words = "\(row.value.id) of account \(row.value.account)"
            return try isAuthentic(row) ? JudgedChange(sound: row) : JudgedChange(damage: words)
        }
    }

    private func isAuthentic(_ row: Authenticated<OpenChange>) throws -> Bool {
        do {
            _ = try keyring.keys().verified(row, with: SealingWorkspace())
            return true
        } catch let fault as SealingFault {
            guard case .rowNotAuthentic = fault else { throw fault }
            return false
        }
    }

    /// - Parameter page: the rows after an id; `Entity` is what the ids are of, `Row` what the rows hold.
    private func pages<Entity, Row: RowAuthenticated>(
        _ page: @escaping @Sendable (Identifier<Entity>?, any SQLConnection) throws -> [Authenticated<Row>]
    ) throws -> Int64 {
        var last: Identifier<Entity>?
        var count: Int64 = 0
        while true {
            let place = last
            let rows = try keyring.database.readSync { db in try page(place, db) }
            guard let end = rows.last?.value.rowID, let id = Identifier<Entity>(bytes: end) else { return count }
            count += try write(rows)
            last = id
        }
    }

    private func remake<Row: RowAuthenticated>(
        _ all: @escaping @Sendable (any SQLConnection) throws -> [Authenticated<Row>]
    ) throws -> Int64 {
        let rows = try keyring.database.readSync { db in try all(db) }
        var count: Int64 = 0
        for start in stride(from: 0, to: rows.count, by: chunk) {
            count += try write(Array(rows[start..<min(start + chunk, rows.count)]))
        }
        return count
    }

    /// Gives new codes to those rows that have one of a former key; a row that somebody else changed meanwhile has one already.
    private func write<Row: RowAuthenticated>(_ rows: [Authenticated<Row>]) throws -> Int64 {
        let keys = try keyring.keys()
        let workspace = try SealingWorkspace()
        let codes = try rows.filter { !$0.mac.starts(with: keys.activeRowKey.prefix) }.map { row in
            // What does not verify must not be made good.
            let value = try keys.verified(row, with: workspace)
            return RowCode(id: value.rowID, former: row.mac, new: try keys.authenticated(value, with: workspace).mac)
        }
        guard !codes.isEmpty else { return 0 }
        try keyring.database.writeSync { db in try RowCode.replace(codes, of: Row.rowKind.rawValue, on: db) }
        return Int64(codes.count)
    }
}

extension KeySet {
    /// Stores a data key wrapped by the active key-encryption key.
    fileprivate func rewrap(_ row: Storage.DataKey, on db: any SQLConnection) throws {
        guard let number = UInt32(exactly: row.number), let former = UInt32(exactly: row.keyringNumber),
            let wrapping = keyEncryption[former], let active = keyEncryption[activeNumber]
        else { throw SealingFault.unknownKey("key \(row.keyringNumber) of the keyring") }
        let key = try KeyWrap.dataKey(organization: row.organization, number: number, encryption: former)
            .unwrap(row.wrappedKey, under: wrapping)
        var row = row
        row.keyringNumber = Int64(activeNumber)
        row.wrappedKey = try KeyWrap.dataKey(organization: row.organization, number: number, encryption: activeNumber)
            .wrap(key, under: active)
        guard try DataKeys.update(row, on: db) else { throw SealingFault.unknownKey("data key \(row.number)") }
    }
}
