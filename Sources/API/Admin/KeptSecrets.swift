internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
internal import Vault

/// Values that outlived their accounts, deleted by force while it was not known which value is live: `/api/v1/accounts/kept-secrets/` says what
/// there is, `…/{id}/secrets/` shows it, as any reveal does.
package enum KeptSecretsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/accounts/kept-secrets/", .permission(.viewAccount),
                "List what is kept of accounts that were deleted while a change was open, without the secrets", response: schema,
                style: .list
            ) { try await list($0, backend, of: nil) },
            Route(
                .get, "/api/v1/accounts/kept-secrets/{id}/", .permission(.viewAccount),
                "List what is kept of one deleted account, without the secrets", response: schema, style: .list
            ) { try await list($0, backend, of: try $0.id()) },
            Route(
                .get, "/api/v1/accounts/kept-secrets/{id}/secrets/", .permission(.revealAccount),
                "The kept secrets of a deleted account, newest first, to users who confirmed lately who they are",
                response: revealed, style: .list
            ) { try await reveal($0, backend) },
        ]
    }

    private static let fields: [Schema.Field] = [
        .field("account", .uuid, .readOnly, "The id that the account had."), .field("version", .integer, .readOnly),
        .field("asset_name", .text(max: 128), .readOnly), .field("address", .text(max: 767), .readOnly),
        .field("username", .text(max: 128), .readOnly),
        .field("secret_type", .choice(SecretType.allCases.map(\.rawValue)), .readOnly),
        .field("date_created", .dateTime, .readOnly), .field("date_kept", .dateTime, .readOnly),
        .field("kept_by", .text(max: 128), .readOnly),
    ]
    private static let schema = Schema("KeptSecret", fields)
    private static let revealed = Schema(
        "KeptSecretValue", fields + [.field("secret", .text(max: 40_960), .readOnly)])

    // MARK: - What there is

    private static func list(_ call: Call, _ backend: Backend, of account: AccountID?) async throws -> Reply {
        let page = try Page(call.query)
        try Page.refuseFilters(call.query)
        let organization = call.organization
        let objects = account.map { [AuditObject(kind: "account", id: $0.description)] } ?? []
        let found = try await backend.view(.viewAccount, call, objects: objects) { transaction in
            try KeptSecrets.page(
                of: account, search: page.search, in: organization, offset: page.limit == nil ? 0 : Int64(page.offset),
                limit: Int64(page.rows),
                on: transaction.db)
        }
        // Of an account of which nothing is kept there is nothing to be known here.
        guard account == nil || found.total > 0 || page.search != nil else { throw Refusal.notFound }
        guard page.limit != nil || found.total <= Int64(Page.largest) else {
            throw Refusal.invalid("limit", "There are \(found.total) values: ask for them in pages, with limit and offset.")
        }
        return .list(found.rows, total: Int(clamping: found.total), page: page, call: call) { row, writer in
            writer.object { write(row, to: &$0) }
        }
    }

    private static func write(_ kept: KeptSecret, to writer: inout JSONWriter<some JSONSink>) {
        writer.field("account", kept.account)
        writer.field("version", kept.number)
        writer.field("asset_name", kept.assetName)
        writer.field("address", kept.address)
        writer.field("username", kept.username)
        writer.choice("secret_type", value: kept.secretType.rawValue, label: kept.secretType.label)
        writer.field("date_created", kept.dateCreated)
        writer.field("date_kept", kept.dateKept)
        writer.field("kept_by", kept.keptBy)
    }

    // MARK: - The values

    /// A value on its way from the reading thread to the answer.
    private struct Opened: Sendable {
        let kept: KeptSecret
        let secret: SecretHandoff?
    }

    private static func reveal(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (id, organization): (AccountID, OrganizationID) = (try call.id(), call.organization)
        let page = try Page(call.query)
        try Page.refuseFilters(call.query)
        var objects = [AuditObject(kind: "account", id: id.description)]
        return try await backend.gate.view(
            .revealAccount, as: call.principal(), in: organization, from: call.origin, objects: objects
        ) { permit in
            guard permit.principal.isConfirmed(at: backend.clock.now()) else { throw Refusal.confirmationRequired("password") }
            let (warrant, hides) = (permit.warrant(), backend.settings.hidesSecrets)
            let limit = Int64(min(page.limit ?? SecretAnswer.largest, SecretAnswer.largest))
            let offset = page.limit == nil ? 0 : Int64(page.offset)
            let (rows, total) = try await backend.database.read { db in
                let found = try KeptSecrets.page(of: id, in: organization, offset: offset, limit: limit, on: db)
                let rows = try found.rows.map { kept in
                    Opened(kept: kept, secret: hides ? nil : try backend.secrets.reveal(kept: kept, by: warrant))
                }
                return (rows, found.total)
            }
            guard total > 0 else { throw Refusal.notFound }
            try page.requireWhole(ofSecrets: total)
            if let first = rows.first { objects[0].name = "\(first.kept.assetName)/\(first.kept.username)" }
            let reply = try SecretAnswer.list(rows, total: Int(clamping: total), page: page, call: call) {
                (row, writer) throws(Refusal) in
                write(row.kept, to: &writer)
                try SecretAnswer.write("secret", row.secret, isRedacted: hides, to: &writer)
            }
            if hides { return .init(reply, objects: objects, reason: "redacted: secrets are shown to nobody") }
            objects.append(
                AuditObject(kind: "secret_versions", id: AccountSecretsResource.ranges(rows.map(\.kept.number))))
            return .init(reply, objects: objects)
        }
    }
}
