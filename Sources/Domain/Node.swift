/// A folder in an organization's tree of assets; what is said of a node holds for its descendants.
package struct Node: Sendable, Hashable {
    package let id: NodeID
    package let organization: OrganizationID
    /// Position in the tree as numbers from the root, `1:2:3` (JumpServer's form). Unique in the organization.
    package var key: String
    /// The name shown.
    package var value: String
    package var parent: NodeID?

    package init(id: NodeID, organization: OrganizationID, key: String, value: String, parent: NodeID?) {
        self.id = id
        self.organization = organization
        self.key = key
        self.value = value
        self.parent = parent
    }

    /// The fields that decide which accounts a filter by node lets through, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(key)
        canonical.append(value)
        canonical.append(parent)
    }
}
