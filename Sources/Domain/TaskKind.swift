/// What a task does to accounts on their assets (JumpServer's names).
package enum TaskKind: String, Sendable, CaseIterable, Hashable {
    case pushAccount = "push_account"
    case changeSecret = "change_secret"
    case verifyAccount = "verify_account"
    case removeAccount = "remove_account"
    /// Puts an earlier secret back on the target. Done for single records only; there are no tasks of it.
    case restoreSecret = "restore_secret"

    /// The kinds that tasks can have.
    package static let tasks: [TaskKind] = [.pushAccount, .changeSecret, .verifyAccount, .removeAccount]

    package var label: String {
        switch self {
        case .pushAccount: "Push account"
        case .changeSecret: "Change secret"
        case .verifyAccount: "Verify account"
        case .removeAccount: "Remove account"
        case .restoreSecret: "Restore secret"
        }
    }

    /// Whether it changes something on the target.
    package var changesTarget: Bool { self != .verifyAccount }

    /// Whether it gives accounts a secret as the task says.
    package var setsSecret: Bool { self == .pushAccount || self == .changeSecret }
}

/// Where the secret comes from that a task sets.
package enum SecretStrategy: String, Sendable, CaseIterable, Hashable {
    /// The one that the task has.
    case specific
    /// A new one for each account.
    case random

    package var label: String { self == .specific ? "Specific secret" : "Random generate" }
}

/// What happens to the SSH keys that an account has besides the new one (JumpServer's values).
package enum KeyChangeStrategy: String, Sendable, CaseIterable, Hashable {
    /// Only keys that were pushed from here are replaced.
    case replaceOurs = "set_jms"
    /// All others go.
    case replaceAll = "set"
    /// None goes.
    case append = "add"

    package var label: String {
        switch self {
        case .replaceOurs: "Replace (Only replace keys pushed by Keyturn)"
        case .replaceAll: "Empty and append SSH keys"
        case .append: "Append SSH keys"
        }
    }
}

/// What a push does with an account that is on the target and in the vault already.
package enum ExistingPolicy: String, Sendable, CaseIterable, Hashable {
    /// Nothing, even if the secrets differ.
    case nothing
    /// Sets shell, groups and the like; leaves the secret.
    case updateAttributes = "update_attributes"
    /// Sets the secret on the target to the one that the vault has.
    case setSecret = "set_secret"

    package var label: String {
        switch self {
        case .nothing: "Leave as it is"
        case .updateAttributes: "Update attributes"
        case .setSecret: "Set the stored secret"
        }
    }
}
