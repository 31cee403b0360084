package import Access
package import Domain
package import Storage

/// Makes executions: the one way by which a run of a task, by schedule or by hand, comes into being.
package enum ExecutionStart {
    /// A run of a stored task, in the transaction of the caller. A task never runs twice at the same time.
    package static func task(
        _ task: AutomationTask, trigger: Execution.Trigger, by warrant: Warrant, at now: Timestamp, keys: RowKeys,
        on db: any SQLConnection
    ) throws -> Execution {
        let execution = try prepared(task, trigger: trigger, by: warrant, at: now)
        guard try !Executions.hasOpen(of: task.id, in: task.organization, on: db) else {
            throw Refusal.conflict("An execution of this task is still open.")
        }
        try Executions.insert(keys.authenticated(execution), on: db)
        return execution
    }

    /// A run of a stored task before it is stored. Whoever stores it sees in the same transaction that no other is open.
    static func prepared(
        _ task: AutomationTask, trigger: Execution.Trigger, by warrant: Warrant, at now: Timestamp
    ) throws -> Execution {
        guard warrant.permits(.runAutomation, in: task.organization) else { throw Refusal.forbidden(.runAutomation) }
        return Execution(
            id: .random(), organization: task.organization, task: task.id, taskName: task.name, trigger: trigger,
            author: Execution.Author(warrant.principal.actor), order: task.order, dateCreated: now)
    }

    /// A run of an order for accounts or records that somebody chose.
    ///
    /// - Parameter task: the task whose secret the order sets; nil for none.
    package static func order(
        _ order: TaskOrder, named name: String, of task: AutomationTaskID? = nil, by warrant: Warrant, at now: Timestamp,
        keys: RowKeys, on db: any SQLConnection
    ) throws -> Execution {
        guard Self.permissions(for: order.kind).contains(where: { warrant.permits($0, in: warrant.organization) }) else {
            throw Refusal.forbidden(.runAutomation)
        }
        let execution = Execution(
            id: .random(), organization: warrant.organization, task: task, taskName: name, trigger: .manual,
            author: Execution.Author(warrant.principal.actor), order: order, dateCreated: now)
        try Executions.insert(keys.authenticated(execution), on: db)
        return execution
    }

    /// What allows an order of a kind, besides running tasks.
    private static func permissions(for kind: TaskKind) -> [Permission] {
        switch kind {
        case .pushAccount: [.runAutomation, .pushAccount]
        case .changeSecret: [.runAutomation, .rotateAccount]
        case .verifyAccount: [.runAutomation, .verifyAccount, .testAsset]
        case .removeAccount: [.runAutomation, .removeAccount]
        case .restoreSecret: [.restoreRecord]
        }
    }
}
