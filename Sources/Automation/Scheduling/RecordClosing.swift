package import Access
package import Domain
package import Storage

/// Writes what came of a record.
///
/// The one who promotes a secret calls this in the same transaction, so that vault and record cannot tell different stories.
package enum RecordClosing {
    /// Steps that one record keeps.
    private static let longestLog = 200

    /// Closes it, once: whoever comes second changes nothing. False where the record was closed already, or is not there.
    @discardableResult
    package static func close(
        _ id: RecordID, in organization: OrganizationID, with report: WorkReport, at now: Timestamp, keys: RowKeys,
        on db: any SQLConnection
    ) throws -> Bool {
        guard let record = try open(id, organization, keys, db), record.status == .pending else { return false }
        return try write(report, into: record, at: now, keys, db)
    }

    /// Writes what a change has come to, as often as that becomes something else: in doubt today, settled tomorrow. Only for the change
    /// that the record is of.
    ///
    /// Returns what nobody has been told of yet: a doubt that settled when its execution was over.
    @discardableResult
    package static func tell(
        _ id: RecordID, in organization: OrganizationID, of report: WorkReport, at now: Timestamp, keys: RowKeys,
        on db: any SQLConnection
    ) throws -> SettledDoubt? {
        guard let record = try open(id, organization, keys, db) else { return nil }
        guard try write(report, into: record, at: now, keys, db), record.status != report.status,
            let execution = try Executions.get(record.execution, in: organization, on: db).map({ try keys.verified($0) }),
            !execution.status.isOpen
        else { return nil }
        try restate(execution, keys, db)
        return record.status == .uncertain ? SettledDoubt(record: record, execution: execution) : nil
    }

    /// An execution that is over stands as its records say, also when one of them says something else later.
    private static func restate(_ ended: Execution, _ keys: RowKeys, _ db: any SQLConnection) throws {
        guard ended.status == .failed || ended.status == .success else { return }
        var execution = ended
        execution.status = ExecutionEnding.status(of: try Records.counts(of: ended.id, in: ended.organization, on: db))
        guard execution.status != ended.status else { return }
        _ = try Executions.update(keys.authenticated(execution), on: db)
    }

    private static func open(
        _ id: RecordID, _ organization: OrganizationID, _ keys: RowKeys, _ db: any SQLConnection
    ) throws -> Record? {
        try Records.get(id, in: organization, on: db).map { try keys.verified($0) }
    }

    private static func write(
        _ report: WorkReport, into stored: Record, at now: Timestamp, _ keys: RowKeys, _ db: any SQLConnection
    ) throws -> Bool {
        guard report.status != .pending else { return false }
        var record = stored
        record.status = report.status
        record.reason = report.reason
        record.detail = plain(report.detail, limit: 500)
        record.until = report.until
        record.account = report.account ?? record.account
        record.oldVersion = report.oldVersion ?? record.oldVersion
        record.newVersion = report.newVersion ?? record.newVersion
        let steps = report.steps.map {
            Record.Step($0.step, reason: $0.reason, words: plain($0.words, limit: 200), date: $0.date)
        }
        let new = steps.filter { !stored.steps.contains($0) }
        record.steps += new.prefix(max(0, longestLog - stored.steps.count))
        record.dateFinished = now
        guard try Records.update(keys.authenticated(record), on: db) else { return false }
        if stored.status == .pending { try Executions.advance(record.execution, in: record.organization, on: db) }
        return true
    }

    private static func plain(_ text: String, limit: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(limit)))
    }
}
