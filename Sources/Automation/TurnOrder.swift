package import Connectors
package import Cryptography
package import Domain

/// What is to be done with one account on its target.
package struct TurnOrder: Sendable {
    /// Where the new secret comes from.
    package enum Strategy: Sendable {
        /// A fresh one each time it is asked: the target may refuse one for its quality.
        case random(@Sendable () throws -> Secret)
        /// This one.
        case specific(SecretHandoff)
        /// A version that is kept, put back as a new one.
        case kept(version: Int64)
    }

    /// Names the change; a record of a task has the same id.
    package var id: ChangeID
    package var strategy: Strategy
    package var keyStrategy: ChangeRequest.KeyStrategy
    /// Of the platform: shell, groups, `account_host`, …
    package var parameters: [String: String]
    /// Whether a login proves the new secret.
    package var checksConnection: Bool
    /// The account that shall do the work; nil: a privileged one of the asset.
    package var worker: AccountID?
    /// Confirmed by a person: privileged accounts, `root` and the like may be changed, given two live ways in.
    package var allowsPrivileged = false
    /// Confirmed by a person: accounts that belong to the target's system may be changed.
    package var allowsSystemAccounts = false
    /// Of a push: what to do with an account that is on the target and in Keyturn.
    package var existing = ExistingPolicy.nothing

    package init(
        id: ChangeID = .random(), strategy: Strategy, keyStrategy: ChangeRequest.KeyStrategy = .replaceOurs,
        parameters: [String: String] = [:], checksConnection: Bool = true, worker: AccountID? = nil
    ) {
        self.id = id
        self.strategy = strategy
        self.keyStrategy = keyStrategy
        self.parameters = parameters
        self.checksConnection = checksConnection
        self.worker = worker
    }
}

/// What came of the work on one account.
package struct TurnReport: Sendable {
    package let change: ChangeID
    package let account: AccountID
    package var outcome: RecordOutcome
    package var steps: [StepEntry] = []
    /// The version that was current before; nil if there was none.
    package var oldVersion: Int64?
    /// The version that was made or tried; nil if it came to none.
    package var newVersion: Int64?

    package init(change: ChangeID, account: AccountID, outcome: RecordOutcome) {
        self.change = change
        self.account = account
        self.outcome = outcome
    }
}

/// One line of a record's log, without any secret.
package struct StepEntry: Sendable, Hashable {
    package let step: TurnStep
    package let date: Timestamp
    /// Why it did not end as asked; nil where it did.
    package let reason: TurnReason?
    package let words: String

    package init(step: TurnStep, date: Timestamp, reason: TurnReason? = nil, words: String = "") {
        self.step = step
        self.date = date
        self.reason = reason
        self.words = words
    }
}
