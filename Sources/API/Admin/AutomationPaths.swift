internal import Domain
internal import Storage

/// Where the tasks of one kind, their executions and their records are (JumpServer's paths).
struct AutomationPaths: Sendable {
    let kind: TaskKind
    let tasks: StaticString
    let executions: StaticString
    let records: StaticString
    /// Part of the names of schemas: `ChangeSecret`.
    let name: String

    static let all = [
        AutomationPaths(
            kind: .pushAccount, tasks: "/api/v1/accounts/push-account-automations/",
            executions: "/api/v1/accounts/push-account-executions/", records: "/api/v1/accounts/push-account-records/",
            name: "PushAccount"),
        AutomationPaths(
            kind: .changeSecret, tasks: "/api/v1/accounts/change-secret-automations/",
            executions: "/api/v1/accounts/change-secret-executions/", records: "/api/v1/accounts/change-secret-records/",
            name: "ChangeSecret"),
        AutomationPaths(
            kind: .verifyAccount, tasks: "/api/v1/accounts/verify-account-automations/",
            executions: "/api/v1/accounts/verify-account-executions/", records: "/api/v1/accounts/verify-account-records/",
            name: "VerifyAccount"),
        AutomationPaths(
            kind: .removeAccount, tasks: "/api/v1/accounts/remove-account-automations/",
            executions: "/api/v1/accounts/remove-account-executions/", records: "/api/v1/accounts/remove-account-records/",
            name: "RemoveAccount"),
    ]

    /// The kinds whose executions and records are shown here: putting a secret back is a change of it.
    var kinds: [TaskKind] { kind == .changeSecret ? [.changeSecret, .restoreSecret] : [kind] }

    /// What people call one of the tasks.
    var noun: String { kind.label.lowercased() + " task" }
}
