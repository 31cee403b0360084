internal import Access
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Work on single accounts at once, without a task: `/api/v1/accounts/accounts/tasks/`, and the test of an asset's connection.
package struct AccountTasksResource: Sendable {
    private let backend: Backend

    package static func routes(_ backend: Backend) -> [Route] {
        let resource = AccountTasksResource(backend: backend)
        return [
            Route(
                .post, "/api/v1/accounts/accounts/tasks/", .permission(.verifyAccount),
                "Verify, push, remove, or change the secrets of accounts now", request: work,
                response: ExecutionsResource.started, style: .one(status: 201)
            ) { try await resource.start($0) },
            Route(
                .post, "/api/v1/assets/assets/{id}/tasks/", .permission(.testAsset),
                "Test the connection: log in as the account that would do the work", request: test,
                response: ExecutionsResource.started, style: .one(status: 201)
            ) { try await resource.test($0) },
        ]
    }

    /// JumpServer's words, and one that it lacks.
    private enum Action: String, CaseIterable {
        case verify, push, remove
        case changeSecret = "change_secret"

        var kind: TaskKind {
            switch self {
            case .verify: .verifyAccount
            case .push: .pushAccount
            case .remove: .removeAccount
            case .changeSecret: .changeSecret
            }
        }

        var permission: Permission {
            switch self {
            case .verify: .verifyAccount
            case .push: .pushAccount
            case .remove: .removeAccount
            case .changeSecret: .rotateAccount
            }
        }
    }

    private static let work = Schema(
        "AccountWork",
        [
            .field("action", .choice(Action.allCases.map(\.rawValue)), .required), .field("accounts", .texts, .required, "Ids."),
            .field("params", .anyObject), .field("on_existing", .choice(ExistingPolicy.allCases.map(\.rawValue))),
            .field("include_privileged", .boolean, .optional, "Needs a fresh confirmation."),
            .field("include_system", .boolean, .optional, "Needs a fresh confirmation."),
        ])
    private static let test = Schema("AssetWork", [.field("action", .choice(["test"]))])

    // MARK: - Accounts

    private func start(_ call: Call) async throws -> Reply {
        let (action, accounts, settings): (Action, [AccountID], TaskOrder) = try call.body { body in
            let action = body.required("action", .choice(Action.self))
            let accounts: [AccountID]? = body.required("accounts", .list(of: .related(), max: Bulk.largest))
            let parameters = body.optional("params", TaskParameters.rule, default: TaskParameters())
            let existing = body.optional("on_existing", .choice(ExistingPolicy.self), default: .nothing)
            let privileged = body.optional("include_privileged", .bool, default: false)
            let system = body.optional("include_system", .bool, default: false)
            let read = try body.finish(action, accounts, parameters, existing, privileged, system)
            let order = TaskOrder(
                kind: read.0.kind, selection: Set(read.1).sorted().map { SelectedAccount(account: $0) }, parameters: read.2,
                existing: read.3, includesPrivileged: read.4, includesSystem: read.5)
            return (read.0, read.1, order)
        }
        guard !accounts.isEmpty else { throw Refusal.invalid("accounts", "This list may not be empty.") }
        let needsConfirmation = action == .remove || settings.includesPrivileged || settings.includesSystem
        let execution = try await begin(
            settings, action.permission, call,
            objects: accounts.prefix(Bulk.chunk).map { AuditObject(kind: "account", id: $0.description) },
            needsConfirmation: needsConfirmation
        ) { _, order in order }
        return ExecutionsResource.started(execution)
    }

    // MARK: - Assets

    private func test(_ call: Call) async throws -> Reply {
        let id: AssetID = try call.id()
        if call.request.body.count > 0 {
            _ = try call.body { body in
                let action = body.optional("action", JSONRule<String>.text(max: 16), default: "test")
                if let action, action != "test" { body.fail("action", "Not a valid choice. Choose one of: test.") }
                return try body.finish(action)
            }
        }
        let organization = call.organization
        let execution = try await begin(
            TaskOrder(kind: .verifyAccount), .testAsset, call,
            objects: [AuditObject(kind: "asset", id: id.description)], needsConfirmation: false
        ) { transaction, order in
            _ = try transaction.keys.verified(Assets.get(id, in: organization, on: transaction.db))
            let accounts = try transaction.keys.verified(Accounts.all(of: id, in: organization, on: transaction.db))
            guard case .worker(let worker) = WorkerChoice.choose(among: accounts, named: nil, for: "") else {
                throw Refusal.conflict(Record.Reason.noWorker.words)
            }
            var order = order
            order.selection = [SelectedAccount(account: worker.id)]
            return order
        }
        return ExecutionsResource.started(execution)
    }

    // MARK: - Beginning

    /// Stores an execution of the order under a permit, and has it carried out.
    private func begin(
        _ order: TaskOrder, _ permission: Permission, _ call: Call, objects: [AuditObject], needsConfirmation: Bool,
        _ complete: @escaping @Sendable (Transaction, TaskOrder) throws -> TaskOrder
    ) async throws -> Execution {
        let organization = call.organization
        let execution = try await backend.gate.change(
            permission, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { permit in
            if needsConfirmation, !permit.principal.isConfirmed(at: backend.clock.now()) {
                throw Refusal.confirmationRequired("password")
            }
            let warrant = permit.warrant()
            let execution = try await backend.write(marking: call.origin.request) { transaction in
                let order = try complete(transaction, order)
                for selected in order.selection {
                    guard let row = try Accounts.get(selected.account, in: organization, on: transaction.db) else {
                        throw Refusal.invalid("accounts", "There is no such account.")
                    }
                    _ = try transaction.keys.verified(row)
                }
                return try ExecutionStart.order(
                    order, named: order.kind.label, by: warrant, at: transaction.now, keys: transaction.keys, on: transaction.db)
            }
            // It is stored, and so it is carried out, whether or not the outcome can be written down.
            backend.tasks.submit(execution)
            return .init(execution, objects: objects + [AuditObject(execution)])
        }
        return execution
    }
}
