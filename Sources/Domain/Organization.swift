/// A tenant: everything that is kept belongs to one, has its data key, and is found only inside it.
package struct Organization: Sendable, Hashable {
    package let id: OrganizationID
    package var name: String
    package var comment: String
    package var isActive: Bool
    package var dateCreated: Timestamp

    package init(id: OrganizationID, name: String, comment: String = "", isActive: Bool = true, dateCreated: Timestamp) {
        self.id = id
        self.name = name
        self.comment = comment
        self.isActive = isActive
        self.dateCreated = dateCreated
    }

    /// The fields that decide whether and under which name its applications get in, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(isActive)
    }
}

extension OrganizationID {
    /// The organization that a request without an organization header means (JumpServer's id).
    package static var `default`: OrganizationID { OrganizationID(high: 0, low: 2) }

    /// Owner of sealed values that belong to no tenant: users, the audit's signing key, global settings. Not reachable over the API.
    package static var system: OrganizationID { OrganizationID(high: 0, low: 4) }
}
