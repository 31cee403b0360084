package import Domain

/// Accounts that no task touches unless somebody has said so: whoever loses one of these loses the way in.
package enum SecureMode {
    /// Names that are privileged everywhere, whatever the vault says of them.
    package static let reservedNames: Set<String> = ["root", "administrator"]
    /// Names that are never removed from a target, whatever a task includes.
    package static let unremovable: Set<String> = reservedNames.union([
        "sa", "sys", "system", "dbsnmp", "postgres", "mysql", "mariadb.sys", "default",
    ])

    /// Why the account is left alone; nil where it may be worked on.
    package static func refusal(of username: String, privileged: Bool, order: TaskOrder) -> Record.Reason? {
        let name = username.lowercased()
        if order.kind == .removeAccount, unremovable.contains(name) || username.isEmpty { return .reservedName }
        guard order.kind.changesTarget, !order.includesPrivileged else { return nil }
        if reservedNames.contains(name) { return .reservedName }
        return privileged ? .privileged : nil
    }
}
