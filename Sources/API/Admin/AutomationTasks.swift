internal import Access
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Tasks of each kind: `/api/v1/accounts/change-secret-automations/` and its relatives.
package struct AutomationTasksResource: Sendable {
    private let backend: Backend
    private let paths: AutomationPaths
    private var kind: TaskKind { paths.kind }

    package static func routes(_ backend: Backend) -> [Route] {
        AutomationPaths.all.flatMap { paths in
            let resource = AutomationTasksResource(backend: backend, paths: paths)
            return resource.collection + resource.parts
        }
    }

    // MARK: - Routes

    private var collection: [Route] {
        let schema = Self.schema(of: kind)
        let path = paths.tasks
        return [
            Route(.get, path, .permission(.viewAutomation), "List \(paths.noun)s", response: schema, style: .list) {
                try await list($0)
            },
            Route(
                .post, path, .permission(.createAutomation), "Define a \(paths.noun)", request: schema, response: schema,
                style: .one(status: 201)
            ) { try await create($0) },
            Route(.get, path, "{id}/", .permission(.viewAutomation), "One \(paths.noun)", response: schema) {
                try await show($0)
            },
            Route(
                .put, path, "{id}/", .permission(.changeAutomation), "Replace a \(paths.noun)", request: schema, response: schema
            ) { try await update($0, keeps: false) },
            Route(
                .patch, path, "{id}/", .permission(.changeAutomation), "Change a \(paths.noun); is_active switches it on and off",
                request: schema, response: schema
            ) { try await update($0, keeps: true) },
            Route(
                .delete, path, "{id}/", .permission(.deleteAutomation), "Delete a \(paths.noun); its executions and records stay",
                style: .empty
            ) { try await delete($0) },
        ]
    }

    private var parts: [Route] {
        let schema = Self.schema(of: kind)
        let path = paths.tasks
        return [
            Route(
                .post, path, "{id}/duplicate/", .permission(.createAutomation), "A copy of a \(paths.noun), switched off",
                response: schema, style: .one(status: 201)
            ) { try await duplicate($0) },
            Route(
                .post, path, "{id}/dry-run/", .permission(.runAutomation),
                "What a \(paths.noun) would do now: to which accounts, by whom, and what is refused and why",
                response: DryRunView.schema
            ) { try await dryRun($0) },
            Route(
                .get, path, "{id}/assets/", .permission(.viewAutomation), "Assets that a \(paths.noun) names",
                response: Self.named, style: .list
            ) { try await assets($0) },
            Route(
                .patch, path, "{id}/asset/add/", .permission(.changeAutomation), "Add assets to a \(paths.noun)",
                request: Self.assetList, response: schema
            ) { try await change($0, isAdding: true) },
            Route(
                .patch, path, "{id}/asset/remove/", .permission(.changeAutomation), "Take assets from a \(paths.noun)",
                request: Self.assetList, response: schema
            ) { try await change($0, isAdding: false) },
            Route(
                .patch, path, "{id}/nodes/", .permission(.changeAutomation),
                "Add nodes to a \(paths.noun), or take them away with ?action=remove", request: Self.nodeList, response: schema
            ) { try await changeNodes($0) },
        ]
    }

    // MARK: - Schemas

    static func schema(of kind: TaskKind) -> Schema {
        let name = AutomationPaths.all.first { $0.kind == kind }?.name ?? ""
        var fields: [Schema.Field] = [
            .field("id", .uuid, .readOnly), .field("name", .text(max: 128), .required),
            .field("type", .choice([kind.rawValue]), .readOnly),
            .field("accounts", .texts, .required, "User names; @ALL for every account that the vault has on an asset."),
            .field("assets", .list(of: [.field("id", .uuid), .field("name", .text(max: 128))])),
            .field(
                "nodes", .list(of: [.field("id", .uuid), .field("name", .text(max: 128))]), .optional, "With all below them."),
            .field(
                "worker", .text(max: 128), .optional, "User name of the account that does the work; a privileged one if null."),
        ]
        if kind.changesTarget {
            fields += [
                .field("params", .anyObject, .optional, "Settings by platform type or method."),
                .field("include_privileged", .boolean, .optional, "Needs a fresh confirmation."),
                .field("include_system", .boolean, .optional, "Needs a fresh confirmation."),
            ]
        }
        if kind == .pushAccount {
            fields.append(.field("on_existing", .choice(ExistingPolicy.allCases.map(\.rawValue))))
        }
        if kind.setsSecret { fields += secretFields }
        return Schema(name + "Automation", fields + timingFields + commonFields)
    }

    private static let secretFields: [Schema.Field] = [
        .field("secret_type", .choice(["password", "ssh_key"])),
        .field("secret_strategy", .choice(SecretStrategy.allCases.map(\.rawValue)), .required),
        .field("secret", .secret(max: 40_960), .writeOnly, "Of a specific strategy; blank or absent leaves it as it is."),
        .field("passphrase", .secret(max: 512), .writeOnly, "Of the private key; the key is kept without it."),
        .field("has_secret", .boolean, .readOnly), .field("password_rules", .anyObject, .optional, "The platform's if null."),
        .field("ssh_key_change_strategy", .choice(KeyChangeStrategy.allCases.map(\.rawValue))),
        .field("check_conn_after_change", .boolean),
    ]
    private static let timingFields: [Schema.Field] = [
        .field("is_periodic", .boolean),
        .field(
            "crontab", .text(max: 128), .optional,
            "Five fields or @daily and the like, 12 starts an hour at most; wins over interval."),
        .field("interval", .integer, .optional, "Hours."), .field("timezone", .text(max: 64), .optional, "UTC unless given."),
        .field("start_time", .dateTime),
        .field("on_missed", .choice(TaskSchedule.Missed.allCases.map(\.rawValue))),
        .field("jitter", .integer, .optional, "A run begins at most so many seconds after its time."),
        .field("date_next_run", .dateTime, .readOnly), .field("date_last_run", .dateTime, .readOnly),
        .field("last_execution", .uuid, .readOnly), .field("is_overdue", .boolean, .readOnly),
        .field("date_overdue", .dateTime, .readOnly),
    ]
    private static let commonFields: [Schema.Field] = [
        .field("recipients", .texts, .optional, "Email addresses."), .field("is_active", .boolean),
        .field("date_created", .dateTime, .readOnly), .field("date_updated", .dateTime, .readOnly),
        .field("comment", .text(max: 4096)), .field("created_by", .text(max: 128), .readOnly),
        .field("updated_by", .text(max: 128), .readOnly), .field("org_id", .uuid, .readOnly),
        .field("org_name", .text(max: 128), .readOnly),
    ]
    private static let named = Schema(
        "AutomationAsset", [.field("id", .uuid, .readOnly), .field("name", .text(max: 128), .readOnly)])
    private static let assetList = Schema("AutomationAssets", [.field("assets", .texts)])
    private static let nodeList = Schema("AutomationNodes", [.field("nodes", .texts)])
}

// MARK: - Reading

extension AutomationTasksResource {
    private func list(_ call: Call) async throws -> Reply {
        let page = try Page(call.query)
        var wanted = try ListRequest<AutomationTaskField>(call, page)
        wanted.filters.append(ListFilter(.type, .exact(.text(kind.rawValue))))
        let (request, organization, agenda) = (wanted, call.organization, backend.tasks.agenda)
        let found = try await backend.viewSound(.viewAutomation, call, page) { transaction in
            let list = try AutomationTasks.found(request, in: organization, on: transaction.db)
            try page.requireWhole(list.total)
            let (tasks, damaged) = transaction.keys.sound(list.rows)
            var views = try AutomationTaskViews(in: organization, agenda, transaction)
            return SoundPage(rows: try views.views(tasks), total: list.total, damaged: damaged)
        }
        return .list(found.rows, total: Int(clamping: found.total), page: page, call: call, damaged: found.damaged.count) {
            $0.write(to: &$1)
        }
    }

    private func show(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let (organization, agenda, kind) = (call.organization, backend.tasks.agenda, kind)
        let view = try await backend.view(.viewAutomation, call, objects: [Self.object(id)], naming: { [$0.object] }) {
            transaction in
            let task = try transaction.keys.verified(AutomationTasks.get(id, in: organization, on: transaction.db))
            guard task.kind == kind else { throw Refusal.notFound }
            var views = try AutomationTaskViews(in: organization, agenda, transaction)
            return try views.view(task)
        }
        return Self.reply(view)
    }

    private static let listedAssets = ShortList<(id: AssetID, name: String)>(fields: [
        .text("id") { $0.id.description }, .text("name", searched: true) { $0.name },
    ])

    private func assets(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let page = try Page(call.query)
        let (organization, agenda, kind) = (call.organization, backend.tasks.agenda, kind)
        let view = try await backend.view(.viewAutomation, call, objects: [Self.object(id)], naming: { [$0.object] }) {
            transaction in
            let task = try transaction.keys.verified(AutomationTasks.get(id, in: organization, on: transaction.db))
            guard task.kind == kind else { throw Refusal.notFound }
            var views = try AutomationTaskViews(in: organization, agenda, transaction)
            return try views.view(task)
        }
        let found = try Self.listedAssets.matching(view.assets, call, page)
        return .list(page.cut(found), total: found.count, page: page, call: call) { asset, writer in
            writer.object {
                $0.field("id", asset.id)
                $0.field("name", asset.name)
            }
        }
    }

    private func dryRun(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let (organization, abilities, kind) = (call.organization, backend.tasks.abilities, kind)
        let view = try await backend.view(.runAutomation, call, objects: [Self.object(id)], naming: { [AuditObject($0.task)] }) {
            transaction in
            let task = try transaction.keys.verified(AutomationTasks.get(id, in: organization, on: transaction.db))
            guard task.kind == kind else { throw Refusal.notFound }
            let scope = TaskScope(task.order, in: organization, abilities: abilities)
            return DryRunView(task: task, plan: try scope.forecast(with: transaction.keys, on: transaction.db))
        }
        return view.reply
    }

    static func object(_ id: AutomationTaskID) -> AuditObject { AuditObject(kind: "automation", id: id.description) }

    private static func reply(_ view: AutomationTaskView, status: Int = 200) -> Reply {
        var writer = JSONWriter()
        view.write(to: &writer)
        return .json(status: status, writer.bytes)
    }
}

// MARK: - Changing

extension AutomationTasksResource {
    private func create(_ call: Call) async throws -> Reply {
        let kind = kind
        let input = try call.body { try AutomationTaskInput($0, kind: kind, current: nil, keeps: false) }
        let secret = try await input.makeSecret(for: platforms(of: input, call.organization))
        return try await changing(.createAutomation, call, [], status: 201) { try $0.create(input, secret, $1) }
    }

    /// The types of the platforms on which a task sets the password that comes with it; none where they need not be known.
    private func platforms(of input: AutomationTaskInput?, _ organization: OrganizationID) async throws -> Set<String> {
        guard let input, input.bringsPasswordWithoutRules else { return [] }
        let order = input.order
        let platforms = try await backend.read { transaction in
            var nodes: Set<NodeID> = []
            if !order.nodes.isEmpty {
                let tree = try NodeTree.stored(in: organization, transaction)
                nodes = order.nodes.reduce(into: []) { $0.formUnion(tree.descendants(of: $1)) }
            }
            return try Assets.platforms(
                of: order.assets, under: nodes.sorted(), in: organization, on: transaction.db)
        }
        return Set(platforms.compactMap { Platform.named($0)?.type })
    }

    private func update(_ call: Call, keeps: Bool) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let body = try call.json()
        let (organization, kind) = (call.organization, kind)
        // Read once more in the transaction: what is missing or damaged here is refused there, on the record.
        let current = try await backend.read { transaction in
            try AutomationTasks.get(id, in: organization, on: transaction.db).flatMap { try? transaction.keys.verified($0) }
        }
        let input = try current.flatMap { current in
            current.kind == kind
                ? try body.fields { try AutomationTaskInput($0, kind: kind, current: current, keeps: keeps) } : nil
        }
        let secret = try await input?.makeSecret(for: platforms(of: input, organization))
        return try await changing(.changeAutomation, call, [Self.object(id)]) { change, transaction in
            let task = try change.stored(id, transaction)
            guard let input, task == current else { throw Refusal.conflict("The task was changed meanwhile: try again.") }
            return try change.update(id, with: input, secret, transaction)
        }
    }

    private func duplicate(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let name: String? =
            call.request.body.count == 0
            ? nil
            : try call.body { body in
                let name = body.nullable("name", .text(max: 128))
                try body.finish()
                return name
            }
        return try await changing(.createAutomation, call, [Self.object(id)], status: 201) {
            try $0.duplicate(id, named: name, $1)
        }
    }

    private func change(_ call: Call, isAdding: Bool) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let assets: [AssetID] = try call.body { body in
            let assets = body.optional("assets", .list(of: JSONRule<AssetID>.related(), max: 5000), default: [])
            return try body.finish(assets)
        }
        return try await changing(.changeAutomation, call, [Self.object(id)]) {
            try $0.change(id, assets: assets, nodes: [], isAdding: isAdding, $1)
        }
    }

    private func changeNodes(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let action = call.query.text("action") ?? "add"
        guard ["add", "remove"].contains(action) else { throw Refusal.invalid("action", "Expected add or remove.") }
        let nodes: [NodeID] = try call.body { body in
            let nodes = body.optional("nodes", .list(of: JSONRule<NodeID>.related(), max: 1000), default: [])
            return try body.finish(nodes)
        }
        return try await changing(.changeAutomation, call, [Self.object(id)]) {
            try $0.change(id, assets: [], nodes: nodes, isAdding: action == "add", $1)
        }
    }

    private func delete(_ call: Call) async throws -> Reply {
        let id: AutomationTaskID = try call.id()
        let (organization, kind) = (call.organization, kind)
        // Read without a check of the row's code, and only if it can be read: what was tampered with can still be deleted.
        let found = try await backend.read { try? AutomationTasks.get(id, in: organization, on: $0.db)?.value }
        let objects = found.map { [AuditObject($0)] } ?? [Self.object(id)]
        try await backend.gate.change(
            .deleteAutomation, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { permit in
            let change = AutomationTaskChange(backend, permit.warrant(), kind)
            try await backend.write(marking: call.origin.request) { try change.delete(id, $0) }
            return .init((), objects: objects)
        }
        return .empty
    }

    /// Changes one task under a permit and answers with it.
    private func changing(
        _ permission: Permission, _ call: Call, _ objects: [AuditObject], status: Int = 200,
        _ act: @escaping @Sendable (AutomationTaskChange, Transaction) throws -> AutomationTask
    ) async throws -> Reply {
        let (organization, kind, agenda) = (call.organization, kind, backend.tasks.agenda)
        return try await backend.gate.change(
            permission, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { permit in
            let change = AutomationTaskChange(backend, permit.warrant(), kind)
            let view = try await backend.write(marking: call.origin.request) { transaction in
                let task = try act(change, transaction)
                var views = try AutomationTaskViews(in: organization, agenda, transaction)
                return try views.view(task)
            }
            return .init(Self.reply(view, status: status), objects: [view.object])
        }
    }
}
