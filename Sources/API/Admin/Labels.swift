internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Names and values to attach to assets and accounts: `/api/v1/labels/labels/`.
package enum LabelsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(.get, "/api/v1/labels/labels/", .permission(.viewLabel), "List labels", response: schema, style: .list) {
                try await list($0, backend)
            },
            Route(
                .post, "/api/v1/labels/labels/", .permission(.createLabel), "Create a label, or several given as an array",
                request: schema,
                response: schema, style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(.get, "/api/v1/labels/labels/{id}/", .permission(.viewLabel), "Show a label", response: schema) {
                try await get($0, backend)
            },
            Route(
                .put, "/api/v1/labels/labels/{id}/", .permission(.changeLabel), "Replace a label", request: schema,
                response: schema
            ) { try await update($0, backend, isPartial: false) },
            Route(
                .patch, "/api/v1/labels/labels/{id}/", .permission(.changeLabel), "Change a label", request: schema,
                response: schema
            ) { try await update($0, backend, isPartial: true) },
            Route(
                .delete, "/api/v1/labels/labels/{id}/", .permission(.deleteLabel),
                "Delete a label and take it off what it is attached to",
                style: .empty
            ) { try await delete($0, backend) },
        ]
    }

    private static let schema = Schema(
        "Label",
        [
            .field("id", .uuid, .readOnly), .field("name", .text(max: 64), .required), .field("value", .text(max: 64), .required),
            .field("color", .text(max: 32)), .field("comment", .text(max: 10_240)), .field("date_created", .dateTime, .readOnly),
            .field("org_id", .uuid, .readOnly), .field("org_name", .text(max: 128), .readOnly),
        ])

    // MARK: - Reading

    private struct Shown: Sendable {
        let label: Label
        let organization: String
    }

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        let page = try Page(call.query)
        let request = try ListRequest<LabelField>(call, page)
        let organization = call.organization
        let (rows, total) = try await backend.view(.viewLabel, call) {
            let found = try Labels.list(request, in: organization, on: $0.db)
            try page.requireWhole(found.total)
            let name = try $0.organizationName(organization)
            return (try $0.keys.verified(found.rows).map { Shown(label: $0, organization: name) }, found.total)
        }
        return .list(rows, total: Int(total), page: page, call: call) { row, writer in writer.object { write(row, &$0) } }
    }

    private static func get(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Label.self)
        let organization = call.organization
        let row = try await backend.view(.viewLabel, call, objects: [object(id)], naming: { [object($0.label)] }) {
            try shown($0.keys.verified(Labels.get(id, in: organization, on: $0.db)), $0)
        }
        return .object { write(row, &$0) }
    }

    private static func shown(_ label: Label, _ transaction: Transaction) throws -> Shown {
        Shown(label: label, organization: try transaction.organizationName(label.organization))
    }

    // MARK: - Changing

    /// What a body says; nil for what it leaves out.
    private struct Input: Sendable {
        let name: String?
        let value: String?
        let color: String?
        let comment: String?

        init(_ body: JSONObjectReader, isPartial: Bool) throws {
            let rule = JSONRule<String>.text(max: 64).then("Must not contain a colon.") {
                $0.utf8.contains(UInt8(ascii: ":")) ? nil : $0
            }
            name = isPartial ? body.optional("name", rule) : body.required("name", rule)
            value = isPartial ? body.optional("value", .text(max: 64)) : body.required("value", .text(max: 64))
            color = body.optional("color", .text(max: 32, blank: true))
            comment = body.optional("comment", .text(max: 10_240, blank: true))
            body.ignore("id", "date_created", "org_id", "org_name")
            try body.finish()
        }
    }

    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        let organization = call.organization
        let inputs = try call.bodies { try Input($0, isPartial: false) }
        let items = try (inputs ?? [call.body { try Input($0, isPartial: false) }]).map { (LabelID.random(), $0) }
        let rows = try await backend.create(
            .createLabel, call, items, isList: inputs != nil, object: { object($0.0, "\($0.1.name ?? ""):\($0.1.value ?? "")") }
        ) { transaction, item in
            let label = Label(
                id: item.0, organization: organization, name: item.1.name ?? "", value: item.1.value ?? "",
                color: item.1.color ?? "",
                comment: item.1.comment ?? "", dateCreated: transaction.now)
            try transaction.unique("value") { try Labels.insert(transaction.keys.authenticated(label), on: transaction.db) }
            return try shown(label, transaction)
        }
        return .created(rows, isList: inputs != nil) { write($0, &$1) }
    }

    private static func update(_ call: Call, _ backend: Backend, isPartial: Bool) async throws -> Reply {
        let id = try call.id(of: Label.self)
        let organization = call.organization
        let input = try call.body { try Input($0, isPartial: isPartial) }
        let row = try await backend.change(.changeLabel, call, objects: [object(id)], naming: { [object($0.label)] }) {
            transaction in
            var label = try transaction.keys.verified(Labels.get(id, in: organization, on: transaction.db))
            label.name = input.name ?? label.name
            label.value = input.value ?? label.value
            label.color = input.color ?? (isPartial ? label.color : "")
            label.comment = input.comment ?? (isPartial ? label.comment : "")
            let row = try transaction.keys.authenticated(label)
            guard try transaction.unique("value", { try Labels.update(row, on: transaction.db) }) else { throw Refusal.notFound }
            return try shown(label, transaction)
        }
        return .object { write(row, &$0) }
    }

    // MARK: - Deleting

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Label.self)
        let organization = call.organization
        let stored = try await backend.read { try Labels.get(id, in: organization, on: $0.db)?.value }
        let objects = [stored.map { object($0) } ?? object(id)]
        try await backend.gate.change(
            .deleteLabel, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { _ in
            guard stored != nil else { throw Refusal.notFound }
            try await detach(id, in: organization, call, backend)
            return .init((), objects: objects)
        }
        return .empty
    }

    /// Takes the label off everything, a few rows in each transaction, and deletes it in the last one.
    private static func detach(_ id: LabelID, in organization: OrganizationID, _ call: Call, _ backend: Backend) async throws {
        var isDone = false
        while !isDone {
            isDone = try await backend.write(marking: call.origin.request) { transaction in
                let db = transaction.db
                let assets = try Labels.assets(with: id, in: organization, limit: 50, on: db)
                for asset in assets {
                    var row = try transaction.keys.verified(Assets.get(asset, in: organization, on: db))
                    row.labels.removeAll { $0 == id }
                    _ = try Assets.update(transaction.keys.authenticated(row), on: db)
                }
                let accounts = try Labels.accounts(with: id, in: organization, limit: 50, on: db)
                for account in accounts {
                    var row = try transaction.keys.verified(Accounts.get(account, in: organization, on: db))
                    row.labels.removeAll { $0 == id }
                    _ = try Accounts.update(transaction.keys.authenticated(row), on: db)
                }
                guard assets.isEmpty, accounts.isEmpty else { return false }
                _ = try Labels.delete(id, in: organization, on: db)
                return true
            }
        }
    }

    // MARK: - Form

    private static func object(_ label: Label) -> AuditObject { label.auditObject }

    private static func object(_ id: LabelID, _ name: String = "") -> AuditObject {
        AuditObject(kind: "label", id: id.description, name: name)
    }

    private static func write(_ row: Shown, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", row.label.id)
        writer.field("name", row.label.name)
        writer.field("value", row.label.value)
        writer.field("color", row.label.color)
        writer.field("date_created", row.label.dateCreated)
        writer.field("comment", row.label.comment)
        writer.field("org_id", row.label.organization)
        writer.field("org_name", row.organization)
    }
}

extension Label {
    /// The label as audit entries name it.
    var auditObject: AuditObject { AuditObject(kind: "label", id: id.description, name: "\(name):\(value)") }
}
