package import Access
package import Domain
package import Notifications
package import Storage

/// A doubt of which the result of an execution, or an alert, has told, and which has settled since.
package struct SettledDoubt: Sendable {
    /// As it was in doubt.
    package let record: Record
    package let execution: Execution
}

/// Tells by the outbox that a doubt has settled: whoever got the results of the task gets this too.
package struct SettledNotices: Sendable {
    private let outbox: Outbox

    package init(_ outbox: Outbox) { self.outbox = outbox }

    /// In the transaction in which it settles.
    package func put(
        _ settled: SettledDoubt, as report: WorkReport, at now: Timestamp, with keys: RowKeys, on db: any SQLConnection
    ) throws {
        let record = settled.record
        let task = settled.execution.task.flatMap { try? AutomationTasks.get($0, in: record.organization, on: db) }
        // A damaged task has nobody to tell; that must not keep the doubt from settling.
        let recipients = task.flatMap { try? keys.verified($0).recipients } ?? []
        let notice = Self.notice(settled, report, recipients.compactMap { EmailAddress($0) })
        try outbox.put(notice, occasion: "change.settled \(record.id)", with: keys, at: now, on: db)
    }

    private static func notice(
        _ settled: SettledDoubt, _ report: WorkReport, _ recipients: [EmailAddress]
    ) -> Outbox.Notice {
        let (record, execution) = (settled.record, settled.execution)
        let reason = report.reason?.rawValue ?? ""
        var lines = [
            "What became of the account \(record.username) on \(record.assetName) was in doubt, and is known now.",
            "Status: \(report.status.rawValue)",
        ]
        if !reason.isEmpty { lines.append("Reason: \(reason)") }
        if !report.detail.isEmpty { lines.append(report.detail) }
        lines.append("Change \(record.id) of execution \(execution.id)")
        var facts: [(name: String, value: String)] = [
            ("change", "\(record.id)"), ("execution", "\(execution.id)"), ("kind", record.kind.rawValue),
            ("status", report.status.rawValue), ("reason", reason), ("username", record.username),
            ("asset", "\(record.asset)"), ("asset_name", record.assetName),
        ]
        if let account = record.account { facts.append(("account", "\(account)")) }
        return Outbox.Notice(
            event: "change.settled", organization: record.organization,
            subject: "Keyturn: settled - \(record.username) on \(record.assetName): \(report.status.rawValue)",
            text: lines.joined(separator: "\n") + "\n", facts: facts, recipients: recipients)
    }
}
