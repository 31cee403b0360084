/// A network that is reached through SSH gateways: the assets in it, among them the hosts of platform "Gateway" that lead there.
package struct Zone: Sendable, Hashable {
    package let id: ZoneID
    package let organization: OrganizationID
    package var name: String
    package var comment: String
    package var createdBy: String
    package var updatedBy: String
    package let dateCreated: Timestamp
    package var dateUpdated: Timestamp

    package init(
        id: ZoneID, organization: OrganizationID, name: String, comment: String = "", createdBy: String = "",
        updatedBy: String = "", dateCreated: Timestamp, dateUpdated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.comment = comment
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.dateCreated = dateCreated
        self.dateUpdated = dateUpdated
    }

    /// That the zone is there decides by which way its assets are reached; what is in it, the assets' own rows say.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
    }
}

extension Asset {
    /// Whether it leads into its zone, and so is itself reached without a gateway.
    package var isGateway: Bool { platform == .gateway }
}
