package import Domain

/// What a permit allows, as a value that an escaping closure can carry: made by a permit alone.
///
/// Functions that reveal or change a secret take one and check it against what they are about to do.
package struct Warrant: Sendable {
    package let permission: Permission
    package let principal: Principal
    package let organization: OrganizationID
    package let origin: RequestOrigin

    init(permission: Permission, principal: Principal, organization: OrganizationID, origin: RequestOrigin) {
        self.permission = permission
        self.principal = principal
        self.organization = organization
        self.origin = origin
    }

    package func permits(_ permission: Permission, in organization: OrganizationID) -> Bool {
        self.permission == permission && self.organization == organization
    }
}
