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
        var late: [OpenChange] = []
        var last: ChangeID?
        while true {
            let after = last
            let page = try await database.read { db in try SecretChanges.page(after: after, limit: 500, on: db) }
            guard let end = page.last else { break }
            last = end.value.id
            for row in page where row.value.stage == .uncertain {
                count += 1
                oldest = min(oldest, row.value.dateOpened)
                // A row that is not what was stored is in doubt all the same; nobody is told what it says.
                if row.value.dateOpened <= limit, let change = try? keys.verified(row) { late.append(change) }
            }
        }
        meter.set(doubts: count, oldest: max(0, (now.milliseconds - oldest.milliseconds) / 1000))
        for change in late { try await tell(change, keys, now) }
        let open = Set(late.map(\.id))
        logged.withLock { $0.formIntersection(open) }
        return late.map(\.id)
    }

    private func tell(_ change: OpenChange, _ keys: RowKeys, _ now: Timestamp) async throws {
        if logged.withLock({ $0.insert(change.id).inserted }) {
            logger.warning(
                "it is not known which secret of an account is live",
                metadata: ["account": "\(change.account)", "change": "\(change.id)"])
        }
        try await database.write { [outbox] db in
            let account = try Accounts.get(change.account, in: change.organization, on: db)?.value.name ?? "\(change.account)"
            let asset = try Assets.get(change.asset, in: change.organization, on: db)?.value.name ?? "\(change.asset)"
            let notice = try Self.notice(change, account, asset, Self.recipients(of: change, keys, db))
            try outbox.put(notice, occasion: "change.uncertain \(change.id)", with: keys, at: now, on: db)
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

    private static func notice(
        _ change: OpenChange, _ account: String, _ asset: String, _ recipients: [EmailAddress]
    ) throws -> Outbox.Notice {
        let doubt = change.memory.doubt
        let text = """
            It is not known which secret of the account \(account) on \(asset) is live.
            The vault holds every one that may be, and goes on finding out.
            Since \(WireDate.format(change.dateOpened))
            Reason: \(doubt?.reason.rawValue ?? "interrupted") \(doubt?.words ?? "")
            Change \(change.id)

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
