package import Access
package import Domain
package import Storage

/// Writes what came of a record, once: whoever comes second changes nothing.
///
/// The one who promotes a secret calls this in the same transaction, so that vault and record cannot tell different stories.
package enum RecordClosing {
    /// False where the record was closed already, or is not there.
    @discardableResult
    package static func close(
        _ id: RecordID, in organization: OrganizationID, with report: WorkReport, at now: Timestamp, keys: RowKeys,
        on db: any SQLConnection
    ) throws -> Bool {
        guard report.status != .pending, let row = try Records.get(id, in: organization, on: db) else { return false }
        var record = try keys.verified(row)
        guard record.status == .pending else { return false }
        record.status = report.status
        record.reason = report.reason
        record.detail = String(String.UnicodeScalarView(report.detail.unicodeScalars.filter { $0.value >= 0x20 }.prefix(500)))
        record.until = report.until
        record.account = report.account ?? record.account
        record.oldVersion = report.oldVersion ?? record.oldVersion
        record.newVersion = report.newVersion ?? record.newVersion
        record.steps += report.steps.prefix(100)
        record.dateFinished = now
        guard try Records.update(keys.authenticated(record), on: db) else { return false }
        try Executions.advance(record.execution, in: organization, on: db)
        return true
    }
}
