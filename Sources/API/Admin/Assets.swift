internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// What has accounts: `/api/v1/assets/assets/`, and its views by category: `hosts/`, `databases/`, `devices/`.
package struct AssetsResource: Sendable {
    private let backend: Backend
    /// The one category that the view shows and takes; nil for all.
    private let category: Platform.Category?
    /// The one platform that the view shows; nil for all.
    var platform: Platform.ID?

    package static func routes(_ backend: Backend) -> [Route] {
        all(AssetsResource(backend: backend, category: nil)) + hosts(AssetsResource(backend: backend, category: .host))
            + databases(AssetsResource(backend: backend, category: .database))
            + devices(AssetsResource(backend: backend, category: .device))
            + gateways(AssetsResource(backend: backend, category: .host, platform: .gateway))
    }

    // MARK: - Routes

    private static func all(_ view: AssetsResource) -> [Route] {
        view.routes("/api/v1/assets/assets/", "/api/v1/assets/assets/{id}/", "assets")
    }

    private static func hosts(_ view: AssetsResource) -> [Route] {
        view.routes("/api/v1/assets/hosts/", "/api/v1/assets/hosts/{id}/", "hosts")
    }

    private static func databases(_ view: AssetsResource) -> [Route] {
        view.routes("/api/v1/assets/databases/", "/api/v1/assets/databases/{id}/", "databases")
    }

    private static func devices(_ view: AssetsResource) -> [Route] {
        view.routes("/api/v1/assets/devices/", "/api/v1/assets/devices/{id}/", "devices")
    }

    /// They are made and changed as the hosts that they are.
    private static func gateways(_ view: AssetsResource) -> [Route] {
        [
            Route(
                .get, "/api/v1/assets/gateways/", .permission(.viewAsset), "List gateways: hosts that lead into their zone",
                response: view.schema, style: .list
            ) { try await view.list($0) }
        ]
    }

    private func routes(_ list: StaticString, _ one: StaticString, _ noun: String) -> [Route] {
        [
            Route(.get, list, .permission(.viewAsset), "List \(noun)", response: schema, style: .list) {
                try await self.list($0)
            },
            Route(
                .post, list, .permission(.createAsset), "Create one of the \(noun), or several given as an array",
                request: schema,
                response: schema, style: .one(status: 201)
            ) { try await create($0) },
            Route(.get, one, .permission(.viewAsset), "Show one of the \(noun)", response: schema) { try await get($0) },
            Route(.put, one, .permission(.changeAsset), "Replace one of the \(noun)", request: schema, response: schema) {
                try await update($0, isPartial: false)
            },
            Route(.patch, one, .permission(.changeAsset), "Change one of the \(noun)", request: schema, response: schema) {
                try await update($0, isPartial: true)
            },
            Route(
                .delete, one, .permission(.deleteAsset), "Delete one of the \(noun) with its accounts and their secrets",
                style: .empty
            ) {
                try await delete($0)
            },
        ]
    }

    private var schema: Schema {
        let specifics = category.map { SpecificField.of($0) } ?? SpecificField.all
        return Schema(
            category.map { $0.rawValue.prefix(1).uppercased() + $0.rawValue.dropFirst() } ?? "Asset",
            [
                .field("id", .uuid, .readOnly), .field("name", .text(max: 128), .required),
                .field("address", .text(max: 767), .required),
                .field("platform", .related, .required),
                .field("category", .choice(Platform.Category.allCases.map(\.rawValue)), .readOnly),
                .field("type", .choice(Platform.types), .readOnly),
                .field("protocols", .list(of: [.field("name", .text(max: 32), .required), .field("port", .integer)])),
                .field("zone", .related, .optional, "Reached through the gateways of this zone; null: directly."),
                .field("nodes", .list(of: [.field("id", .uuid), .field("name", .text(max: 128))])),
                .field("nodes_display", .texts),
                .field("labels", .texts, .optional, "\"name:value\", ids, or objects."), .field("is_active", .boolean),
            ] + specifics.map(\.schema) + [
                .field("spec_info", .anyObject, .optional, "The fields of the category."), .field("comment", .text(max: 10_240)),
                .field("created_by", .text(max: 128), .readOnly), .field("updated_by", .text(max: 128), .readOnly),
                .field("date_created", .dateTime, .readOnly), .field("date_updated", .dateTime, .readOnly),
                .field("org_id", .uuid, .readOnly), .field("org_name", .text(max: 128), .readOnly),
            ])
    }

    // MARK: - Reading

    private func list(_ call: Call) async throws -> Reply {
        let page = try Page(call.query)
        let filter = try AssetListFilter(call)
        let request = try ListRequest<AssetField>(call, page, own: AssetListFilter.parameters)
        let organization = call.organization
        let (rows, total) = try await backend.view(.viewAsset, call) { transaction in
            var request = request
            request.filters += try filter.filters(in: organization, on: transaction.db)
            if let category { request.filters.append(ListFilter(.category, .exact(.text(category.rawValue)))) }
            if let platform { request.filters.append(ListFilter(.platformID, .exact(.integer(Int64(platform.rawValue))))) }
            let found = try Assets.list(request, in: organization, on: transaction.db)
            try page.requireWhole(found.total)
            var views = try AssetViews(in: organization, transaction)
            return (try transaction.keys.verified(found.rows).map { try views.view($0) }, found.total)
        }
        return .list(rows, total: Int(total), page: page, call: call) { row, writer in
            writer.object { row.write(in: category, &$0) }
        }
    }

    private func get(_ call: Call) async throws -> Reply {
        let id = try call.id(of: Asset.self)
        let organization = call.organization
        let row = try await backend.view(
            .viewAsset, call, objects: [Self.object(id)], naming: { (row: AssetView) in [Self.object(id, row.asset.name)] }
        ) { transaction in
            var views = try AssetViews(in: organization, transaction)
            return try views.view(stored(id, in: organization, transaction))
        }
        return .object { row.write(in: category, &$0) }
    }

    /// The asset of that id, if the view shows it.
    private func stored(_ id: AssetID, in organization: OrganizationID, _ transaction: Transaction) throws -> Asset {
        let asset = try transaction.keys.verified(Assets.get(id, in: organization, on: transaction.db))
        guard category == nil || Platform.named(asset.platform)?.category == category else { throw Refusal.notFound }
        return asset
    }

    // MARK: - Changing

    private func create(_ call: Call) async throws -> Reply {
        let inputs = try call.bodies { try AssetInput($0, isPartial: false) }
        let items = try (inputs ?? [call.body { try AssetInput($0, isPartial: false) }]).map { (id: AssetID.random(), input: $0) }
        let organization = call.organization
        let principal = try call.principal()
        if inputs != nil { try await requireFree(items.map { $0.input.name ?? "" }, in: organization) }
        let rows = try await backend.create(
            .createAsset, call, items, isList: inputs != nil, object: { Self.object($0.id, $0.input.name ?? "") },
            also: { (row: AssetView) in row.madeLabels.map { $0.auditObject } }
        ) { transaction, item in
            var asset = Asset(
                id: item.id, organization: organization, name: "", address: "", platform: Platform.ID(rawValue: 0),
                createdBy: principal.actor.name, updatedBy: principal.actor.name, dateCreated: transaction.now,
                dateUpdated: transaction.now)
            var labels = LabelResolver(organization, transaction, for: principal)
            try item.input.apply(to: &asset, isPartial: false, in: category, &labels, transaction)
            let row = try transaction.keys.authenticated(asset)
            try transaction.unique("name") { try Assets.insert(row, on: transaction.db) }
            try transaction.pauseNewGateway(asset)
            var views = try AssetViews(in: organization, transaction)
            var view = try views.view(asset)
            view.madeLabels = labels.made
            return view
        }
        return .created(rows, isList: inputs != nil) { $0.write(in: category, &$1) }
    }

    /// Refuses names that are taken before anything of a long list is made. The table has the last word.
    private func requireFree(_ names: [String], in organization: OrganizationID) async throws {
        let taken = try await backend.read { transaction in
            var seen: Set<String> = []
            return try names.indices.filter {
                try !seen.insert(names[$0]).inserted || Assets.get(named: names[$0], in: organization, on: transaction.db) != nil
            }
        }
        guard taken.isEmpty else {
            throw Refusal.invalid(Dictionary(uniqueKeysWithValues: taken.map { ("\($0).name", ["This field must be unique."]) }))
        }
    }

    private func update(_ call: Call, isPartial: Bool) async throws -> Reply {
        let id = try call.id(of: Asset.self)
        let organization = call.organization
        let input = try call.body { try AssetInput($0, isPartial: isPartial) }
        let principal = try call.principal()
        let isForced = try call.query.flag("force") ?? false
        let row = try await backend.change(
            .changeAsset, call, objects: [Self.object(id)],
            naming: { (row: AssetView) in [Self.object(id, row.asset.name)] + row.madeLabels.map { $0.auditObject } }
        ) { transaction in
            let before = try stored(id, in: organization, transaction)
            var asset = before
            var labels = LabelResolver(organization, transaction, for: principal)
            try input.apply(to: &asset, isPartial: isPartial, in: category, &labels, transaction)
            try guardEdit(of: before, to: asset, isForced: isForced, by: principal.actor.name, transaction)
            asset.updatedBy = principal.actor.name
            asset.dateUpdated = transaction.now
            let row = try transaction.keys.authenticated(asset)
            guard try transaction.unique("name", { try Assets.update(row, on: transaction.db) }) else { throw Refusal.notFound }
            try transaction.pauseNewGateway(asset)
            var views = try AssetViews(in: organization, transaction)
            var view = try views.view(asset)
            view.madeLabels = labels.made
            return view
        }
        return .object { row.write(in: category, &$0) }
    }

    /// An edit of where secrets are sent waits for open changes, and pauses the work on the asset until somebody confirms it.
    private func guardEdit(
        of before: Asset, to asset: Asset, isForced: Bool, by author: String, _ transaction: Transaction
    ) throws {
        guard before.endpoint != asset.endpoint || before.name != asset.name else { return }
        try OpenChanges(db: transaction.db, organization: asset.organization, isForced: isForced).requireNone(on: asset.id)
        try transaction.rememberEndpoint(of: before, editedTo: asset, by: author)
    }

    private func delete(_ call: Call) async throws -> Reply {
        let id = try call.id(of: Asset.self)
        let organization = call.organization
        let isForced = try call.query.flag("force") ?? false
        let author = try call.principal().actor.name
        let now = backend.clock.now()
        // Read without a check of the row's code: what was tampered with can still be deleted.
        let found = try await backend.read { try Assets.get(id, in: organization, on: $0.db)?.value }
        let isShown = found.map { category == nil || Platform.named($0.platform)?.category == category } ?? false
        let objects = [Self.object(id, isShown ? found?.name ?? "" : "")]
        try await backend.gate.change(
            .deleteAsset, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { _ in
            guard isShown else { throw Refusal.notFound }
            try await backend.database.write { db in
                try OpenChanges(db: db, organization: organization, isForced: isForced)
                    .requireNone(ofDeleted: id, by: author, now: now)
            }
            guard
                try await backend.database.deleteAsset(id, in: organization, marking: call.origin.request, at: now)
            else { throw Refusal.notFound }
            return .init((), objects: objects)
        }
        return .empty
    }

    private static func object(_ id: AssetID, _ name: String = "") -> AuditObject {
        AuditObject(kind: "asset", id: id.description, name: name)
    }
}
