package import Access
package import Domain
package import Logging
package import Notifications
package import Storage
internal import Synchronization

/// Watches for changes of which it is not known for too long what became of them, and tells of each once.
package final class DoubtAlert: Sendable {
    private let database: Database
    private let keys: RowKeeper
    private let outbox: Outbox
    private let meter: AutomationMeter
    private let patience: Duration
    private let clock: WallClock
    private let logger: Logger
    /// What the log was told by this process.
    private let logged = Mutex<Set<ChangeID>>([])
    /// Damaged changes that were told of by this process, also those that have no number any more.
    private let damaged = Mutex<Set<DamagedChange>>([])

    /// - Parameter patience: how long a doubt may last before somebody is told.
    package init(
        database: Database, keys: RowKeeper, outbox: Outbox, meter: AutomationMeter, after patience: Duration, clock: WallClock,
        logger: Logger
    ) {
        self.database = database
        self.keys = keys
        self.outbox = outbox
        self.meter = meter
        self.patience = patience
        self.clock = clock
        self.logger = logger
    }

    /// Looks at every open change once; returns those of which somebody is to be told.
    @discardableResult
    package func look() async throws -> [ChangeID] {
        guard let keys = try? keys.keys() else { return [] }
        let now = clock.now()
        let limit = now.adding(seconds: -patience.components.seconds)
        var (count, oldest) = (Int64(0), now)
        var (late, broken): ([OpenChange], [DamagedChange]) = ([], [])
        for found in try await open() {
            // A row that is not what was stored is in doubt all the same; nobody is told what it says.
            switch Self.verified(found, keys) {
            case .failure(let damage):
                count += 1
                oldest = min(oldest, damage.dateOpened ?? now)
                broken.append(damage)
            case .success(let change) where change.stage == .uncertain:
                count += 1
                oldest = min(oldest, change.dateOpened)
                // For what waits for a person nobody has patience.
                if change.dateOpened <= limit || Self.waitsForPerson(change) { late.append(change) }
            case .success: break
            }
        }
        meter.set(doubts: count, oldest: max(0, (now.milliseconds - oldest.milliseconds) / 1000))
        for change in late { try await tell(change, keys, now) }
        try await tell(broken, keys, now)
        let open = Set(late.map(\.id))
        logged.withLock { $0.formIntersection(open) }
        return late.map(\.id)
    }

    /// Whether it does not settle by itself, for another account stands where it belongs.
    private static func waitsForPerson(_ change: OpenChange) -> Bool { change.memory.doubt?.reason == .sameTarget }

    private static func verified(_ found: FoundChange, _ keys: RowKeys) -> Result<OpenChange, DamagedChange> {
        found.flatMap { row in
            guard let change = try? keys.verified(row) else { return .failure(DamagedChange(row.value)) }
            return .success(change)
        }
    }

    /// Every open change, whether or not it can be read.
    private func open() async throws -> [FoundChange] {
        var all: [FoundChange] = []
        var last: [UInt8]?
        repeat {
            let after = last
            let page = try await database.read { db in try SecretChanges.found(after: after, limit: 500, on: db) }
            all += page.rows
            last = page.next
        } while last != nil
        return all
    }

    /// At once and without patience: nothing settles by itself what cannot be read.
    private func tell(_ broken: [DamagedChange], _ keys: RowKeys, _ now: Timestamp) async throws {
        let new = damaged.withLock { known in
            known.formIntersection(broken)
            return broken.filter { !known.contains($0) }
        }
        for change in new {
            let name = change.id.map { "\($0)" } ?? "without a number"
            let account = change.account.map { "\($0)" } ?? "unknown"
            let text = """
                The open change \(name) is damaged: \(change.what).
                Nothing is sent because of it, and its account (\(account)) cannot be changed until somebody forces it.
                The vault holds every secret that may be live.

                """
            let notice = Outbox.Notice(
                event: "change.damaged", organization: change.organization ?? .system,
                subject: "Keyturn: an open change is damaged - \(name)", text: text,
                facts: [("change", name), ("account", account), ("what", change.what)], recipients: [])
            try await database.write { [outbox] db in
                try outbox.put(notice, occasion: "change.damaged \(name) \(account)", with: keys, at: now, on: db)
            }
            damaged.withLock { _ = $0.insert(change) }
        }
    }

    private func tell(_ change: OpenChange, _ keys: RowKeys, _ now: Timestamp) async throws {
        if logged.withLock({ $0.insert(change.id).inserted }) {
            logger.warning(
                "it is not known which secret of an account is live",
                metadata: ["account": "\(change.account)", "change": "\(change.id)"])
        }
        try await database.write { [outbox] db in
            // A row that is damaged has no name; of the doubt somebody is told all the same.
            let account = (try? Accounts.get(change.account, in: change.organization, on: db))?.value.name ?? "\(change.account)"
            let asset = (try? Assets.get(change.asset, in: change.organization, on: db))?.value.name ?? "\(change.asset)"
            // Of a task that is damaged nobody is known; whoever has a channel is told all the same.
            let recipients = (try? Self.recipients(of: change, keys, db)) ?? []
            let notice = try Self.notice(change, account, asset, recipients)
            // Who was told of the doubt is told again when it comes to that.
            let occasion = "change.uncertain \(change.id)" + (Self.waitsForPerson(change) ? " same_target" : "")
            try outbox.put(notice, occasion: occasion, with: keys, at: now, on: db)
        }
    }

    /// Whoever gets the results of the task that asked for the change.
    private static func recipients(of change: OpenChange, _ keys: RowKeys, _ db: any SQLConnection) throws -> [EmailAddress] {
        guard let record = try Records.get(change.id.retyped(), in: change.organization, on: db),
            let execution = try Executions.get(record.value.execution, in: change.organization, on: db),
            let id = execution.value.task, let task = try AutomationTasks.get(id, in: change.organization, on: db)
        else { return [] }
        return try keys.verified(task).recipients.compactMap { EmailAddress($0) }
    }

    private static let blocked = "It goes on when that other account is deleted from the vault, or when somebody forces it.\n"

    private static func notice(
        _ change: OpenChange, _ account: String, _ asset: String, _ recipients: [EmailAddress]
    ) throws -> Outbox.Notice {
        let doubt = change.memory.doubt
        let question =
            change.kind == .remove
            ? "It is not known whether the account \(account) is still on \(asset).\nThe vault holds its secrets, and goes on finding out."
            : "It is not known which secret of the account \(account) on \(asset) is live.\n"
                + "The vault holds every one that may be, and goes on finding out."
        let text = """
            \(question)
            Since \(WireDate.format(change.dateOpened))
            Reason: \(doubt?.reason.rawValue ?? "interrupted") \(doubt?.words ?? "")
            \(waitsForPerson(change) ? blocked : "")Change \(change.id)

            """
        let facts: [(name: String, value: String)] = [
            ("change", "\(change.id)"), ("account", "\(change.account)"), ("account_name", account),
            ("asset", "\(change.asset)"), ("asset_name", asset), ("since", WireDate.formatISO(change.dateOpened)),
            ("reason", doubt?.reason.rawValue ?? ""),
        ]
        return Outbox.Notice(
            event: "change.uncertain", organization: change.organization, subject: "Keyturn: in doubt - \(account) on \(asset)",
            text: text, facts: facts, recipients: recipients)
    }
}
