internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// The tenants: `/api/v1/orgs/orgs/`. Each has data keys of its own, and deleting one destroys them.
package enum OrganizationsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/orgs/orgs/", .permission(.viewOrganization), "List organizations", response: schema, style: .list
            ) { try await list($0, backend) },
            Route(
                .post, "/api/v1/orgs/orgs/", .permission(.createOrganization), "Create an organization with its own data key",
                request: schema, response: schema, style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(
                .get, "/api/v1/orgs/orgs/{id}/", .permission(.viewOrganization), "Show an organization", response: schema
            ) { try await get($0, backend) },
            Route(
                .put, "/api/v1/orgs/orgs/{id}/", .permission(.changeOrganization), "Replace an organization", request: schema,
                response: schema
            ) { try await update($0, backend, isPartial: false) },
            Route(
                .patch, "/api/v1/orgs/orgs/{id}/", .permission(.changeOrganization), "Change an organization", request: schema,
                response: schema
            ) { try await update($0, backend, isPartial: true) },
            Route(
                .delete, "/api/v1/orgs/orgs/{id}/", .permission(.deleteOrganization),
                "Delete an organization and destroy its data keys; with content only with force=true", style: .empty
            ) { try await delete($0, backend) },
        ]
    }

    private static let schema = Schema(
        "Organization",
        [
            .field("id", .uuid, .readOnly), .field("name", .text(max: 128), .required), .field("comment", .text(max: 10_240)),
            .field(
                "is_active", .boolean, .optional,
                "In an inactive organization applications are refused, and no work on targets is begun."),
            .field("is_default", .boolean, .readOnly), .field("is_root", .boolean, .readOnly),
            .field("date_created", .dateTime, .readOnly),
        ])

    // MARK: - Reading

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        let page = try Page(call.query)
        let request = try ListRequest<OrganizationField>(call, page)
        let found = try await backend.view(.viewOrganization, call, in: .system) {
            let found = try Organizations.list(request, on: $0.db)
            try page.requireWhole(found.total)
            return ListPage(rows: try $0.keys.verified(found.rows), total: found.total)
        }
        return .list(found.rows, total: Int(found.total), page: page, call: call) { row, writer in
            writer.object { write(row, &$0) }
        }
    }

    private static func get(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try visible(call)
        let organization = try await backend.view(
            .viewOrganization, call, in: id, objects: [object(id)], naming: { [object($0)] }
        ) {
            try $0.keys.verified(Organizations.get(id, on: $0.db))
        }
        return .object { write(organization, &$0) }
    }

    /// The organization that the path names; the system's own is not there for anybody.
    private static func visible(_ call: Call) throws(Refusal) -> OrganizationID {
        let id = try call.id(of: Organization.self)
        guard id != .system else { throw .notFound }
        return id
    }

    // MARK: - Changing

    /// What a body says; nil for what it leaves out.
    private struct Input {
        let name: String?
        let comment: String?
        let isActive: Bool?

        init(_ body: JSONObjectReader, of id: OrganizationID? = nil, needsName: Bool) throws {
            let rule = JSONRule<String>.text(max: 128).then("This name is reserved.") { name in
                Input.isReserved(name) && !(id == .default && name.lowercased() == "default") ? nil : name
            }
            name = needsName ? body.required("name", rule) : body.optional("name", rule)
            comment = body.optional("comment", .text(max: 10_240, blank: true))
            isActive = body.optional("is_active", .bool)
            body.ignore("id", "is_default", "is_root", "date_created")
            try body.finish()
        }

        /// Names that the organization header takes for something else.
        private static func isReserved(_ name: String) -> Bool {
            ["default", "root", "system"].contains(name.lowercased()) || OrganizationID(name) != nil
        }
    }

    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        let input = try call.body { try Input($0, needsName: true) }
        let id = OrganizationID.random()
        let name = input.name ?? ""
        let keyring = backend.keyring
        let made = try await backend.change(
            .createOrganization, call, in: id, objects: [AuditObject(kind: "organization", id: id.description, name: name)]
        ) { transaction in
            let organization = Organization(
                id: id, name: name, comment: input.comment ?? "", isActive: input.isActive ?? true, dateCreated: transaction.now)
            try transaction.unique("name") {
                try Organizations.insert(transaction.keys.authenticated(organization), on: transaction.db)
            }
            try keyring.addOrganization(id, now: transaction.now, in: transaction.db)
            let root = Node(id: .random(), organization: id, key: "1", value: name, parent: nil)
            try Nodes.insert(transaction.keys.authenticated(root), on: transaction.db)
            return organization
        } then: { _ in
            try await keyring.reload(id)
            try await backend.policies.reload()
        }
        return .object(status: 201) { write(made, &$0) }
    }

    private static func update(_ call: Call, _ backend: Backend, isPartial: Bool) async throws -> Reply {
        let id = try visible(call)
        let input = try call.body { try Input($0, of: id, needsName: !isPartial) }
        let changed = try await backend.change(
            .changeOrganization, call, in: id, objects: [object(id)], naming: { [object($0)] }
        ) { transaction in
            var organization = try transaction.keys.verified(Organizations.get(id, on: transaction.db))
            let oldName = organization.name
            organization.name = input.name ?? organization.name
            organization.comment = input.comment ?? (isPartial ? organization.comment : "")
            organization.isActive = input.isActive ?? (isPartial ? organization.isActive : true)
            let row = try transaction.keys.authenticated(organization)
            guard try transaction.unique("name", { try Organizations.update(row, on: transaction.db) }) else {
                throw Refusal.notFound
            }
            if organization.name != oldName { try rename(rootOf: id, to: organization.name, transaction) }
            return organization
        } then: { _ in
            try await backend.policies.reload()
        }
        return .object { write(changed, &$0) }
    }

    /// The root of the tree is called like its organization.
    private static func rename(rootOf id: OrganizationID, to name: String, _ transaction: Transaction) throws {
        guard let stored = try Nodes.root(in: id, on: transaction.db) else { return }
        var root = try transaction.keys.verified(stored)
        root.value = name
        _ = try Nodes.update(transaction.keys.authenticated(root), on: transaction.db)
    }

    // MARK: - Deleting

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try visible(call)
        guard id != .default else { throw Refusal.conflict("The default organization cannot be deleted.") }
        let isForced = try call.query.flag("force") ?? false
        try await backend.gate.change(
            .deleteOrganization, as: call.principal(), in: id, from: call.origin, objects: [object(id)]
        ) { _ in
            let organization = try await shut(id, isForced: isForced, call, backend)
            // Inactive first: none of its applications gets anything while it goes.
            try await backend.policies.reload()
            guard
                try await backend.database.deleteOrganization(id, marking: call.origin.request, at: backend.clock.now())
            else { throw Refusal.notFound }
            try await backend.keyring.reload(id)
            try await backend.policies.reload()
            return .init((), objects: [object(organization)])
        }
        return .empty
    }

    /// Makes an organization inactive that is about to be deleted; one with content only when that is meant.
    ///
    /// Its mark is another than that of the deletion, which alone tells after a crash that the organization is gone.
    private static func shut(_ id: OrganizationID, isForced: Bool, _ call: Call, _ backend: Backend) async throws -> Organization
    {
        try await backend.write(marking: call.origin.part(1).request) { transaction in
            var organization = try transaction.keys.verified(Organizations.get(id, on: transaction.db))
            if try !isForced && Organizations.hasContent(id, on: transaction.db) {
                throw Refusal.conflict("The organization has content, which would be lost for ever; delete it with force=true.")
            }
            organization.isActive = false
            _ = try Organizations.update(transaction.keys.authenticated(organization), on: transaction.db)
            return organization
        }
    }

    // MARK: - Form

    private static func object(_ organization: Organization) -> AuditObject {
        AuditObject(kind: "organization", id: organization.id.description, name: organization.name)
    }

    private static func object(_ id: OrganizationID) -> AuditObject { AuditObject(kind: "organization", id: id.description) }

    private static func write(_ organization: Organization, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", organization.id)
        writer.field("name", organization.name)
        writer.field("is_active", organization.isActive)
        writer.field("is_default", organization.id == .default)
        writer.field("is_root", false)
        writer.field("date_created", organization.dateCreated)
        writer.field("comment", organization.comment)
    }
}
