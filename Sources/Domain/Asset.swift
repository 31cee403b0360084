/// A host, database, device or other system that has accounts.
package struct Asset: Sendable, Hashable {
    package let id: AssetID
    package let organization: OrganizationID
    package var name: String
    /// Host name or address, at most 767 characters.
    package var address: String
    package var platform: Platform.ID
    package var isActive: Bool
    package var protocols: [AssetProtocol]
    /// The network that it is in, if that is reached through gateways; nil: it is reached directly.
    package var zone: ZoneID?
    /// Nodes that hold the asset, sorted.
    package var nodes: [NodeID]
    /// Labels attached, sorted.
    package var labels: [LabelID]
    /// Database name, TLS mode and the like: field name to value, of the asset's category.
    package var specific: [String: String]
    package var comment: String
    package var createdBy: String
    package var updatedBy: String
    package var dateCreated: Timestamp
    package var dateUpdated: Timestamp

    package init(
        id: AssetID, organization: OrganizationID, name: String, address: String, platform: Platform.ID, isActive: Bool = true,
        protocols: [AssetProtocol] = [], zone: ZoneID? = nil, nodes: [NodeID] = [], labels: [LabelID] = [],
        specific: [String: String] = [:], comment: String = "", createdBy: String = "", updatedBy: String = "",
        dateCreated: Timestamp, dateUpdated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.address = address
        self.platform = platform
        self.isActive = isActive
        self.protocols = protocols
        self.zone = zone
        self.nodes = nodes
        self.labels = labels
        self.specific = specific
        self.comment = comment
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.dateCreated = dateCreated
        self.dateUpdated = dateUpdated
    }
}

/// A way in that an asset offers, with its port.
package struct AssetProtocol: Sendable, Hashable {
    package var name: String
    package var port: Int

    package init(name: String, port: Int) {
        self.name = name
        self.port = port
    }
}

extension Asset {
    /// The fields that decide where a secret may be sent and which filters match, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(address)
        canonical.append(Int64(platform.rawValue))
        canonical.append(isActive)
        canonical.append(protocols.map { "\($0.name)/\($0.port)" })
        canonical.append(nodes)
        canonical.append(labels)
        let keys = specific.keys.sorted()
        canonical.append(Int64(keys.count))
        for key in keys {
            canonical.append(key)
            canonical.append(specific[key] ?? "")
        }
        // Only where there is one: rows from before there were zones keep their codes. What stands before is counted, so nothing else can
        // have the same bytes.
        if let zone { canonical.append(zone) }
    }
}
