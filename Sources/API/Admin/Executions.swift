internal import Access
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Runs of tasks: `/api/v1/accounts/change-secret-executions/` and its relatives.
package struct ExecutionsResource: Sendable {
    private let backend: Backend
    private let paths: AutomationPaths

    package static func routes(_ backend: Backend) -> [Route] {
        AutomationPaths.all.flatMap { ExecutionsResource(backend: backend, paths: $0).routes }
    }

    private var routes: [Route] {
        let path = paths.executions
        return [
            Route(
                .get, path, .permission(.viewExecution), "List executions of \(paths.noun)s", response: ExecutionView.schema,
                style: .list
            ) { try await list($0) },
            Route(
                .post, path, .permission(.runAutomation), "Run a \(paths.noun) now", request: Self.run, response: Self.started,
                style: .one(status: 201)
            ) { try await start($0) },
            Route(
                .get, path, "{id}/", .permission(.viewExecution), "One execution with its progress and summary",
                response: ExecutionView.schema
            ) { try await show($0) },
            Route(
                .get, path, "{id}/log/", .permission(.viewExecution), "What an execution did, step by step, as text"
            ) { try await log($0) },
            Route(
                .post, path, "{id}/cancel/", .permission(.runAutomation),
                "Stop an execution: accounts under way are finished, no other is begun", response: ExecutionView.schema
            ) { try await cancel($0) },
        ]
    }

    private static let run = Schema("ExecutionToStart", [.field("automation", .related, .required)])
    static let started = Schema("ExecutionStarted", [.field("task", .uuid, .readOnly, "The id of the execution.")])

    // MARK: - Reading

    private func list(_ call: Call) async throws -> Reply {
        let page = try Page(call.query)
        var wanted = try ListRequest<ExecutionField>(call, page, own: ["automation"])
        if let task = try call.query.id("automation", of: AutomationTask.self) {
            wanted.filters.append(ListFilter(.automation, anyOf: [task]))
        }
        wanted.filters.append(ListFilter(.type, .anyOf(paths.kinds.map { .text($0.rawValue) })))
        let (request, organization) = (wanted, call.organization)
        let found = try await backend.viewSound(.viewExecution, call, page) { transaction in
            let list = try Executions.found(request, in: organization, on: transaction.db)
            try page.requireWhole(list.total)
            let (executions, damaged) = transaction.keys.sound(list.rows)
            return SoundPage(rows: try ExecutionView.views(executions, transaction), total: list.total, damaged: damaged)
        }
        return .list(found.rows, total: Int(clamping: found.total), page: page, call: call, damaged: found.damaged.count) {
            $0.write(to: &$1)
        }
    }

    private func show(_ call: Call) async throws -> Reply {
        let id: ExecutionID = try call.id()
        let view = try await backend.view(.viewExecution, call, objects: [Self.object(id)], naming: { [$0.object] }) {
            try stored(id, in: call.organization, $0)
        }
        return view.reply
    }

    private func log(_ call: Call) async throws -> Reply {
        let id: ExecutionID = try call.id()
        let organization = call.organization
        let text = try await backend.view(.viewExecution, call, objects: [Self.object(id)]) { transaction in
            let view = try stored(id, in: organization, transaction)
            let request = ListRequest<RecordField>(
                filters: [ListFilter(.execution, anyOf: [id])], order: [ListOrder(.dateCreated), ListOrder(.assetName)],
                limit: ExecutionLog.mostRecords)
            let records = try Records.list(request, in: organization, on: transaction.db)
            return ExecutionLog(
                execution: view.execution, records: try transaction.keys.verified(records.rows), total: records.total
            ).text
        }
        return .body(status: 200, contentType: "text/plain; charset=utf-8", Array(text.utf8))
    }

    private func stored(
        _ id: ExecutionID, in organization: OrganizationID, _ transaction: Transaction
    ) throws -> ExecutionView {
        let execution = try transaction.keys.verified(Executions.get(id, in: organization, on: transaction.db))
        guard paths.kinds.contains(execution.kind), let view = try ExecutionView.views([execution], transaction).first else {
            throw Refusal.notFound
        }
        return view
    }

    // MARK: - Running

    private func start(_ call: Call) async throws -> Reply {
        let task: AutomationTaskID = try call.body { body in
            let task: AutomationTaskID? = body.required("automation", .related())
            return try body.finish(task)
        }
        let (organization, kind) = (call.organization, paths.kind)
        let execution = try await backend.gate.change(
            .runAutomation, as: call.principal(), in: organization, from: call.origin,
            objects: [AutomationTasksResource.object(task)]
        ) { permit in
            let warrant = permit.warrant()
            let execution = try await backend.write(marking: call.origin.request) { transaction in
                guard let row = try AutomationTasks.get(task, in: organization, on: transaction.db), row.value.kind == kind else {
                    throw Refusal.invalid("automation", "There is no such task.")
                }
                let stored = try transaction.keys.verified(row)
                guard stored.isActive else { throw Refusal.conflict("The task is switched off.") }
                let execution = try ExecutionStart.task(
                    stored, trigger: .manual, by: warrant, at: transaction.now, keys: transaction.keys, on: transaction.db)
                var state =
                    try TaskStates.get(task, in: organization, on: transaction.db)
                    ?? TaskState(task: task, organization: organization)
                (state.lastRun, state.lastExecution) = (transaction.now, execution.id)
                try TaskStates.put(state, on: transaction.db)
                return execution
            }
            // It is stored, and so it is carried out, whether or not the outcome can be written down.
            backend.tasks.submit(execution)
            return .init(
                execution,
                objects: [
                    AuditObject(kind: "automation", id: task.description, name: execution.taskName), AuditObject(execution),
                ])
        }
        return Self.started(execution)
    }

    static func started(_ execution: Execution) -> Reply { .object(status: 201) { $0.field("task", execution.id) } }

    /// One that has ended already stays as it is, so that asking twice does no harm.
    private func cancel(_ call: Call) async throws -> Reply {
        let id: ExecutionID = try call.id()
        let organization = call.organization
        return try await backend.gate.change(
            .runAutomation, as: call.principal(), in: organization, from: call.origin, objects: [Self.object(id)]
        ) { _ in
            // Nobody stops what he cannot see: the executor knows ids alone, and not whose they are.
            _ = try await backend.read { try stored(id, in: organization, $0) }
            let isHere = backend.tasks.cancel(id)
            let view = try await backend.write(marking: call.origin.request) { transaction in
                let view = try stored(id, in: organization, transaction)
                // What runs here closes itself; what only waits is closed now.
                guard view.execution.status == .pending || (!isHere && view.execution.status.isOpen) else { return view }
                var execution = view.execution
                execution.status = .canceled
                execution.dateFinished = transaction.now
                _ = try Executions.update(transaction.keys.authenticated(execution), on: transaction.db)
                return try stored(id, in: organization, transaction)
            }
            return .init(view.reply, objects: [view.object], reason: "cancel")
        }
    }

    private static func object(_ id: ExecutionID) -> AuditObject { AuditObject(kind: "execution", id: id.description) }
}

extension AuditObject {
    init(_ execution: Execution) { self.init(kind: "execution", id: execution.id.description, name: execution.taskName) }
}
