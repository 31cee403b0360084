internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// What is believed of an asset's far side: pinned host keys and database systems, and the endpoint that somebody stands in for.
package enum AssetTrustsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/assets/assets/{id}/trust/", .permission(.viewAsset), "Which system an asset showed itself to be",
                response: schema
            ) { try await show($0, backend) },
            Route(
                .put, "/api/v1/assets/assets/{id}/trust/", .permission(.clearHostKey),
                "Set or clear the pinned host keys and systems of an asset", request: schema, response: schema
            ) { try await pin($0, backend) },
            Route(
                .post, "/api/v1/assets/assets/{id}/trust/confirm/", .permission(.revealAccount),
                "Confirm an asset's edited endpoint: secrets of its accounts may be sent there", response: schema
            ) { try await confirm($0, backend) },
        ]
    }

    private static let schema = Schema(
        "AssetTrust",
        [
            .field("asset", .uuid, .readOnly), .field("policy", .choice(["accept-new", "strict"])),
            .field(
                "systems", .texts, .optional,
                "As ssh-host-key:SHA256:… or database:kind:identifier; empty: the next one is pinned."),
            .field("is_paused", .boolean, .readOnly, "Whether the endpoint was edited and nobody has confirmed it."),
            .field("confirmed_by", .text(max: 128), .readOnly), .field("date_confirmed", .dateTime, .readOnly),
        ])

    private static func show(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Asset.self)
        let organization = call.organization
        let (asset, trust) = try await backend.view(.viewAsset, call, objects: [object(id)]) { transaction in
            try stored(id, in: organization, transaction)
        }
        return reply(asset, trust)
    }

    /// New pins, on the word of somebody who may give it.
    private static func pin(_ call: Call, _ backend: Backend) async throws -> Reply {
        let input = try call.body { body in
            let policy = body.optional(
                "policy",
                JSONRule<String>.text(max: 16).then("accept-new or strict.") { text in
                    ["accept-new", "strict"].contains(text) ? text : nil
                })
            let systems = body.optional("systems", .list(of: .text(max: 256), max: 20))
            body.ignore("asset", "is_paused", "confirmed_by", "date_confirmed")
            return try body.finish((policy: policy, systems: systems))
        }
        return try await change(.clearHostKey, call, backend) { trust, _ in
            trust.policy = input.policy ?? trust.policy
            trust.systems = input.systems ?? trust.systems
        }
    }

    /// Somebody who may see the asset's secrets anyway says that they may go to its new endpoint.
    private static func confirm(_ call: Call, _ backend: Backend) async throws -> Reply {
        let principal = try call.principal()
        guard principal.isConfirmed(at: backend.clock.now()) else {
            try await backend.gate.recordRefusal(
                AuditAction(.revealAccount), by: principal.actor, in: call.organization, from: call.origin,
                reason: Refusal.confirmationRequired("password").auditReason, objects: [object(try call.id())])
            throw Refusal.confirmationRequired("password")
        }
        return try await change(.revealAccount, call, backend) { trust, asset in trust.endpoint = asset.endpoint }
    }

    private static func change(
        _ permission: Permission, _ call: Call, _ backend: Backend, _ body: @escaping @Sendable (inout AssetTrust, Asset) -> Void
    ) async throws -> Reply {
        let id = try call.id(of: Asset.self)
        let organization = call.organization
        let author = try call.principal().actor.name
        let (asset, trust) = try await backend.change(permission, call, objects: [object(id)]) { transaction in
            let (asset, found) = try stored(id, in: organization, transaction)
            var trust =
                found
                ?? AssetTrust(
                    asset: id, organization: organization, endpoint: asset.endpoint, confirmedBy: author,
                    dateConfirmed: transaction.now)
            body(&trust, asset)
            trust.confirmedBy = author
            trust.dateConfirmed = transaction.now
            try AssetTrusts.put(transaction.keys.authenticated(trust), on: transaction.db)
            try transaction.hastenChanges(on: id, in: organization)
            return (asset, Optional(trust))
        }
        return reply(asset, trust)
    }

    private static func stored(
        _ id: AssetID, in organization: OrganizationID, _ transaction: Transaction
    ) throws -> (Asset, AssetTrust?) {
        let asset = try transaction.keys.verified(Assets.get(id, in: organization, on: transaction.db))
        let trust = try AssetTrusts.get(id, in: organization, on: transaction.db).map { try transaction.keys.verified($0) }
        return (asset, trust)
    }

    private static func reply(_ asset: Asset, _ trust: AssetTrust?) -> Reply {
        .object { writer in
            writer.field("asset", asset.id)
            writer.field("policy", trust?.policy ?? "accept-new")
            writer.field("systems", trust?.systems ?? [])
            writer.field("is_paused", trust.map { $0.endpoint != asset.endpoint } ?? false)
            writer.field("confirmed_by", trust?.confirmedBy)
            writer.field("date_confirmed", trust?.dateConfirmed)
        }
    }

    private static func object(_ id: AssetID) -> AuditObject { AuditObject(kind: "asset", id: id.description) }
}

extension Transaction {
    /// What could not be gone on with on a host that nobody stood in for is gone on with at once.
    fileprivate func hastenChanges(on asset: AssetID, in organization: OrganizationID) throws {
        for found in try SecretChanges.on(asset, in: organization, on: db) {
            // A row that is not what was stored stays as it is: the settlement tells of it.
            guard case .success(let row) = found, var change = try? keys.verified(row), change.memory.notBefore != nil else {
                continue
            }
            change.memory.notBefore = now
            _ = try SecretChanges.update(keys.authenticated(change), on: db)
        }
    }

    /// A host that becomes a gateway of a zone is used when somebody who may reveal secrets has confirmed it: everything that goes into the
    /// zone goes through it, so it must not be enough to create an asset.
    func pauseNewGateway(_ asset: Asset) throws {
        guard asset.isGateway, asset.zone != nil, try AssetTrusts.get(asset.id, in: asset.organization, on: db) == nil else {
            return
        }
        // No endpoint has these bytes.
        let trust = AssetTrust(
            asset: asset.id, organization: asset.organization, endpoint: [], confirmedBy: "", dateConfirmed: now)
        try AssetTrusts.put(keys.authenticated(trust), on: db)
    }

    /// Before an asset's first edit: what its endpoint was, so that the edit pauses the work on it whether or not it was ever worked on.
    func rememberEndpoint(of old: Asset, editedTo new: Asset, by author: String) throws {
        guard old.endpoint != new.endpoint, try AssetTrusts.get(old.id, in: old.organization, on: db) == nil,
            try !Accounts.all(of: old.id, in: old.organization, on: db).isEmpty
        else { return }
        let trust = AssetTrust(
            asset: old.id, organization: old.organization, endpoint: old.endpoint, confirmedBy: author, dateConfirmed: now)
        try AssetTrusts.put(keys.authenticated(trust), on: db)
    }
}
