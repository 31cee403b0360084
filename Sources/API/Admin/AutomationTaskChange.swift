internal import Access
internal import Automation
internal import Cryptography
internal import Domain
internal import JSON
internal import Storage
internal import Vault

/// Changes of tasks under one warrant, each in its caller's transaction.
struct AutomationTaskChange: Sendable {
    let backend: Backend
    let warrant: Warrant
    let kind: TaskKind
    let now: Timestamp

    init(_ backend: Backend, _ warrant: Warrant, _ kind: TaskKind) {
        self.backend = backend
        self.warrant = warrant
        self.kind = kind
        now = backend.clock.now()
    }

    private var organization: OrganizationID { warrant.organization }
    private var author: String { warrant.principal.actor.name }

    func create(_ input: AutomationTaskInput, _ secret: SecretHandoff?, _ transaction: Transaction) throws -> AutomationTask {
        try requireConfirmation(for: input.order, before: nil)
        try requireZone(input.timing)
        let id = AutomationTaskID.random()
        var task = AutomationTask(
            id: id, organization: organization, name: input.name, order: input.order, timing: input.timing,
            recipients: input.recipients, isActive: input.isActive, comment: input.comment, createdBy: author, updatedBy: author,
            dateCreated: now, dateUpdated: now)
        task.timing.since = now
        task.secret = try sealed(secret, id, transaction.db)
        try insert(task, transaction)
        return task
    }

    func update(
        _ id: AutomationTaskID, with input: AutomationTaskInput, _ secret: SecretHandoff?, _ transaction: Transaction
    ) throws -> AutomationTask {
        var task = try stored(id, transaction)
        try requireConfirmation(for: input.order, before: secret == nil ? task.order : nil)
        try requireZone(input.timing)
        let (before, hadTiming) = (task.order, (task.timing, task.isActive))
        (task.name, task.order, task.timing) = (input.name, input.order, input.timing)
        (task.recipients, task.isActive, task.comment) = (input.recipients, input.isActive, input.comment)
        if let secret { task.secret = try sealed(secret, id, transaction.db) }
        if task.order.strategy == .random { task.secret = nil }
        task.timing.since = hadTiming.0.since
        // A schedule that was set or switched on anew asks for no run from before.
        let isNew = task.timing != hadTiming.0 || task.isActive != hadTiming.1
        if isNew { task.timing.since = now }
        try store(&task, from: before, transaction)
        if isNew { try backend.tasks.agenda.replan(task, at: now, on: transaction.db) }
        return task
    }

    /// A copy under another name, with the same secret, that does not run by itself until somebody says so.
    func duplicate(_ id: AutomationTaskID, named name: String?, _ transaction: Transaction) throws -> AutomationTask {
        let original = try stored(id, transaction)
        try requireConfirmation(for: original.order, before: nil)
        let copy = AutomationTaskID.random()
        var task = AutomationTask(
            id: copy, organization: organization, name: try name ?? freeName(for: original, transaction.db),
            order: original.order, timing: original.timing, recipients: original.recipients, isActive: false,
            comment: original.comment, createdBy: author, updatedBy: author, dateCreated: now, dateUpdated: now)
        task.timing.since = now
        task.secret = try backend.taskSecrets.copied(from: original, to: copy, by: warrant, now: now, in: transaction.db)
        try insert(task, copying: original.order, transaction)
        return task
    }

    /// Adds assets and nodes to a task, or takes them away.
    func change(
        _ id: AutomationTaskID, assets: [AssetID], nodes: [NodeID], isAdding: Bool, _ transaction: Transaction
    ) throws -> AutomationTask {
        var task = try stored(id, transaction)
        let before = task.order
        task.order.assets = Self.changed(task.order.assets, by: assets, isAdding: isAdding)
        task.order.nodes = Self.changed(task.order.nodes, by: nodes, isAdding: isAdding)
        guard task.order.assets.count <= 5000, task.order.nodes.count <= 1000 else {
            throw Refusal.conflict("A task has at most 5000 assets and 1000 nodes.")
        }
        try requireConfirmation(for: task.order, before: before)
        try store(&task, from: before, transaction)
        return task
    }

    private static func changed<Entity>(
        _ ids: [Identifier<Entity>], by others: [Identifier<Entity>], isAdding: Bool
    ) -> [Identifier<Entity>] {
        (isAdding ? Set(ids).union(others) : Set(ids).subtracting(others)).sorted()
    }

    func delete(_ id: AutomationTaskID, _ transaction: Transaction) throws {
        let found = try AutomationTasks.kind(of: id, in: organization, on: transaction.db)
        guard found == kind.rawValue, try AutomationTasks.delete(id, in: organization, on: transaction.db) else {
            throw Refusal.notFound
        }
    }

    // MARK: - Rows

    /// The stored task of this kind, once its row has been found to be its own.
    func stored(_ id: AutomationTaskID, _ transaction: Transaction) throws -> AutomationTask {
        let task = try transaction.keys.verified(AutomationTasks.get(id, in: organization, on: transaction.db))
        guard task.kind == kind else { throw Refusal.notFound }
        return task
    }

    private func insert(_ task: AutomationTask, copying original: TaskOrder? = nil, _ transaction: Transaction) throws {
        let row = try transaction.keys.authenticated(task)
        try naming(transaction) { try AutomationTasks.insert(row, copying: original, on: transaction.db) }
        try backend.tasks.agenda.replan(task, at: now, on: transaction.db)
    }

    private func store(_ task: inout AutomationTask, from before: TaskOrder, _ transaction: Transaction) throws {
        task.updatedBy = author
        task.dateUpdated = now
        let row = try transaction.keys.authenticated(task)
        let update = { try AutomationTasks.update(row, from: before, on: transaction.db) }
        guard try naming(transaction, update) else { throw Refusal.notFound }
    }

    private func naming<Value>(_ transaction: Transaction, _ write: () throws -> Value) throws -> Value {
        do {
            return try transaction.unique("name", write)
        } catch StorageFault.constraint(.foreignKey, let columns) where columns == "tasks.assets" {
            throw Refusal.invalid("assets", "There is no such asset.")
        } catch StorageFault.constraint(.foreignKey, let columns) where columns == "tasks.nodes" {
            throw Refusal.invalid("nodes", "There is no such node.")
        }
    }

    private func sealed(_ secret: SecretHandoff?, _ id: AutomationTaskID, _ db: any SQLConnection) throws -> Sealed? {
        guard let secret else { return nil }
        guard let plain = secret.take() else { throw Refusal.unavailable("The secret was taken already.") }
        return try backend.taskSecrets.sealed(plain, of: id, by: warrant, now: now, in: db)
    }

    // MARK: - Rules

    /// Whoever lets a task touch privileged or system accounts, or changes what such a task does, says again who they are.
    ///
    /// - Parameter before: nil where all of it is new, or the secret that it sets.
    private func requireConfirmation(for order: TaskOrder, before: TaskOrder?) throws(Refusal) {
        guard order.includesPrivileged || order.includesSystem, order != before else { return }
        guard warrant.principal.isConfirmed(at: now) else { throw .confirmationRequired("password") }
    }

    private func requireZone(_ timing: TaskTiming) throws(Refusal) {
        guard backend.tasks.agenda.zones.rules(of: timing) != nil else {
            throw .invalid("timezone", "There is no such time zone.")
        }
    }

    private func freeName(for task: AutomationTask, _ db: any SQLConnection) throws -> String {
        let stem = String(String.UnicodeScalarView(task.name.unicodeScalars.prefix(110)))
        for number in 1...1000 {
            let name = number == 1 ? stem + " copy" : stem + " copy \(number)"
            let filters = [
                ListFilter(AutomationTaskField.type, .exact(.text(kind.rawValue))), ListFilter(.name, .exact(.text(name))),
            ]
            let request = ListRequest<AutomationTaskField>(filters: filters, limit: 0)
            if try AutomationTasks.list(request, in: organization, on: db).total == 0 { return name }
        }
        throw Refusal.invalid("name", "This field is required.")
    }
}
