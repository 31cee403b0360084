package import Access
package import Connectors
package import Domain
package import Logging
package import Storage
package import Vault
internal import Synchronization

/// What turns work with; put together once, at start.
package struct TurnParts: Sendable {
    package var database: Database
    package var keyring: RowKeeper
    package var secrets: AccountSecrets
    package var gate: Gate
    package var threads: any WorkThreads
    /// The connector of a platform's type; nil if there is none.
    package var connector: @Sendable (String) -> (any Connector)?
    /// Stores what a turn came to, in the very transaction in which it came to it: records and notifications. Called each time that it
    /// comes to something else.
    package var record: @Sendable (TurnReport, OrganizationID, any SQLConnection) throws -> Void = { _, _, _ in }
    package var historyLimit: @Sendable () -> Int = { 999 }
    package var logins = LoginLimit()
    package var limits = SecretTurn.Limits()
    package var stepLimit: Duration = .seconds(30)
    package var conversationLimit: Duration = .seconds(300)
    package var clock: WallClock
    package var probe: StepProbe = .standard
    package var logger: Logger
    let active = ActiveTurns()
    let queue = LoginQueue()

    package init(
        database: Database, keyring: RowKeeper, secrets: AccountSecrets, gate: Gate, threads: any WorkThreads,
        connector: @escaping @Sendable (String) -> (any Connector)?, clock: WallClock, logger: Logger
    ) {
        self.database = database
        self.keyring = keyring
        self.secrets = secrets
        self.gate = gate
        self.threads = threads
        self.connector = connector
        self.clock = clock
        self.logger = logger
    }
}

/// The accounts that this process works on now: one piece of work at a time for each.
final class ActiveTurns: Sendable {
    private let accounts = Mutex<Set<AccountID>>([])

    /// False if somebody works on it already.
    func claim(_ account: AccountID) -> Bool { accounts.withLock { $0.insert(account).inserted } }

    func isClaimed(_ account: AccountID) -> Bool { accounts.withLock { $0.contains(account) } }

    func release(_ account: AccountID) { _ = accounts.withLock { $0.remove(account) } }
}
