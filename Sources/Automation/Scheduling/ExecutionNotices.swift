package import Access
package import Domain
package import Notifications
package import Storage

/// Tells of executions that are over by the outbox: mail to the task's recipients, and the webhook.
package struct ExecutionNotices: ExecutionOutbox {
    private let outbox: Outbox
    private let keys: RowKeeper
    private let clock: WallClock

    package init(_ outbox: Outbox, keys: RowKeeper, clock: WallClock) {
        self.outbox = outbox
        self.keys = keys
        self.clock = clock
    }

    package func put(_ result: ExecutionResult, to recipients: [String], on db: any SQLConnection) throws {
        try outbox.put(Self.notice(result, recipients), with: keys.keys(), at: clock.now(), on: db)
    }

    private static func notice(_ result: ExecutionResult, _ recipients: [String]) -> Outbox.Notice {
        let execution = result.execution
        let name = execution.taskName.isEmpty ? execution.kind.label : execution.taskName
        let counts = Record.Status.allCases.compactMap { status in result.counts[status].map { (status, $0) } }
        let total = counts.reduce(0) { $0 + $1.1 }
        let duration = execution.dateStart.flatMap { start in execution.dateFinished.map { ($0, start) } }
        var lines = ["\(execution.kind.label): \(name)", "Status: \(execution.status.rawValue)"]
        if !execution.reason.isEmpty { lines.append(execution.reason) }
        lines.append("Accounts: \(total)")
        lines += counts.map { "  \($0.0.rawValue): \($0.1)" }
        lines.append("Started by \(execution.author.name)")
        if let (end, start) = duration { lines.append("From \(WireDate.format(start)) to \(WireDate.format(end))") }
        lines.append("Execution \(execution.id)")
        var facts: [(name: String, value: String)] = [
            ("execution", "\(execution.id)"), ("kind", execution.kind.rawValue), ("name", name),
            ("status", execution.status.rawValue), ("reason", execution.reason), ("trigger", execution.trigger.rawValue),
            ("total", "\(total)"),
        ]
        if let task = execution.task { facts.append(("task", "\(task)")) }
        facts += counts.map { ($0.0.rawValue, "\($0.1)") }
        return Outbox.Notice(
            event: "execution.finished", organization: execution.organization,
            subject: "Keyturn: \(name) - \(execution.status.rawValue)", text: lines.joined(separator: "\n") + "\n", facts: facts,
            recipients: recipients.compactMap { EmailAddress($0) })
    }
}
