internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// The keys of an application: `/api/v1/accounts/integration-applications/{id}/credentials/`.
package enum CredentialsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/accounts/integration-applications/{id}/credentials/", .permission(.viewApplication),
                "List an application's keys", response: schema, style: .list
            ) { try await list($0, backend) },
            Route(
                .post, "/api/v1/accounts/integration-applications/{id}/credentials/", .permission(.changeApplication),
                "Create a key, whose secret is shown this once", request: schema, response: created, style: .one(status: 201)
            ) { try await create($0, backend) },
            Route(
                .get, "/api/v1/accounts/integration-applications/{id}/credentials/{key}/", .permission(.viewApplication),
                "One key",
                response: schema
            ) { try await show($0, backend) },
            Route(
                .put, "/api/v1/accounts/integration-applications/{id}/credentials/{key}/", .permission(.changeApplication),
                "Replace a key's fields", request: schema, response: schema
            ) { try await update($0, backend, keeps: false) },
            Route(
                .patch, "/api/v1/accounts/integration-applications/{id}/credentials/{key}/", .permission(.changeApplication),
                "Change some of a key's fields", request: schema, response: schema
            ) { try await update($0, backend, keeps: true) },
            Route(
                .delete, "/api/v1/accounts/integration-applications/{id}/credentials/{key}/", .permission(.changeApplication),
                "Delete a key; it stops at once", style: .empty
            ) { try await delete($0, backend) },
            Route(
                .post, "/api/v1/accounts/integration-applications/{id}/credentials/{key}/rotate/",
                .permission(.changeApplication),
                "Make a new key, which does not expire, in the place of one, which goes on for the overlap", request: rotation,
                response: rotated,
                style: .one(status: 201)
            ) { try await rotate($0, backend) },
        ]
    }

    private static let fields: [Schema.Field] = [
        .field("id", .uuid, .readOnly, "The key id of signatures."), .field("name", .text(max: 128), .required),
        .field("ip_group", .texts, .optional, "Networks besides the application's; [\"*\"] adds nothing."),
        .field("is_strict", .boolean, .optional, "Accepts each signature once only."), .field("is_active", .boolean),
        .field("date_expires", .dateTime, .optional, "Null for never."), .field("date_last_used", .dateTime, .readOnly),
        .field("last_address", .text(max: 64), .readOnly), .field("application", .related, .readOnly),
        .field("date_created", .dateTime, .readOnly), .field("created_by", .text(max: 128), .readOnly),
        .field("org_id", .uuid, .readOnly),
    ]
    private static let secret = Schema.Field.field("secret", .text(max: 36), .readOnly, "Shown this once.")
    static let schema = Schema("Credential", fields)
    private static let created = Schema("CredentialCreated", fields + [secret])
    private static let rotation = Schema(
        "CredentialRotation",
        [.field("overlap", .integer, .optional, "Seconds that the old key goes on: 0 to 2592000, 3600 unless given.")])
    private static let rotated = Schema("CredentialRotated", fields + [.field("replaces", .anyObject, .readOnly), secret])
}

/// A key as answers show it.
private struct CredentialView: Sendable {
    let credential: Credential
    let applicationName: String
    let use: CredentialUsage?

    var objects: [AuditObject] {
        [
            AuditObject(kind: "application", id: credential.application.description, name: applicationName),
            AuditObject(kind: "credential", id: credential.id.description, name: credential.name),
        ]
    }

    func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object { writeFields(to: &$0) }
    }

    func writeFields(to writer: inout JSONWriter<some JSONSink>) {
        writer.field("id", credential.id)
        writer.field("name", credential.name)
        writer.field("ip_group", credential.ipGroup)
        writer.field("is_strict", credential.isStrict)
        writer.field("is_active", credential.isActive)
        writer.field("date_expires", credential.dateExpires)
        writer.field("date_last_used", use?.dateLastUsed)
        writer.field("last_address", use?.address)
        writer.related("application", credential.application, named: applicationName)
        writer.field("date_created", credential.dateCreated)
        writer.field("created_by", credential.createdBy)
        writer.field("org_id", credential.organization)
    }

    static func views(
        of credentials: [Credential], of id: ApplicationID, in organization: OrganizationID, _ transaction: Transaction
    ) throws -> [CredentialView] {
        let uses = try CredentialUsage.all(of: id, in: organization, on: transaction.db).map { ($0.credential, $0) }
        let name = try transaction.keys.verified(Applications.get(id, in: organization, on: transaction.db)).name
        let byCredential = Dictionary(uses) { $1 }
        return credentials.map { CredentialView(credential: $0, applicationName: name, use: byCredential[$0.id]) }
    }
}

// MARK: - Reading

extension CredentialsResource {
    private static let listed = ShortList<CredentialView>(fields: [
        .text("id") { $0.credential.id.description }, .text("name", searched: true, \.credential.name),
        .flag("is_strict", \.credential.isStrict), .flag("is_active", \.credential.isActive),
        .integer("date_expires") { $0.credential.dateExpires?.milliseconds },
        .integer("date_last_used") { $0.use?.dateLastUsed.milliseconds },
        .text("last_address", searched: true) { $0.use?.address },
        .integer("date_created") { $0.credential.dateCreated.milliseconds }, .text("created_by", \.credential.createdBy),
    ])

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, organization) = (try call.id(of: Application.self), call.organization)
        return try await backend.gate.view(
            .viewApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id)
        ) { _ in
            let page = try Page(call.query)
            let views = try await backend.read { transaction in
                let rows = try transaction.keys.verified(Credentials.all(of: id, in: organization, on: transaction.db))
                return try CredentialView.views(of: rows, of: id, in: organization, transaction)
            }
            // There are a few dozen at most, so they are paged here.
            let found = try listed.matching(views, call, page)
            return .init(
                .list(page.cut(found), total: found.count, page: page, call: call) { $0.write(to: &$1) }, objects: named(id))
        }
    }

    private static func show(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, key) = (try call.id(of: Application.self), try call.id("key", of: Credential.self))
        let organization = call.organization
        return try await backend.gate.view(
            .viewApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id, key)
        ) { _ in
            let views = try await backend.read { transaction in
                guard let row = try Credentials.get(key, in: organization, on: transaction.db), row.value.application == id else {
                    throw Refusal.notFound
                }
                return try CredentialView.views(of: [transaction.keys.verified(row)], of: id, in: organization, transaction)
            }
            return try outcome(views)
        }
    }

    private static func outcome(_ views: [CredentialView]) throws -> Gate.Outcome<Reply> {
        guard let view = views.first else { throw Refusal.notFound }
        var writer = JSONWriter()
        view.write(to: &writer)
        return .init(.json(status: 200, writer.bytes), objects: view.objects)
    }

    private static func named(_ id: ApplicationID, _ key: CredentialID? = nil) -> [AuditObject] {
        let application = AuditObject(kind: "application", id: id.description)
        return [application] + (key.map { [AuditObject(kind: "credential", id: $0.description)] } ?? [])
    }
}

// MARK: - Changing

extension CredentialsResource {
    private static func create(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, organization) = (try call.id(of: Application.self), call.organization)
        let body = try call.json()
        return try await backend.gate.change(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id)
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let secret = try CredentialSecret.make()
            let copy = SecretHandoff(secret.duplicate())
            let views = try await backend.database.write { db in
                let credential = try change.createCredential(of: id, with: body, copy, in: db)
                try change.mark(db)
                return try CredentialView.views(of: [credential], of: id, in: organization, backend.transaction(db))
            }
            guard let view = views.first else { throw Refusal.notFound }
            try await backend.refreshPolicies(of: id, in: organization)
            return .init(try CredentialSecret.reply(secret) { view.writeFields(to: &$0) }, objects: view.objects)
        }
    }

    private static func update(_ call: Call, _ backend: Backend, keeps: Bool) async throws -> Reply {
        let (id, key) = (try call.id(of: Application.self), try call.id("key", of: Credential.self))
        let organization = call.organization
        let body = try call.json()
        return try await backend.gate.change(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id, key)
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let views = try await backend.database.write { db in
                let credential = try change.updateCredential(key, of: id, with: body, keeps: keeps, in: db)
                try change.mark(db)
                return try CredentialView.views(of: [credential], of: id, in: organization, backend.transaction(db))
            }
            try await backend.refreshPolicies(of: id, in: organization)
            return try outcome(views)
        }
    }

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, key) = (try call.id(of: Application.self), try call.id("key", of: Credential.self))
        let organization = call.organization
        return try await backend.gate.change(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id, key)
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            try await backend.database.write { db in
                try change.deleteCredential(key, of: id, in: db)
                try change.mark(db)
            }
            try await backend.refreshPolicies(of: id, in: organization)
            return .init(.empty)
        }
    }

    private static func rotate(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, key) = (try call.id(of: Application.self), try call.id("key", of: Credential.self))
        let organization = call.organization
        let overlap = try overlap(call)
        return try await backend.gate.change(
            .changeApplication, as: call.principal(), in: organization, from: call.origin, objects: named(id, key)
        ) { permit in
            let change = ApplicationChange(backend, permit.warrant())
            let secret = try CredentialSecret.make()
            let copy = SecretHandoff(secret.duplicate())
            let views = try await backend.database.write { db in
                let (new, old) = try change.rotateCredential(key, of: id, overlap: overlap, copy, in: db)
                try change.mark(db)
                return try CredentialView.views(of: [new, old], of: id, in: organization, backend.transaction(db))
            }
            guard let new = views.first, let old = views.last else { throw Refusal.notFound }
            try await backend.refreshPolicies(of: id, in: organization)
            let reply = try CredentialSecret.reply(secret) { writer in
                new.writeFields(to: &writer)
                writer.key("replaces")
                writer.object {
                    $0.field("id", old.credential.id)
                    $0.field("date_expires", old.credential.dateExpires)
                }
            }
            return .init(reply, objects: new.objects + old.objects.suffix(1))
        }
    }

    /// Seconds that the old key goes on; the body may be missing altogether.
    private static func overlap(_ call: Call) throws -> Int {
        guard call.request.body.count > 0 else { return usualOverlap }
        return try call.body { body in
            let overlap = body.optional("overlap", .int(0...ApplicationChange.longestOverlap), default: usualOverlap)
            return try body.finish(overlap)
        }
    }

    private static let usualOverlap = 3600
}
