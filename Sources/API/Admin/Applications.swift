internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// Applications that may fetch secrets: `/api/v1/accounts/integration-applications/`.
package enum ApplicationsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/accounts/integration-applications/", .permission(.viewApplication), "List applications",
                response: schema, style: .list
            ) { try await list($0, backend) },
            Route(
                .post, "/api/v1/accounts/integration-applications/", .permission(.createApplication),
                "Create an application with its first key, whose secret is shown this once", request: schema, response: created,
                style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(
                .get, "/api/v1/accounts/integration-applications/{id}/", .permission(.viewApplication), "One application",
                response: schema
            ) { try await show($0, backend) },
            Route(
                .put, "/api/v1/accounts/integration-applications/{id}/", .permission(.changeApplication),
                "Replace an application's fields", request: schema, response: schema
            ) { try await update($0, backend, keeps: false) },
            Route(
                .patch, "/api/v1/accounts/integration-applications/{id}/", .permission(.changeApplication),
                "Change some of an application's fields", request: schema, response: schema
            ) { try await update($0, backend, keeps: true) },
            Route(
                .delete, "/api/v1/accounts/integration-applications/{id}/", .permission(.deleteApplication),
                "Delete an application; its keys stop at once", style: .empty
            ) { try await delete($0, backend) },
            Route(
                .get, "/api/v1/accounts/integration-applications/{id}/secret/", .permission(.changeApplication),
                "Gone: a secret is shown once, when it is made", style: .gone
            ) { try await gone($0, backend) },
            Route(
                .get, "/api/v1/accounts/integration-applications/{id}/refresh-secret/", .permission(.changeApplication),
                "Gone: rotate a credential instead", style: .gone
            ) { try await gone($0, backend) },
        ]
    }

    private static let fields: [Schema.Field] = [
        .field("id", .uuid, .readOnly, "Also the key id of the first credential."), .field("name", .text(max: 128), .required),
        .field("accounts", .anyObject, .required, "Account filter: type all, ids or attrs."),
        .field("accounts_amount", .integer, .readOnly),
        .field("ip_group", .texts, .optional, "Address policy; [\"*\"] unless given, and an empty list denies."),
        .field("is_active", .boolean),
        .field("rate_limit", .integer, .optional, "Fetches a minute; null for the server's default."),
        .field("date_last_used", .dateTime, .readOnly), .field("date_created", .dateTime, .readOnly),
        .field("date_updated", .dateTime, .readOnly), .field("comment", .text(max: 4096)),
        .field("created_by", .text(max: 128), .readOnly),
        .field("updated_by", .text(max: 128), .readOnly), .field("org_id", .uuid, .readOnly),
        .field("org_name", .text(max: 128), .readOnly),
    ]
    static let schema = Schema("IntegrationApplication", fields)
    private static let created = Schema(
        "IntegrationApplicationCreated", fields + [.field("secret", .text(max: 36), .readOnly, "Shown this once.")])
}

// MARK: - Reading

extension ApplicationsResource {
    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await backend.gate.view(.viewApplication, as: call.principal(), in: call.organization, from: call.origin) { _ in
            let page = try Page(call.query)
            let organization = call.organization
            let request = try ListRequest<ApplicationField>(call, page)
            let found = try await backend.read { transaction in
                let rows = try Applications.list(request, in: organization, on: transaction.db)
                try page.requireWhole(rows.total)
                let applications = try transaction.keys.verified(rows.rows)
                return ListPage(
                    rows: try ApplicationView.views(of: applications, in: organization, transaction), total: rows.total)
            }
            return .init(.list(found.rows, total: Int(clamping: found.total), page: page, call: call) { $0.write(to: &$1) })
        }
    }

    private static func show(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id: ApplicationID = try call.id()
        let organization = call.organization
        return try await backend.gate.view(
            .viewApplication, as: call.principal(), in: organization, from: call.origin, objects: [named(id)]
        ) { _ in
            let view = try await backend.read { transaction in
                let application = try transaction.keys.verified(Applications.get(id, in: organization, on: transaction.db))
                return try ApplicationView.views(of: [application], in: organization, transaction)
            }
            return .init(try reply(view), objects: view.map(\.object))
        }
    }

    private static func reply(_ views: [ApplicationView]) throws(Refusal) -> Reply {
        guard let view = views.first else { throw .notFound }
        var writer = JSONWriter()
        view.write(to: &writer)
        return .json(status: 200, writer.bytes)
    }

    /// The secret of an application was readable here for as long as it lived; now there are keys that are replaced.
    private static func gone(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id: ApplicationID = try call.id()
        let organization = call.organization
        return try await backend.gate.view(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: [named(id)]
        ) { _ in
            let exists = try await backend.database.read { db in try Applications.get(id, in: organization, on: db) != nil }
            guard exists else { throw Refusal.notFound }
            throw Refusal.gone(
                "A secret is shown once, when it is made. For a new one: POST to credentials/{key id}/rotate/ of the application."
            )
        }
    }

    private static func named(_ id: ApplicationID) -> AuditObject { AuditObject(kind: "application", id: id.description) }
}

// MARK: - Changing

extension ApplicationsResource {
    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        let body = try call.json()
        let organization = call.organization
        return try await backend.gate.change(
            .createApplication, as: call.principal(), in: organization, from: call.origin
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let secret = try CredentialSecret.make()
            let copy = SecretHandoff(secret.duplicate())
            let views = try await backend.database.write { db in
                let application = try change.create(body, in: db)
                try change.addFirstCredential(to: application, copy, in: db)
                try change.mark(db)
                return try ApplicationView.views(of: [application], in: organization, backend.transaction(db))
            }
            guard let view = views.first else { throw Refusal.notFound }
            try await backend.refreshPolicies(of: view.application.id, in: organization)
            let reply = try CredentialSecret.reply(secret) { view.writeFields(to: &$0) }
            return .init(reply, objects: [view.object])
        }
    }

    private static func update(_ call: Call, _ backend: Backend, keeps: Bool) async throws -> Reply {
        let id: ApplicationID = try call.id()
        let body = try call.json()
        let organization = call.organization
        return try await backend.gate.change(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: [named(id)]
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let views = try await backend.database.write { db in
                let application = try change.update(id, with: body, keeps: keeps, in: db)
                try change.mark(db)
                return try ApplicationView.views(of: [application], in: organization, backend.transaction(db))
            }
            try await backend.refreshPolicies(of: id, in: organization)
            return .init(try reply(views), objects: views.map(\.object))
        }
    }

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id: ApplicationID = try call.id()
        let organization = call.organization
        return try await backend.gate.change(
            .deleteApplication, as: call.principal(), in: organization, from: call.origin, objects: [named(id)]
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let object = try await backend.database.write { db in
                let object = try Applications.get(id, in: organization, on: db).map { AuditObject($0.value) }
                guard try Applications.delete(id, in: organization, on: db) else { throw Refusal.notFound }
                try change.mark(db)
                return object
            }
            try await backend.refreshPolicies(of: id, in: organization)
            return .init(.empty, objects: object.map { [$0] } ?? [])
        }
    }
}
