package import Domain
package import Storage

/// An entity whose stored row carries an authentication code.
package protocol RowAuthenticated: Sendable {
    static var rowKind: RowKind { get }
    var rowOrganization: OrganizationID { get }
    var rowID: [UInt8] { get }
    /// Appends the fields that decide who gets what; the same fields in the same order for ever.
    func authenticate(into canonical: inout CanonicalBytes)
}

extension KeySet {
    /// The row with its authentication code, ready to be stored.
    package func authenticated<Row: RowAuthenticated>(_ row: Row, with workspace: SealingWorkspace) throws -> Authenticated<Row> {
        let mac = try authenticationCode(
            Row.rowKind, organization: row.rowOrganization, id: row.rowID, with: workspace
        ) { row.authenticate(into: &$0) }
        return Authenticated(value: row, mac: mac)
    }

    /// The row, once its code has been found to be its own.
    ///
    /// Every row that a decision rests on, or that is about to be changed and authenticated anew, comes through here.
    package func verified<Row: RowAuthenticated>(
        _ stored: Authenticated<Row>, with workspace: SealingWorkspace
    ) throws(SealingFault) -> Row {
        let row = stored.value
        try verify(stored.mac, of: Row.rowKind, organization: row.rowOrganization, id: row.rowID, with: workspace) {
            row.authenticate(into: &$0)
        }
        return row
    }
}

extension Organization: RowAuthenticated {
    package static var rowKind: RowKind { .organization }
    package var rowOrganization: OrganizationID { id }
    package var rowID: [UInt8] { id.bytes }
}

extension Node: RowAuthenticated {
    package static var rowKind: RowKind { .node }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Label: RowAuthenticated {
    package static var rowKind: RowKind { .label }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Zone: RowAuthenticated {
    package static var rowKind: RowKind { .zone }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Asset: RowAuthenticated {
    package static var rowKind: RowKind { .asset }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Account: RowAuthenticated {
    package static var rowKind: RowKind { .account }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Application: RowAuthenticated {
    package static var rowKind: RowKind { .application }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Credential: RowAuthenticated {
    package static var rowKind: RowKind { .credential }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension AutomationTask: RowAuthenticated {
    package static var rowKind: RowKind { .task }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Execution: RowAuthenticated {
    package static var rowKind: RowKind { .execution }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension Record: RowAuthenticated {
    package static var rowKind: RowKind { .record }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension User: RowAuthenticated {
    package static var rowKind: RowKind { .user }
    package var rowOrganization: OrganizationID { .system }
    package var rowID: [UInt8] { id.bytes }
}

extension Session: RowAuthenticated {
    package static var rowKind: RowKind { .session }
    package var rowOrganization: OrganizationID { .system }
    package var rowID: [UInt8] { tokenDigest }
}

extension OpenChange: RowAuthenticated {
    package static var rowKind: RowKind { .openChange }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}

extension AssetTrust: RowAuthenticated {
    package static var rowKind: RowKind { .assetTrust }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { asset.bytes }
}

extension Setting: RowAuthenticated {
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(value)
    }

    package static var rowKind: RowKind { .setting }
    package var rowOrganization: OrganizationID { .system }
    package var rowID: [UInt8] { Array(name.utf8) }
}

extension Delivery: RowAuthenticated {
    package static var rowKind: RowKind { .delivery }
    package var rowOrganization: OrganizationID { organization }
    package var rowID: [UInt8] { id.bytes }
}
