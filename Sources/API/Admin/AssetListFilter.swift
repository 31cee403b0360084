internal import Domain
internal import Storage

/// The filters of asset lists that need more than a column: platform by number or name, nodes with what is below them, labels.
struct AssetListFilter: Sendable {
    private let platform: String?
    private let node: NodeID?
    private let isShallow: Bool
    private let labels: [String]

    static let parameters: Set<String> = ["platform", "node", "node_id", "show_current_asset", "label", "labels"]

    init(_ call: Call) throws(Refusal) {
        platform = call.query.text("platform")
        node = try call.query.id(call.query.text("node_id") == nil ? "node" : "node_id")
        isShallow = try call.query.flag("show_current_asset") ?? false
        labels =
            (call.query.text("labels") ?? call.query.text("label"))?.split(separator: ",").prefix(20).map { String($0) } ?? []
    }

    func filters(in organization: OrganizationID, on db: any SQLConnection) throws -> [ListFilter<AssetField>] {
        var filters: [ListFilter<AssetField>] = []
        if let platform {
            if let number = Int64(platform) {
                filters.append(ListFilter(.platformID, .exact(.integer(number))))
            } else {
                filters.append(ListFilter(.platform, .exact(.text(platform))))
            }
        }
        if let node { filters.append(ListFilter(.node, anyOf: try nodes(node, in: organization, on: db))) }
        for label in labels { filters.append(ListFilter(.label, anyOf: try ids(label, in: organization, on: db))) }
        return filters
    }

    /// The node with all below it.
    private func nodes(_ id: NodeID, in organization: OrganizationID, on db: any SQLConnection) throws -> [NodeID] {
        guard !isShallow else { return [id] }
        guard let node = try Nodes.get(id, in: organization, on: db) else { return [] }
        return try Nodes.subtree(under: node.value.key, in: organization, limit: 20_000, on: db).map(\.value.id)
    }

    private func ids(_ label: String, in organization: OrganizationID, on db: any SQLConnection) throws -> [LabelID] {
        if let id = LabelID(label) { return [id] }
        let parts = label.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2 else { return [] }
        return try Labels.get(named: parts[0], value: parts[1], in: organization, on: db).map { [$0.value.id] } ?? []
    }
}
