internal import Access
internal import Domain
internal import JSON
internal import Storage

/// An asset as it is shown, with the names of what it refers to.
struct AssetView: Sendable {
    let asset: Asset
    let platform: Platform?
    let nodes: [(id: NodeID, name: String, path: String)]
    let labels: [String]
    let zone: Zone?
    let organization: String
    /// Labels that were made along with the asset.
    var madeLabels: [Label] = []

    /// Fields of the category stand beside the others on the category's own resource, and in `spec_info` on that of all assets.
    func write(in category: Platform.Category?, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", asset.id)
        writer.field("name", asset.name)
        writer.field("address", asset.address)
        writer.object("platform") {
            $0.field("id", asset.platform.rawValue)
            $0.field("name", platform?.name)
            $0.field("type", platform?.type)
        }
        writer.choice("category", value: platform?.category.rawValue ?? "", label: platform?.category.label ?? "")
        writer.choice("type", value: platform?.type ?? "", label: platform?.type ?? "")
        writer.array("protocols") { writer in
            for item in asset.protocols {
                writer.object {
                    $0.field("name", item.name)
                    $0.field("port", item.port)
                }
            }
        }
        writer.array("nodes") { writer in
            for node in nodes {
                writer.object {
                    $0.field("id", node.id)
                    $0.field("name", node.name)
                }
            }
        }
        writer.field("nodes_display", nodes.map(\.path))
        writer.field("labels", labels)
        if let zone { writer.related("zone", zone.id, named: zone.name) } else { writer.field("zone", nil as String?) }
        writer.field("is_active", asset.isActive)
        if category != nil { writeSpecifics(&writer) }
        writer.object("spec_info") { writeSpecifics(&$0) }
        writer.field("date_created", asset.dateCreated)
        writer.field("date_updated", asset.dateUpdated)
        writer.field("comment", asset.comment)
        writer.field("created_by", asset.createdBy)
        writer.field("updated_by", asset.updatedBy)
        writer.field("org_id", asset.organization)
        writer.field("org_name", organization)
    }

    private func writeSpecifics(_ writer: inout JSONWriter<[UInt8]>) {
        for field in platform.map({ SpecificField.of($0.category) }) ?? [] { field.write(asset.specific, &writer) }
    }
}

/// Makes assets ready to be shown within one transaction.
struct AssetViews {
    private var paths: NodePaths
    private var labels: LabelTexts
    private var zones: [ZoneID: Zone] = [:]
    private let transaction: Transaction
    private let organization: String

    init(in organization: OrganizationID, _ transaction: Transaction) throws {
        paths = NodePaths(in: organization, transaction)
        labels = LabelTexts(in: organization, transaction)
        self.transaction = transaction
        self.organization = try transaction.organizationName(organization)
    }

    mutating func view(_ asset: Asset) throws -> AssetView {
        var nodes: [(id: NodeID, name: String, path: String)] = []
        for id in asset.nodes {
            guard let name = try paths.name(of: id), let path = try paths.path(of: id) else { continue }
            nodes.append((id, name, path))
        }
        return AssetView(
            asset: asset, platform: Platform.named(asset.platform), nodes: nodes, labels: try labels.texts(of: asset.labels),
            zone: try asset.zone.map { try zone($0, in: asset.organization) }, organization: organization)
    }

    private mutating func zone(_ id: ZoneID, in organization: OrganizationID) throws -> Zone {
        if let known = zones[id] { return known }
        let zone = try transaction.keys.verified(Zones.get(id, in: organization, on: transaction.db))
        zones[id] = zone
        return zone
    }
}
