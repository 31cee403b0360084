package import Domain

/// What a push does with one account, from what is found on the target and in the vault.
package enum PushAct: String, Sendable, CaseIterable, Hashable {
    /// The account is created on the target with a secret as the task says, and is added to the vault.
    case create
    /// The account is created on the target with the secret that the vault holds.
    case createWithStored = "create_with_stored"
    /// The secret of the account on the target is changed as the task says, and the account is added to the vault.
    case adopt
    /// Nothing, even if the secrets differ.
    case nothing
    /// Shell, groups and the like are set; the secret stays.
    case updateAttributes = "update_attributes"
    /// The secret that the vault holds is set on the target.
    case setStored = "set_stored"
    /// It belongs to the system, and the task does not include such accounts.
    case refuseSystem = "refuse_system"
}

/// The table by which a push decides.
package enum PushTable {
    /// What the target says of the account.
    package enum OnTarget: Sendable, CaseIterable, Hashable {
        case absent, present
        /// A uid under UID_MIN, `root`, a built-in role.
        case system
    }

    /// Whether the vault has it, which means its secret: of an account without one it knows no more than the name.
    package enum InVault: Sendable, CaseIterable, Hashable {
        case absent, withSecret

        package init(hasSecret: Bool) { self = hasSecret ? .withSecret : .absent }
    }

    package static func act(
        _ onTarget: OnTarget, _ inVault: InVault, existing: ExistingPolicy, includesSystem: Bool
    ) -> PushAct {
        let act = wanted(onTarget, inVault, existing)
        // What changes nothing needs no permission.
        guard onTarget == .system, !includesSystem, act != .nothing else { return act }
        return .refuseSystem
    }

    private static func wanted(_ onTarget: OnTarget, _ inVault: InVault, _ existing: ExistingPolicy) -> PushAct {
        switch (onTarget, inVault, existing) {
        case (.absent, .withSecret, _): .createWithStored
        // A secret that nobody keeps would be lost: one is made and stored before anything is sent.
        case (.absent, .absent, _): .create
        case (_, .absent, _): .adopt
        case (_, _, .nothing): .nothing
        case (_, _, .updateAttributes): .updateAttributes
        case (_, .withSecret, .setSecret): .setStored
        }
    }
}
