internal import Cryptography
internal import Domain

/// The reusable contexts with which one thread seals, opens and authenticates. Confined to that thread.
package final class SealingWorkspace {
    let cipher: AES256GCM
    var canonical = CanonicalBytes(reservingCapacity: 1024)
    /// The data key that was used last, while keys are held.
    var lastKey: LastKey?
    private(set) var holdsKeys = false

    struct LastKey {
        let organization: OrganizationID
        let number: UInt32
        let key: SymmetricKey
    }

    package init() throws {
        cipher = try AES256GCM()
    }

    /// For many values in a row out of one `KeySet`: the last data key stays at hand. `letGoOfKeys` must follow.
    package func holdKeys() {
        holdsKeys = true
        cipher.holdKey()
    }

    /// Nothing of a data key stays here.
    package func letGoOfKeys() {
        holdsKeys = false
        lastKey = nil
        cipher.letGoOfKey()
    }
}
