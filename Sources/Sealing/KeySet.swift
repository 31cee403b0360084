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

    /// The key of row codes that comes from one key-encryption key.
    ///
    /// It is prepared here and lent to whoever computes a code: a context that is keyed for each code would keep its last key until the next
    /// one, and threads that outlive the keys have such contexts.
    final class RowKey: Sendable {
        let hmac: HMACKey
        /// What codes made with it begin with: its number, most significant byte first.
        let prefix: [UInt8]

        init(number: UInt32, of encryption: SymmetricKey) throws(CryptographyFault) {
            hmac = try HMACKey(HKDF.derive(from: encryption, info: "keyturn/row-authentication/v1"))
            prefix = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        }
    }

    let keyEncryption: [UInt32: SymmetricKey]
    let activeNumber: UInt32
    let rowKeys: [UInt32: RowKey]
    let activeRowKey: RowKey
    let organizations: [OrganizationID: OrganizationKeys]
    /// Nil until the system organization has its first data key.
    private let ofVault: VaultKeys?

    init(
        keyEncryption: [UInt32: SymmetricKey], activeNumber: UInt32, organizations: [OrganizationID: OrganizationKeys]
    ) throws {
        let rowKeys = try keyEncryption.reduce(into: [UInt32: RowKey]()) { keys, pair in
            keys[pair.key] = try RowKey(number: pair.key, of: pair.value)
        }
        guard let active = rowKeys[activeNumber] else { throw SealingFault.notInitialized }
        self.keyEncryption = keyEncryption
        self.activeNumber = activeNumber
        self.rowKeys = rowKeys
        activeRowKey = active
        let system = organizations[.system]?.byNumber
        ofVault = try system?.keys.min().flatMap { system?[$0] }.map { try VaultKeys(from: $0.key) }
        self.organizations = organizations
    }

    /// The keys that the whole vault has once.
    func vault() throws(SealingFault) -> VaultKeys {
        guard let ofVault else { throw .unknownKey("no data key for the system organization") }
        return ofVault
    }

    /// Key under which bearer tokens are digested before they are stored or looked up.
    package func tokenKey() throws(SealingFault) -> SymmetricKey { try vault().token }

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
