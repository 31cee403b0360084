package import Cryptography
internal import Domain

/// The keys of an unsealed vault, as they stand at one moment. Immutable; wiped when the last user of it lets go.
///
/// A changed keyring (a new organization, a rotated key) is a new key set.
package final class KeySet: Sendable {
    /// A data key and its number, which sealed values name.
    struct DataKey: Sendable {
        let number: UInt32
        let key: SymmetricKey
        let uses: UseCounter
    }

    /// One organization's data keys: the newest seals, all open.
    struct OrganizationKeys: Sendable {
        var byNumber: [UInt32: DataKey]
        var active: DataKey
        /// Key of the fingerprints, from the first data key, so that fingerprints stay comparable.
        let fingerprint: SymmetricKey
    }

    /// Keys derived from one key-encryption key.
    struct RowKey: Sendable {
        let number: UInt32
        let key: SymmetricKey
    }

    let keyEncryption: [UInt32: SymmetricKey]
    let activeNumber: UInt32
    let rowKeys: [UInt32: RowKey]
    let activeRowKey: RowKey
    let organizations: [OrganizationID: OrganizationKeys]
    /// Key under which bearer tokens are digested before they are stored or looked up.
    package let tokenKey: SymmetricKey

    init(
        keyEncryption: [UInt32: SymmetricKey], activeNumber: UInt32, organizations: [OrganizationID: OrganizationKeys]
    ) throws {
        guard let active = keyEncryption[activeNumber], let first = keyEncryption.keys.min().flatMap({ keyEncryption[$0] }) else {
            throw SealingFault.notInitialized
        }
        self.keyEncryption = keyEncryption
        self.activeNumber = activeNumber
        rowKeys = try keyEncryption.reduce(into: [:]) { keys, pair in
            keys[pair.key] = RowKey(
                number: pair.key, key: try HKDF.derive(from: pair.value, info: "keyturn/row-authentication/v1"))
        }
        activeRowKey = RowKey(number: activeNumber, key: try HKDF.derive(from: active, info: "keyturn/row-authentication/v1"))
        tokenKey = try HKDF.derive(from: first, info: "keyturn/bearer-token/v1")
        self.organizations = organizations
    }

    func with(_ keys: OrganizationKeys, for organization: OrganizationID) throws -> KeySet {
        var all = organizations
        all[organization] = keys
        return try KeySet(keyEncryption: keyEncryption, activeNumber: activeNumber, organizations: all)
    }

    func without(_ organization: OrganizationID) throws -> KeySet {
        var all = organizations
        all[organization] = nil
        return try KeySet(keyEncryption: keyEncryption, activeNumber: activeNumber, organizations: all)
    }
}
