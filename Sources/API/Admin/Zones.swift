internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Networks that are reached through gateways: `/api/v1/assets/zones/`.
package enum ZonesResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(.get, "/api/v1/assets/zones/", .permission(.viewZone), "List zones", response: schema, style: .list) {
                try await list($0, backend)
            },
            Route(
                .post, "/api/v1/assets/zones/", .permission(.createZone), "Create a zone, or several given as an array",
                request: schema, response: schema, style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(.get, "/api/v1/assets/zones/{id}/", .permission(.viewZone), "Show a zone", response: schema) {
                try await get($0, backend)
            },
            Route(
                .put, "/api/v1/assets/zones/{id}/", .permission(.changeZone), "Replace a zone", request: schema, response: schema
            ) { try await update($0, backend, isPartial: false) },
            Route(
                .patch, "/api/v1/assets/zones/{id}/", .permission(.changeZone), "Change a zone", request: schema, response: schema
            ) { try await update($0, backend, isPartial: true) },
            Route(
                .delete, "/api/v1/assets/zones/{id}/", .permission(.deleteZone), "Delete a zone that no asset is in",
                style: .empty
            ) { try await delete($0, backend) },
        ]
    }

    private static let schema = Schema(
        "Zone",
        [
            .field("id", .uuid, .readOnly), .field("name", .text(max: 128), .required),
            .field(
                "gateways", .list(of: [.field("id", .uuid), .field("name", .text(max: 128))]), .readOnly,
                "Hosts of platform Gateway whose zone it is; the first by name that can be used is."),
            .field("assets_amount", .integer, .readOnly, "Assets in the zone, gateways aside."),
            .field("comment", .text(max: 10_240)), .field("created_by", .text(max: 128), .readOnly),
            .field("updated_by", .text(max: 128), .readOnly), .field("date_created", .dateTime, .readOnly),
            .field("date_updated", .dateTime, .readOnly), .field("org_id", .uuid, .readOnly),
            .field("org_name", .text(max: 128), .readOnly),
        ])

    // MARK: - Reading

    private struct Shown: Sendable {
        let zone: Zone
        let gateways: [Asset]
        let assetCount: Int64
        let organization: String
    }

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        let page = try Page(call.query)
        let request = try ListRequest<ZoneField>(call, page)
        let organization = call.organization
        let (rows, total) = try await backend.view(.viewZone, call) { transaction in
            let found = try Zones.list(request, in: organization, on: transaction.db)
            try page.requireWhole(found.total)
            return (try transaction.keys.verified(found.rows).map { try shown($0, transaction) }, found.total)
        }
        return .list(rows, total: Int(total), page: page, call: call) { row, writer in writer.object { write(row, &$0) } }
    }

    private static func get(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Zone.self)
        let organization = call.organization
        let row = try await backend.view(.viewZone, call, objects: [object(id)], naming: { [object(id, $0.zone.name)] }) {
            try shown($0.keys.verified(Zones.get(id, in: organization, on: $0.db)), $0)
        }
        return .object { write(row, &$0) }
    }

    private static func shown(_ zone: Zone, _ transaction: Transaction) throws -> Shown {
        let (organization, db) = (zone.organization, transaction.db)
        return Shown(
            zone: zone, gateways: try transaction.keys.verified(Zones.gateways(of: zone.id, in: organization, on: db)),
            assetCount: try Zones.assetCount(of: zone.id, in: organization, on: db),
            organization: try transaction.organizationName(organization))
    }

    // MARK: - Changing

    /// What a body says; nil for what it leaves out.
    private struct Input: Sendable {
        let name: String?
        let comment: String?

        init(_ body: JSONObjectReader, isPartial: Bool) throws {
            name = isPartial ? body.optional("name", .text(max: 128)) : body.required("name", .text(max: 128))
            comment = body.optional("comment", .text(max: 10_240, blank: true))
            body.ignoreReadOnly(of: schema)
            try body.finish()
        }
    }

    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        let organization = call.organization
        let author = try call.principal().actor.name
        let inputs = try call.bodies { try Input($0, isPartial: false) }
        let items = try (inputs ?? [call.body { try Input($0, isPartial: false) }]).map { (id: ZoneID.random(), input: $0) }
        let rows = try await backend.create(
            .createZone, call, items, isList: inputs != nil, object: { object($0.id, $0.input.name ?? "") }
        ) { transaction, item in
            let zone = Zone(
                id: item.id, organization: organization, name: item.input.name ?? "", comment: item.input.comment ?? "",
                createdBy: author, updatedBy: author, dateCreated: transaction.now, dateUpdated: transaction.now)
            try transaction.unique("name") { try Zones.insert(transaction.keys.authenticated(zone), on: transaction.db) }
            return try shown(zone, transaction)
        }
        return .created(rows, isList: inputs != nil) { write($0, &$1) }
    }

    private static func update(_ call: Call, _ backend: Backend, isPartial: Bool) async throws -> Reply {
        let id = try call.id(of: Zone.self)
        let organization = call.organization
        let author = try call.principal().actor.name
        let input = try call.body { try Input($0, isPartial: isPartial) }
        let row = try await backend.change(
            .changeZone, call, objects: [object(id)], naming: { [object(id, $0.zone.name)] }
        ) { transaction in
            var zone = try transaction.keys.verified(Zones.get(id, in: organization, on: transaction.db))
            zone.name = input.name ?? zone.name
            zone.comment = input.comment ?? (isPartial ? zone.comment : "")
            zone.updatedBy = author
            zone.dateUpdated = transaction.now
            let row = try transaction.keys.authenticated(zone)
            guard try transaction.unique("name", { try Zones.update(row, on: transaction.db) }) else { throw Refusal.notFound }
            return try shown(zone, transaction)
        }
        return .object { write(row, &$0) }
    }

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Zone.self)
        let organization = call.organization
        _ = try await backend.change(.deleteZone, call, objects: [object(id)], naming: { [object(id, $0)] }) { transaction in
            let db = transaction.db
            // Its code is not checked: what was tampered with can still be deleted.
            guard let name = try Zones.get(id, in: organization, on: db)?.value.name else { throw Refusal.notFound }
            let gateways = try Zones.gateways(of: id, in: organization, on: db).count
            let assets = try Zones.assetCount(of: id, in: organization, on: db)
            guard gateways == 0, assets == 0 else {
                throw Refusal.conflict("\(assets) assets and \(gateways) gateways are in the zone.")
            }
            _ = try Zones.delete(id, in: organization, on: db)
            return name
        }
        return .empty
    }

    // MARK: - Form

    private static func object(_ id: ZoneID, _ name: String = "") -> AuditObject {
        AuditObject(kind: "zone", id: id.description, name: name)
    }

    private static func write(_ row: Shown, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", row.zone.id)
        writer.field("name", row.zone.name)
        writer.array("gateways") { list in
            for gateway in row.gateways {
                list.object {
                    $0.field("id", gateway.id)
                    $0.field("name", gateway.name)
                }
            }
        }
        writer.field("assets_amount", row.assetCount)
        writer.field("comment", row.zone.comment)
        writer.field("created_by", row.zone.createdBy)
        writer.field("updated_by", row.zone.updatedBy)
        writer.field("date_created", row.zone.dateCreated)
        writer.field("date_updated", row.zone.dateUpdated)
        writer.field("org_id", row.zone.organization)
        writer.field("org_name", row.organization)
    }
}
