internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Accounts without their secrets: `/api/v1/accounts/accounts/`. A secret goes in here and never comes out.
package enum AccountsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/accounts/accounts/", .permission(.viewAccount), "List accounts", response: schema, style: .list
            ) { try await list($0, backend) },
            Route(
                .post, "/api/v1/accounts/accounts/", .permission(.createAccount), "Create an account, or up to 1000 by an array",
                request: schema, response: schema, style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(
                .patch, "/api/v1/accounts/accounts/clear-secret/", .permission(.changeAccount),
                "Take the secrets of accounts away",
                request: clearing, response: cleared
            ) { try await clear($0, backend) },
            Route(.get, "/api/v1/accounts/accounts/{id}/", .permission(.viewAccount), "One account", response: schema) {
                try await show($0, backend)
            },
            Route(
                .put, "/api/v1/accounts/accounts/{id}/", .permission(.changeAccount), "Replace an account's fields",
                request: schema,
                response: schema
            ) { try await update($0, backend, keeps: false) },
            Route(
                .patch, "/api/v1/accounts/accounts/{id}/", .permission(.changeAccount), "Change some of an account's fields",
                request: schema, response: schema
            ) { try await update($0, backend, keeps: true) },
            Route(
                .delete, "/api/v1/accounts/accounts/{id}/", .permission(.deleteAccount), "Delete an account with its secrets",
                style: .empty
            ) { try await delete($0, backend) },
        ]
    }

    static let schema = Schema(
        "Account",
        [
            .field("id", .uuid, .readOnly), .field("asset", .related, .required, "Cannot be changed."),
            .field("name", .text(max: 128), .optional, "The user name unless given."),
            .field("username", .text(max: 128), .optional, "May be blank; cannot be changed."),
            .field("secret_type", .choice(SecretType.allCases.map(\.rawValue))),
            .field("secret", .secret(max: 40_960), .writeOnly, "Blank or absent leaves it as it is."),
            .field("passphrase", .secret(max: 512), .writeOnly, "Of the private key; the key is kept without it."),
            .field("has_secret", .boolean, .readOnly),
            .field(
                "change", .text(max: 16), .readOnly,
                "\"uncertain\" while it is not known which secret the target holds, or whether it still has the account; else null."
            ),
            .field("privileged", .boolean), .field("is_active", .boolean),
            .field("secret_reset", .boolean), .field("su_from", .related, .optional, "Another account of the asset, or null."),
            .field("version", .integer, .readOnly), .field("source", .choice(["local", "collected", "template"]), .readOnly),
            .field("source_id", .text(max: 128), .readOnly), .field("connectivity", .choice(["-", "ok", "err"]), .readOnly),
            .field("labels", .texts, .optional, "As name:value."), .field("date_change_secret", .dateTime, .readOnly),
            .field("date_verified", .dateTime, .readOnly), .field("date_created", .dateTime, .readOnly),
            .field("date_updated", .dateTime, .readOnly), .field("comment", .text(max: 4096)),
            .field("created_by", .text(max: 128), .readOnly), .field("updated_by", .text(max: 128), .readOnly),
            .field("org_id", .uuid, .readOnly), .field("org_name", .text(max: 128), .readOnly),
            .field("push_now", .boolean, .writeOnly, "Refused unless false: accounts/tasks/ pushes what is here."),
            .field("template", .anyObject, .writeOnly, "Refused unless null."),
            .field("on_invalid", .choice(["error"]), .writeOnly), .field("params", .anyObject, .writeOnly, "Not used."),
        ])
    private static let clearing = Schema("AccountsToClear", [.field("account_ids", .texts, .required, "Ids of accounts.")])
    private static let cleared = Schema("AccountsCleared", [.field("cleared", .integer, .readOnly)])
}

// MARK: - Reading

extension AccountsResource {
    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await backend.gate.view(.viewAccount, as: call.principal(), in: call.organization, from: call.origin) { _ in
            let page = try Page(call.query)
            let organization = call.organization
            let found = try await backend.read { transaction in
                let request = try request(call, page, transaction)
                let rows = try Accounts.list(request, in: organization, on: transaction.db)
                try page.requireWhole(rows.total)
                return ListPage(rows: try AccountView.views(of: rows.rows, in: organization, transaction), total: rows.total)
            }
            return .init(.list(found.rows, total: Int(clamping: found.total), page: page, call: call) { $0.write(to: &$1) })
        }
    }

    /// Filters of JumpServer's list that are not here. Left out like any unknown parameter they would show accounts that were not meant.
    private static let notOffered = [
        "attr_rules", "risk", "latest_discovery", "latest_accessed", "latest_updated", "latest_secret_changed",
        "latest_secret_change_failed", "long_time_no_change_secret", "long_time_no_login", "long_time_no_verified",
    ]

    private static func request(
        _ call: Call, _ page: Page, _ transaction: Transaction
    ) throws -> ListRequest<Storage.AccountField> {
        for name in notOffered where call.query[name] != nil { throw Refusal.invalid(name, "This filter is not offered.") }
        var request = try ListRequest<Storage.AccountField>(
            call, page, own: ["asset", "node_id", "node", "platform", "integrationapplication"])
        if let asset = try call.query.id("asset", of: Asset.self) { request.filters.append(ListFilter(.asset, anyOf: [asset])) }
        if let node = try call.query.id("node_id", of: Node.self) ?? call.query.id("node") {
            let tree = try NodeTree.stored(in: call.organization, transaction)
            request.filters.append(ListFilter(.node, anyOf: tree.descendants(of: node).sorted()))
        }
        if let platform = call.query.text("platform") {
            let name = Int(platform).flatMap { Platform.named(Platform.ID(rawValue: $0))?.name } ?? platform
            request.filters.append(ListFilter(.platform, .exact(.text(name))))
        }
        if let application = try call.query.id("integrationapplication", of: Application.self) {
            request.filters += try visible(to: application, call, transaction)
        }
        return request
    }

    /// What narrows the list to the accounts that an application's filter shows.
    private static func visible(
        to id: ApplicationID, _ call: Call, _ transaction: Transaction
    ) throws -> [ListFilter<Storage.AccountField>] {
        guard let stored = try Applications.get(id, in: call.organization, on: transaction.db) else {
            throw Refusal.invalid("integrationapplication", "There is no such application.")
        }
        let application = try transaction.keys.verified(stored)
        let tree = try NodeTree.stored(in: call.organization, transaction)
        guard let filter = try? AccountFilter(text: application.accounts),
            let conditions = try AccountScope(filter, nodes: tree).conditions(in: call.organization, transaction)
        else { throw Refusal.invalid("integrationapplication", "The accounts of this application are too many to tell.") }
        return conditions
    }

    private static func show(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id: AccountID = try call.id()
        let organization = call.organization
        return try await backend.gate.view(
            .viewAccount, as: call.principal(), in: organization, from: call.origin,
            objects: [AuditObject(kind: "account", id: id.description)]
        ) { _ in
            let view = try await backend.read { try AccountView.stored(id, in: organization, $0) }
            return .init(reply(view, status: 200), objects: [view.object])
        }
    }

    private static func reply(_ view: AccountView, status: Int) -> Reply {
        var writer = JSONWriter()
        view.write(to: &writer)
        return .json(status: status, writer.bytes)
    }
}

// MARK: - Changing

extension AccountsResource {
    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        if let many = try call.bodies({ try AccountInput($0, current: nil, keeps: false) }) {
            return try await createMany(many, call, backend)
        }
        let new = AccountBatch.New(try call.body { try AccountInput($0, current: nil, keeps: false) })
        return try await backend.gate.change(
            .createAccount, as: call.principal(), in: call.organization, from: call.origin, objects: [new.object]
        ) { permit in
            let change = AccountChange(backend, permit.warrant())
            let organization = call.organization
            let key = await new.input.unlocked()
            let (view, made) = try await backend.database.write { db in
                let made = try change.create(new.input, key, as: new.id, in: db)
                try change.mark(db)
                return (try AccountView.stored(new.id, in: organization, backend.transaction(db)), made)
            }
            return .init(reply(view, status: 201), objects: [view.object] + made)
        }
    }

    private static func createMany(_ inputs: [AccountInput], _ call: Call, _ backend: Backend) async throws -> Reply {
        guard inputs.count(where: { $0.passphrase != nil }) <= PrivateKeyInput.mostAtOnce else {
            throw Refusal.malformed("Expected \(PrivateKeyInput.mostAtOnce) keys with a passphrase at most in one request.")
        }
        let items = inputs.map { AccountBatch.New($0) }
        try await AccountBatch(backend: backend, call: call).create(items)
        let organization = call.organization
        let places = Dictionary(items.enumerated().map { ($0.element.id, $0.offset) }) { $1 }
        let views = try await backend.read { transaction in
            let request = ListRequest<Storage.AccountField>(
                filters: [ListFilter(.id, anyOf: items.map(\.id))], limit: Int64(items.count))
            let rows = try Accounts.list(request, in: organization, on: transaction.db).rows
            return try AccountView.views(of: rows, in: organization, transaction)
        }
        var writer = JSONWriter()
        writer.array { writer in
            for view in views.sorted(by: { places[$0.account.id] ?? 0 < places[$1.account.id] ?? 0 }) { view.write(to: &writer) }
        }
        return .json(status: 201, writer.bytes)
    }

    private static func update(_ call: Call, _ backend: Backend, keeps: Bool) async throws -> Reply {
        let id: AccountID = try call.id()
        let body = try call.json()
        let organization = call.organization
        let isForced = try call.query.flag("force") ?? false
        return try await backend.gate.change(
            .changeAccount, as: call.principal(), in: organization, from: call.origin,
            objects: [AuditObject(kind: "account", id: id.description)]
        ) { permit in
            let change = AccountChange(backend, permit.warrant(), isForced: isForced)
            let key = await PrivateKeyInput.unlocked(in: body)
            let (view, made) = try await backend.database.write { db in
                let made = try change.update(id, with: body, key, keeps: keeps, in: db)
                try change.mark(db)
                return (try AccountView.stored(id, in: organization, backend.transaction(db)), made)
            }
            // A version stands in the audit where the secret was changed.
            let isNewSecret = view.account.dateChangeSecret == change.now
            return .init(
                reply(view, status: 200), objects: [view.object] + made, version: isNewSecret ? view.account.stages.current : nil)
        }
    }

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id: AccountID = try call.id()
        let organization = call.organization
        let isForced = try call.query.flag("force") ?? false
        return try await backend.gate.change(
            .deleteAccount, as: call.principal(), in: organization, from: call.origin,
            objects: [AuditObject(kind: "account", id: id.description)]
        ) { permit in
            let change = AccountChange(backend, permit.warrant(), isForced: isForced)
            let object = try await backend.database.write { db in
                let object = try Accounts.get(id, in: organization, on: db).map { AuditObject($0.value) }
                try change.delete(id, in: db)
                try change.mark(db)
                return object
            }
            return .init(.empty, objects: object.map { [$0] } ?? [])
        }
    }

    private static func clear(_ call: Call, _ backend: Backend) async throws -> Reply {
        let ids: [AccountID] = try call.body { body in
            let ids = body.required("account_ids", .list(of: JSONRule<AccountID>.related(), max: Bulk.largest))
            return try body.finish(ids)
        }
        try await AccountBatch(backend: backend, call: call).clear(ids)
        return .object { $0.field("cleared", ids.count) }
    }
}
