package import Access
package import Domain

/// Does what an order says to one account, on the target and in the vault, and tells what came of it.
///
/// It never throws: whatever happens is a report. It returns only when it has stopped touching the target, and it is not cancelled in the
/// middle.
package protocol AccountWork: Sendable {
    func perform(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport

    /// Finds out what became of a piece of work that was under way when the server stopped.
    func settle(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport
}

/// One account's part of an execution.
package struct WorkOrder: Sendable {
    package let execution: ExecutionID
    package let record: RecordID
    package let organization: OrganizationID
    /// The task whose specified secret is set; nil where a new one is made.
    package let task: AutomationTaskID?
    package let asset: AssetID
    /// Nil where the vault has no such account yet.
    package let account: AccountID?
    package let username: String
    package let secretType: SecretType
    /// The stored version to set again, to put back or to prove; nil for a new one, or the current one.
    package let version: Int64?
    /// The account that does the work; nil where the account proves itself.
    package let worker: AccountID?
    /// How: kind, strategy, rules, options.
    package let order: TaskOrder
    /// The settings of the order that hold for the asset's platform.
    package let parameters: [String: String]

    package var kind: TaskKind { order.kind }
}

/// What came of one account's part.
package struct WorkReport: Sendable, Hashable {
    package var status: Record.Status
    package var reason: Record.Reason?
    /// Without control characters and without any secret.
    package var detail: String
    package var until: Timestamp?
    /// The account in the vault, where it was added.
    package var account: AccountID?
    package var oldVersion: Int64?
    package var newVersion: Int64?
    package var steps: [Record.Step]

    package init(
        _ status: Record.Status, reason: Record.Reason? = nil, detail: String = "", until: Timestamp? = nil,
        account: AccountID? = nil, oldVersion: Int64? = nil, newVersion: Int64? = nil, steps: [Record.Step] = []
    ) {
        self.status = status
        self.reason = reason
        self.detail = detail
        self.until = until
        self.account = account
        self.oldVersion = oldVersion
        self.newVersion = newVersion
        self.steps = steps
    }
}
