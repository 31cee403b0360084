/// What is to be done to which accounts, and how: the part of a task that an execution keeps a copy of. No secrets.
package struct TaskOrder: Sendable, Hashable {
    package var kind: TaskKind
    /// User names; `@ALL` stands for every account that the vault has on an asset.
    package var accounts: [String]
    package var assets: [AssetID]
    /// With everything below them.
    package var nodes: [NodeID]
    /// Single accounts instead of names and assets: of an order for accounts or records that somebody chose.
    package var selection: [SelectedAccount]
    package var secretType: SecretType
    package var strategy: SecretStrategy
    /// Rules for generated passwords as validated JSON text; empty for the platform's.
    package var passwordRules: String
    package var keyStrategy: KeyChangeStrategy
    package var parameters: TaskParameters
    /// Whether a new secret is proved by a login before the old one is given up.
    package var checksConnection: Bool
    package var existing: ExistingPolicy
    /// Privileged accounts too. Needs somebody's explicit confirmation.
    package var includesPrivileged: Bool
    /// System accounts of the target too. Needs somebody's explicit confirmation.
    package var includesSystem: Bool
    /// User name of the account that does the work on each asset; nil for a privileged one.
    package var worker: String?

    /// Every account that the vault has on an asset.
    package static let allAccounts = "@ALL"

    package init(
        kind: TaskKind, accounts: [String] = [], assets: [AssetID] = [], nodes: [NodeID] = [], selection: [SelectedAccount] = [],
        secretType: SecretType = .password, strategy: SecretStrategy = .random, passwordRules: String = "",
        keyStrategy: KeyChangeStrategy = .replaceOurs, parameters: TaskParameters = TaskParameters(),
        checksConnection: Bool = true, existing: ExistingPolicy = .nothing, includesPrivileged: Bool = false,
        includesSystem: Bool = false, worker: String? = nil
    ) {
        self.kind = kind
        self.accounts = accounts
        self.assets = assets
        self.nodes = nodes
        self.selection = selection
        self.secretType = secretType
        self.strategy = strategy
        self.passwordRules = passwordRules
        self.keyStrategy = keyStrategy
        self.parameters = parameters
        self.checksConnection = checksConnection
        self.existing = existing
        self.includesPrivileged = includesPrivileged
        self.includesSystem = includesSystem
        self.worker = worker
    }
}

extension TaskOrder {
    /// Whether a task that has this order now has a secret for a run of an order that it had before.
    ///
    /// The secret must be of the kind that the run sets, and be given by somebody who knew of everything that it is set on: who gives one
    /// for privileged or system accounts confirms that.
    package func lendsSecret(to run: TaskOrder) -> Bool {
        strategy == .specific && secretType == run.secretType && (includesPrivileged || !run.includesPrivileged)
            && (includesSystem || !run.includesSystem)
    }
}

/// One account that an order names by its id.
package struct SelectedAccount: Sendable, Hashable {
    package let account: AccountID
    /// The version to be set again or to be proved; nil for a new one, or the current one.
    package let version: Int64?

    package init(account: AccountID, version: Int64? = nil) {
        self.account = account
        self.version = version
    }
}

/// Settings for single platforms: shell and groups of hosts, `account_host` of MariaDB, and so on.
package struct TaskParameters: Sendable, Hashable {
    /// By platform type (`linux`) or by JumpServer's names of methods (`push_account_posix`), then by setting.
    package var settings: [String: [String: String]]

    package init(_ settings: [String: [String: String]] = [:]) { self.settings = settings }

    /// What holds for a platform type: its own settings before those of the family that JumpServer's method names stand for.
    package func values(for type: String) -> [String: String] {
        var values: [String: String] = [:]
        for (name, settings) in settings.sorted(by: { $0.key < $1.key }) where Self.means(name, type) && name != type {
            values.merge(settings) { $1 }
        }
        return values.merging(settings[type] ?? [:]) { $1 }
    }

    private static func means(_ name: String, _ type: String) -> Bool {
        guard name != type else { return true }
        let families = ["linux": ["posix", "linux"], "unix": ["posix", "unix"], "mariadb": ["mysql", "mariadb"]]
        return (families[type] ?? [type]).contains { family in name == family || name.hasSuffix("_" + family) }
    }
}
