package import Domain

/// A kind of target that Keyturn can work on: one file and one line in the catalogue.
///
/// Everything here blocks and is called on threads of its own, never on the cooperative pool.
package protocol Connector: Sendable {
    /// A stable name: `linux`, `postgresql`, …
    var name: String { get }
    /// The platform types it serves.
    var platformTypes: Set<String> { get }
    /// The names that the protocol it speaks has among an asset's protocols, the usual one first: `ssh`, `postgresql`, …
    var protocolNames: [String] { get }
    /// What kinds of secret it can set.
    var secretTypes: Set<SecretType> { get }

    /// Logs in as the worker and reads back where it is and who it is.
    func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession

    /// Logs in afresh with a credential, by a plan, to see whether its secret is live.
    ///
    /// Throws where no answer was got; that says nothing about the secret.
    func verify(_ credential: TargetLogin, on target: Target, by plan: VerificationPlan) throws(ConnectorFault) -> Verdict
}

/// How an account's secret is proved.
package enum VerificationPlan: Sendable {
    /// A login of its own.
    case direct
    /// `su` on a terminal from an unprivileged account of the same host.
    case su(from: TargetLogin)
}

/// What a fresh login said about a secret.
package enum Verdict: Sendable, Hashable {
    /// It is live, and what was seen could not have been without it.
    case proven
    /// The target says that it is wrong.
    case rejected(words: String)
    /// Neither: the target lets in without it, or with anything, or there is no way to ask.
    case unverifiable(words: String)
    /// The login is refused for another reason (locked, expired): says nothing about the secret.
    case lockedOut(words: String)
}

/// One login of the worker at a target. Its calls come one at a time.
///
/// What it can do it says by conforming to abilities: `SecretChanging`, `AccountPushing`, `AccountRemoving`, `VerifierReading`.
package protocol WorkSession: AnyObject, Sendable {
    /// The system that answered.
    var system: TargetIdentity.System { get }
    /// The worker's name as the target has it.
    var workerName: String { get }
    /// The host key that was seen, to be pinned; nil where there is none.
    var hostKey: String? { get }

    /// The account of that name on the target; nil if there is none.
    func find(_ username: String) throws(ConnectorFault) -> RemoteAccount?
    /// The same where a name alone does not say which account: `account_host` of MariaDB.
    func find(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> RemoteAccount?

    /// Accounts that were once found as this identity, are still there, and are not those that the parameters mean: each as the target names
    /// it. None where a name alone says which account.
    func others(_ username: String, foundAs identity: String, parameters: [String: String]) throws(ConnectorFault) -> [String]

    /// How an account would be found that is not there and is made by these parameters: the `identity` of its `RemoteAccount`.
    func identity(ofNew username: String, parameters: [String: String]) -> String

    func close()
}

extension WorkSession {
    package func others(
        _ username: String, foundAs identity: String, parameters: [String: String]
    ) throws(ConnectorFault) -> [String] { [] }

    package func find(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> RemoteAccount? {
        try find(username)
    }

    package func identity(ofNew username: String, parameters: [String: String]) -> String { username }
}

/// An account as the target has it.
package struct RemoteAccount: Sendable, Hashable {
    /// The name as the target spells it.
    package let username: String
    /// What tells it apart from all others on the system, for `TargetIdentity`; the name, but of MariaDB the name and the hosts.
    package let identity: String
    /// Belongs to the system: a uid under UID_MIN, `root`, a built-in role. Never changed unless confirmed.
    package let isSystem: Bool
    package let isLocked: Bool
    /// The very account that is logged in to do the work, where its name alone does not say so.
    package let isWorker: Bool
    /// What a person may want to see of it: `uid`, `home`, `shell`, `plugin`, …
    package let attributes: [String: String]

    package init(
        username: String, identity: String? = nil, isSystem: Bool, isLocked: Bool, isWorker: Bool = false,
        attributes: [String: String] = [:]
    ) {
        self.username = username
        self.identity = identity ?? username
        self.isSystem = isSystem
        self.isLocked = isLocked
        self.isWorker = isWorker
        self.attributes = attributes
    }
}
