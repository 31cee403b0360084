internal import Access
internal import Domain
internal import JSON
internal import Storage

/// What a body says about an asset; nil for what it leaves out.
struct AssetInput: Sendable {
    let name: String?
    let address: String?
    let platform: Platform.ID?
    let isActive: Bool?
    let protocols: [AssetProtocol]?
    let zone: JSONField<ZoneID>
    let nodes: [NodeID]?
    /// Full paths, by which an import names nodes; read only where `nodes` is left out.
    let nodePaths: [String]?
    let labels: [LabelReference]?
    let specific: [String: String]
    let comment: String?

    init(_ body: JSONObjectReader, isPartial: Bool) throws {
        name = Self.read(body, "name", .text(max: 128), isPartial)
        address = Self.read(body, "address", Self.address, isPartial)
        platform = Self.read(body, "platform", .platform, isPartial)
        isActive = body.optional("is_active", .bool)
        protocols = body.optional("protocols", Self.protocols)
        nodes = body.optional("nodes", .list(of: JSONRule<NodeID>.related(), max: 50))
        nodePaths = body.optional("nodes_display", .list(of: .text(max: 4096), max: 50))
        labels = body.optional("labels", .labels)
        comment = body.optional("comment", .text(max: 10_240, blank: true))
        // The reply of all assets shows them in `spec_info`; a field beside it is the newer word.
        let nested = body.nullable("spec_info", Self.specifics) ?? [:]
        specific = nested.merging(SpecificField.all.reduce(into: [:]) { $0[$1.name] = $1.read(body) }) { $1 }
        zone = Self.zone(body)
        if body.nullable("client_key", .any) != nil { body.fail("client_key", "A private key cannot be kept here yet.") }
        body.ignore(
            "id", "org_id", "org_name", "category", "type", "connectivity", "created_by", "updated_by", "date_created",
            "date_updated", "date_verified")
        try body.finish()
    }

    private static func read<Value>(
        _ body: JSONObjectReader, _ name: String, _ rule: JSONRule<Value>, _ isPartial: Bool
    ) -> Value? {
        isPartial ? body.optional(name, rule) : body.required(name, rule)
    }

    /// Zones were called domains in JumpServer before version 4; clients may still say so.
    private static func zone(_ body: JSONObjectReader) -> JSONField<ZoneID> {
        let former: JSONField<ZoneID> = body.field("domain", .related()) ?? .absent
        let zone: JSONField<ZoneID> = body.field("zone", .related()) ?? .absent
        return zone == .absent ? former : zone
    }

    private static var specifics: JSONRule<[String: String]> {
        .object { body throws(JSONFieldErrors) in
            let fields = SpecificField.all.reduce(into: [:]) { $0[$1.name] = $1.read(body) }
            return try body.finish(fields)
        }
    }

    private static var address: JSONRule<String> {
        JSONRule<String>.text(max: 767).then("Must not contain white space or control characters.") { text in
            text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value >= 0x20 && $0.value != 0x7F } ? text : nil
        }
    }

    /// `[{"name", "port"}]`; without a port (or with 0) the protocol's usual one.
    private static var protocols: JSONRule<[AssetProtocol]> {
        let one = JSONRule<AssetProtocol>.object { body throws(JSONFieldErrors) in
            let name = body.required(
                "name",
                JSONRule<String>.text(max: 32).then("There is no such protocol.") { Platform.defaultPorts[$0] == nil ? nil : $0 })
            let port = body.nullable("port", .int(0...65_535), current: 0) ?? 0
            body.ignore("id", "primary", "required", "default", "public", "setting")
            let known = try body.finish(name)
            return AssetProtocol(name: known, port: port == 0 ? Platform.defaultPorts[known] ?? 0 : port)
        }
        return JSONRule<[AssetProtocol]>.list(of: one, max: 20).then("A protocol is named twice.") { list in
            Set(list.map(\.name)).count == list.count ? list : nil
        }
    }
}

extension AssetInput {
    /// Puts what was read into an asset; what was left out is kept, or for a whole replacement goes back to its default.
    ///
    /// - Parameter category: of the resource through which the asset is written; nil for the one of all assets.
    func apply(
        to asset: inout Asset, isPartial: Bool, in category: Platform.Category?, _ labelResolver: inout LabelResolver,
        _ transaction: Transaction
    ) throws {
        let old = Platform.named(asset.platform)
        guard let platform = Platform.named(platform ?? asset.platform) else {
            throw Refusal.invalid("platform", "There is no such platform.")
        }
        guard category == nil || platform.category == category, old == nil || old?.category == platform.category else {
            throw Refusal.invalid("platform", "The platform is of another category.")
        }
        asset.name = name ?? asset.name
        asset.address = address ?? asset.address
        asset.platform = platform.id
        asset.isActive = isActive ?? (isPartial ? asset.isActive : true)
        asset.protocols = protocols ?? (isPartial ? asset.protocols : platform.protocols)
        asset.zone = try zoneID(keeping: isPartial ? asset.zone : nil, in: asset.organization, transaction)
        asset.comment = comment ?? (isPartial ? asset.comment : "")
        asset.specific = try specifics(of: platform.category, keeping: isPartial ? asset.specific : [:])
        if let labels { asset.labels = try labelResolver.resolve(labels) } else if !isPartial { asset.labels = [] }
        asset.nodes = try nodeIDs(keeping: isPartial ? asset.nodes : [], in: asset.organization, transaction)
    }

    private func specifics(of category: Platform.Category, keeping old: [String: String]) throws(Refusal) -> [String: String] {
        let fields = SpecificField.of(category)
        for name in specific.keys where !fields.contains(where: { $0.name == name }) {
            throw .invalid(name, "Assets of category \(category.rawValue) have no such field.")
        }
        let merged = old.merging(specific) { $1 }
        return merged.filter { name, value in fields.contains { $0.name == name && $0.fallback != value } }
    }

    private func zoneID(keeping old: ZoneID?, in organization: OrganizationID, _ transaction: Transaction) throws -> ZoneID? {
        switch zone {
        case .absent: return old
        case .null: return nil
        case .value(let id):
            guard let found = try Zones.get(id, in: organization, on: transaction.db) else {
                throw Refusal.invalid("zone", "There is no zone \(id).")
            }
            return try transaction.keys.verified(found).id
        }
    }

    /// The nodes that hold the asset; the root, where none is named.
    private func nodeIDs(keeping old: [NodeID], in organization: OrganizationID, _ transaction: Transaction) throws -> [NodeID] {
        let db = transaction.db
        if let nodes {
            for id in nodes where try Nodes.get(id, in: organization, on: db) == nil {
                throw Refusal.invalid("nodes", "There is no node \(id).")
            }
            if !nodes.isEmpty { return Set(nodes).sorted() }
        } else if !old.isEmpty {
            return old
        } else if let nodePaths, !nodePaths.isEmpty {
            let found = try nodePaths.map { path in
                guard let node = try NodePaths.node(at: path, in: organization, transaction) else {
                    throw Refusal.invalid("nodes_display", "There is no node at one of the paths.")
                }
                return node.id
            }
            return Set(found).sorted()
        }
        return [try transaction.keys.verified(Nodes.root(in: organization, on: db)).id]
    }
}
