/// A version of an account's secret that was once on its way to a target: it may be live until a later one is proved, and longer, since
/// a command may land late.
package struct SentSecret: Sendable, Hashable {
    package let account: AccountID
    package let organization: OrganizationID
    package let number: Int64
    package let dateSent: Timestamp
    /// When a login proved it; nil: never.
    package let dateProven: Timestamp?
    /// When a later version was proved; nil while it may be live.
    package let dateSuperseded: Timestamp?

    package init(
        account: AccountID, organization: OrganizationID, number: Int64, dateSent: Timestamp, dateProven: Timestamp?,
        dateSuperseded: Timestamp?
    ) {
        self.account = account
        self.organization = organization
        self.number = number
        self.dateSent = dateSent
        self.dateProven = dateProven
        self.dateSuperseded = dateSuperseded
    }

    /// How long a value is kept after a later one was proved.
    package static let keptSeconds: Int64 = 30 * 86_400

    /// Values superseded before this moment may go.
    package static func cutoff(_ now: Timestamp) -> Timestamp { now.adding(seconds: -keptSeconds) }
}

/// How often Keyturn may be wrong at a target's door.
package struct LoginLimit: Sendable, Hashable {
    /// Logins of a day, to one account, that were not accepted.
    package var count: Int
    package var seconds: Int64

    package init(count: Int = 2, seconds: Int64 = 86_400) {
        self.count = count
        self.seconds = seconds
    }
}
