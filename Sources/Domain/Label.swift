/// A name and value that can be attached to assets and accounts.
package struct Label: Sendable, Hashable {
    package let id: LabelID
    package let organization: OrganizationID
    package var name: String
    package var value: String
    package var color: String
    package var comment: String
    package var dateCreated: Timestamp

    package init(
        id: LabelID, organization: OrganizationID, name: String, value: String, color: String = "", comment: String = "",
        dateCreated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.value = value
        self.color = color
        self.comment = comment
        self.dateCreated = dateCreated
    }

    /// The fields that decide which accounts a filter by label lets through, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(value)
    }
}
