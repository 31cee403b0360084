package import Domain

/// What an order comes to: one entry for each account, done or refused with the reason.
package struct WorkPlan: Sendable, Hashable {
    package var works: [PlannedWork] = []

    package init(works: [PlannedWork] = []) { self.works = works }

    package var ready: Int { works.count { $0.refusal == nil } }
}

/// One account that an order is about.
package struct PlannedWork: Sendable, Hashable {
    package let asset: AssetID
    package let assetName: String
    /// Where the work goes, for the limits of work at one host.
    package let host: String
    package let platformType: String
    /// Nil where the vault has no such account yet.
    package let account: AccountID?
    package let accountName: String
    package let username: String
    package let secretType: SecretType
    /// The version to be set again or proved; nil for a new one, or the current one.
    package let version: Int64?
    package let hasSecret: Bool
    /// The account that does the work; nil where the account proves itself.
    package let worker: AccountID?
    package let workerName: String
    /// The gateway through which the work goes; nil for the direct way.
    package let gateway: AssetID?
    package let gatewayName: String
    /// Why nothing is done; nil where it is.
    package var refusal: Record.Reason?
}

extension PlannedWork {
    /// What a push would do, if the account is not on the target, and if it is.
    package func pushActs(_ order: TaskOrder) -> (absent: PushAct, present: PushAct) {
        let inVault = PushTable.InVault(hasSecret: hasSecret)
        let act = { PushTable.act($0, inVault, existing: order.existing, includesSystem: order.includesSystem) }
        return (act(.absent), act(.present))
    }
}
