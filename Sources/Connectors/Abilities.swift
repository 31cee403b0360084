package import Cryptography
package import Domain

/// Sets secrets, in two steps, so that a new one can be proved before the old one goes.
package protocol SecretChanging: WorkSession {
    /// Refuses, without changing anything, what would be refused or forgotten later: an account that is not there, a server that
    /// forgets at restart, a place that cannot be written.
    func prepare(_ request: ChangeRequest) throws(ConnectorFault)

    /// Makes the new secret live. Where the target can hold two, the old one stays live; else it is replaced. Doing it twice with
    /// the same secret is the same as once.
    func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault)

    /// Takes away what the new secret replaces, where `install` left it; elsewhere does nothing. Called only after a proof.
    func retire(_ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?) throws(ConnectorFault)
}

/// What to do with whose secret, without the secret.
package struct ChangeRequest: Sendable {
    package let username: String
    package let secretType: SecretType
    package let keyStrategy: KeyStrategy
    /// What is set by platform: `account_host` of MariaDB, …
    package let parameters: [String: String]

    package init(
        username: String, secretType: SecretType, keyStrategy: KeyStrategy = .replaceOurs, parameters: [String: String] = [:]
    ) {
        self.username = username
        self.secretType = secretType
        self.keyStrategy = keyStrategy
        self.parameters = parameters
    }

    /// What happens to the SSH keys that an account has (JumpServer's values).
    package enum KeyStrategy: String, Sendable, CaseIterable {
        /// Only keys that Keyturn pushed are replaced.
        case replaceOurs = "set_jms"
        /// All other keys go.
        case replaceAll = "set"
        /// Nothing goes.
        case append = "add"
    }
}

/// Reads back what the target stores about a secret and compares it here, at no login.
package protocol VerifierReading: WorkSession {
    func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch
}

package enum StoredMatch: String, Sendable, Hashable {
    case same
    case different
    /// It cannot be read or its form is not known.
    case unknown
}

/// Has a target that keeps its accounts in memory write them down where it reads them at a restart.
///
/// Asked for where a change that was cut off is seen to have been made: nobody knows whether it was written down too.
package protocol MemorySaving: WorkSession {
    func save() throws(ConnectorFault)
}

/// Creates accounts and sets what they are.
package protocol AccountPushing: WorkSession {
    /// Creates an account that is not there, with its secret. `ConnectorFault.effect` tells whether it may be there now.
    func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault)
    /// Sets shell, groups and the like of an account that is there; leaves its secret.
    func update(_ push: AccountPush) throws(ConnectorFault)
    /// Makes whole, but for its secret, what a `create` that ended early left of an account.
    func complete(_ push: AccountPush) throws(ConnectorFault)
}

extension AccountPushing {
    package func complete(_ push: AccountPush) throws(ConnectorFault) { try update(push) }
}

/// An account as it shall be on a target.
package struct AccountPush: Sendable {
    package let request: ChangeRequest
    package var username: String { request.username }
    /// Only what is named is set: of hosts `shell`, `home`, `group`, `groups`, `uid`, `sudo`.
    package var parameters: [String: String] { request.parameters }

    package init(request: ChangeRequest) {
        self.request = request
    }
}

/// Removes accounts from targets, in two steps, so that what is removed is known for certain before anything is asked for.
package protocol AccountRemoving: WorkSession {
    /// What tells the very account from one that is made anew under its name, in words that only this connector reads; without anything
    /// that the account's secret could be guessed from. Refuses, without changing anything, what `remove` would refuse.
    func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String

    /// Refuses system accounts, the worker's own, and with `.replaced` an account that is not the marked one.
    ///
    /// Doing it again goes on where it was cut off. Where there is no account of the name it is `.noSuchAccount`, after what a removal
    /// that was cut off left of it has been taken away.
    func remove(_ removal: AccountRemoval) throws(ConnectorFault)

    /// Throws where an account that `find` does not find may be there all the same.
    ///
    /// - Parameter mark: what `mark` said of it once; nil where it never was marked.
    func confirmAbsence(of username: String, parameters: [String: String], mark: String?) throws(ConnectorFault)

    /// What a removal left on the target that still names the account, in words for people; nil where nothing was found.
    func remains(of removal: AccountRemoval) throws(ConnectorFault) -> String?
}

extension AccountRemoving {
    package func confirmAbsence(of username: String, parameters: [String: String], mark: String?) throws(ConnectorFault) {}
    package func remains(of removal: AccountRemoval) throws(ConnectorFault) -> String? { nil }
}

/// Whom to remove.
package struct AccountRemoval: Sendable {
    package let username: String
    package let parameters: [String: String]
    /// What `AccountRemoving.mark` said of the account.
    package let mark: String

    package init(username: String, parameters: [String: String], mark: String) {
        self.username = username
        self.parameters = parameters
        self.mark = mark
    }
}

/// Saves what a change would destroy on the target, before it does: of SSH keys with `replaceAll`, the old `authorized_keys`.
package protocol RemoteStateSaving: WorkSession {
    /// The bytes to be sealed into the account's history; nil where there is nothing.
    func saved(before request: ChangeRequest) throws(ConnectorFault) -> Secret?
}
