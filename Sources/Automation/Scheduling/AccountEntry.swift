internal import Access
internal import Domain
internal import Logging
internal import Storage

/// One account's part of an execution on its way through the gate: announced before, its record closed, and told after.
///
/// This is the only entry of the audit for it: what is done inside goes by the warrant that the gate gives here.
struct AccountEntry: Sendable {
    let parts: AutomationParts
    let order: WorkOrder
    let objects: [AuditObject]

    /// Throws what kept it from being written down; what was done then stands in its record, or is settled at the next start.
    func enter(as actor: Actor, _ work: @Sendable (Warrant) async -> WorkReport) async throws {
        let permission = order.kind.workPermission
        let principal = Principal(actor: actor, permissions: [permission])
        do {
            try await parts.gate.change(
                permission, as: principal, in: order.organization, from: .internal(now: parts.clock.now()), objects: objects
            ) { permit in
                let warrant = permit.warrant()
                let report = await work(warrant)
                var objects = objects
                if let account = report.account, order.account == nil {
                    objects.append(AuditObject(kind: "account", id: account.description, name: order.username))
                }
                permit.concerns(objects, version: report.newVersion)
                try await close(with: report, marking: report.isDone ? warrant.origin.request : nil)
                guard report.isDone else { throw WorkEnded(report: report) }
                return .init((), objects: objects, version: report.newVersion, reason: report.remark)
            }
        } catch is WorkEnded {
            // That is told in the record and in the audit.
        }
    }

    /// Closes the record, in a transaction of its own.
    func close(with report: WorkReport, marking request: RequestID? = nil) async throws {
        let (order, now) = (order, parts.clock.now())
        let keys = try parts.keys.keys()
        try await parts.database.write { db in
            try RecordClosing.close(order.record, in: order.organization, with: report, at: now, keys: keys, on: db)
            if let request { try ChangeMarks.insert(request, at: now, on: db) }
        }
        parts.meter.count(order.kind, report.status)
    }
}

/// A piece of work that did not end well, on its way through the gate to the audit.
private struct WorkEnded: AuditedFailure {
    let report: WorkReport

    var auditReason: String { report.words + (report.detail.isEmpty ? "" : ": \(report.detail)") }
}

extension WorkReport {
    /// Whether what was asked for was done, as far as anybody can tell.
    fileprivate var isDone: Bool { status == .success || status == .unverifiable }

    /// What the audit says of what ended well: also what was done besides what was asked for.
    fileprivate var remark: String {
        [reason == nil ? "" : words, detail].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    fileprivate var words: String { reason.map { "\(status.rawValue): \($0.rawValue)" } ?? status.rawValue }
}

extension TaskKind {
    /// What the gate is asked for account by account, and what the audit calls it. Whoever may have a task run may have this done by it.
    var workPermission: Permission {
        switch self {
        case .pushAccount: .pushAccount
        case .changeSecret, .restoreSecret: .rotateAccount
        case .verifyAccount: .verifyAccount
        case .removeAccount: .removeAccount
        }
    }
}
