internal import Access
internal import Automation
internal import Domain
internal import JSON
internal import Storage

/// Executions that somebody asks for about records: to try again, to prove, to put back.
struct RecordActions: Sendable {
    let backend: Backend
    let paths: AutomationPaths
    let call: Call

    /// Tries again what did not succeed, as the execution that it is from would: with the same candidate, so that no further secret is made.
    func execute() async throws -> Reply {
        try await start(.runAutomation) { record in
            guard record.status != .success, record.status != .pending else { return nil }
            return (record.kind, record.newVersion)
        }
    }

    func verify() async throws -> Reply {
        try await start(.verifyAccount) { (.verifyAccount, $0.newVersion) }
    }

    func restore() async throws -> Reply {
        try await start(.restoreRecord, needsConfirmation: true) { record in record.oldVersion.map { (.restoreSecret, $0) } }
    }

    /// - Parameter choice: what to do about a record and with which version; nil where nothing can be done.
    private func start(
        _ permission: Permission, needsConfirmation: Bool = false,
        _ choice: @escaping @Sendable (Record) -> (kind: TaskKind, version: Int64?)?
    ) async throws -> Reply {
        let ids: [RecordID] = try call.body { body in
            let ids = body.required("record_ids", .list(of: JSONRule<RecordID>.related(), max: Bulk.largest))
            return try body.finish(ids)
        }
        guard !ids.isEmpty else { throw Refusal.invalid("record_ids", "This list may not be empty.") }
        let organization = call.organization
        let objects = ids.prefix(Bulk.chunk).map { RecordsResource.object($0) }
        let resource = RecordsResource(backend: backend, paths: paths)
        let executions = try await backend.gate.change(
            permission, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { permit in
            guard !needsConfirmation || permit.principal.isConfirmed(at: backend.clock.now()) else {
                throw Refusal.confirmationRequired("password")
            }
            let warrant = permit.warrant()
            let executions = try await backend.write(marking: call.origin.request) { transaction in
                var groups: [ExecutionID: [TaskKind: [SelectedAccount]]] = [:]
                for id in ids {
                    let record: Record
                    do {
                        record = try resource.stored(id, in: organization, transaction)
                    } catch Refusal.notFound {
                        throw Refusal.invalid("record_ids", "There is no such record.")
                    }
                    guard let account = record.account, let (kind, version) = choice(record) else {
                        throw Refusal.conflict("Nothing can be done about the record of \(record.assetName)/\(record.username).")
                    }
                    guard try Accounts.get(account, in: organization, on: transaction.db) != nil else {
                        throw Refusal.conflict("The account \(record.username) of \(record.assetName) is not there any more.")
                    }
                    groups[record.execution, default: [:]][kind, default: []].append(
                        SelectedAccount(account: account, version: version))
                }
                return try groups.sorted { $0.key < $1.key }.flatMap { origin, kinds in
                    try kinds.map { try Self.start($0.key, $0.value, like: origin, by: warrant, transaction) }
                }
            }
            // They are stored, and so they are carried out, whether or not the outcome can be written down.
            for execution in executions { backend.tasks.submit(execution) }
            return .init(executions, objects: objects + executions.prefix(Bulk.chunk).map { AuditObject($0) })
        }
        return .object(status: 201) {
            $0.field("task", executions.first?.id)
            $0.field("tasks", executions.map(\.id.description))
        }
    }

    /// With the settings of the execution that the records are from.
    private static func start(
        _ kind: TaskKind, _ selection: [SelectedAccount], like origin: ExecutionID, by warrant: Warrant,
        _ transaction: Transaction
    ) throws -> Execution {
        let original = try transaction.keys.verified(Executions.get(origin, in: warrant.organization, on: transaction.db))
        var order = original.order
        order.kind = kind
        order.selection = selection
        (order.accounts, order.assets, order.nodes) = ([], [], [])
        return try ExecutionStart.order(
            order, named: original.taskName, of: original.task, by: warrant, at: transaction.now, keys: transaction.keys,
            on: transaction.db)
    }
}
