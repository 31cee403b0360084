package import Access
package import Audit
package import Automation
package import Domain
package import Logging
package import Storage
package import Vault

/// What the operations of the API work with; put together once, at start.
package struct Backend: Sendable {
    package let database: Database
    package let keyring: RowKeeper
    package let gate: Gate
    package let audit: AuditLog
    package let logins: Logins
    package let policies: PolicyStore
    package let secrets: AccountSecrets
    package let taskSecrets: TaskSecrets
    package let tasks: TaskDesk
    package let settings: LiveSettings
    package let clock: WallClock
    package let logger: Logger

    package init(
        database: Database, keyring: RowKeeper, gate: Gate, audit: AuditLog, logins: Logins, policies: PolicyStore,
        secrets: AccountSecrets, taskSecrets: TaskSecrets, tasks: TaskDesk, settings: LiveSettings, clock: WallClock,
        logger: Logger
    ) {
        self.database = database
        self.keyring = keyring
        self.gate = gate
        self.audit = audit
        self.logins = logins
        self.policies = policies
        self.secrets = secrets
        self.taskSecrets = taskSecrets
        self.tasks = tasks
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }
}
