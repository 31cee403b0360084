package import Cryptography
internal import Domain

/// The reusable contexts with which one thread seals, opens and authenticates. Confined to that thread.
package final class SealingWorkspace {
    let cipher: AES256GCM
    package let hmac: HMACSHA256
    var canonical = CanonicalBytes(reservingCapacity: 1024)

    package init() throws {
        cipher = try AES256GCM()
        hmac = try HMACSHA256()
    }
}
