package import Cryptography
internal import Domain

/// A way to the root key: one kind of key slot. To add one is a new file and a line in the catalogue.
package protocol Unsealer: Sendable {
    /// The slot kind as stored.
    static var kind: String { get }

    /// The key that wraps the root key in a slot of this kind, from the slot's stored parameters.
    func wrappingKey(parameters: [UInt8]) throws -> SymmetricKey
}

/// Wraps the root key for a slot, and opens it again.
enum SlotEnvelope {
    static func wrap(_ root: SymmetricKey, under key: SymmetricKey, slot: [UInt8], kind: String) throws -> [UInt8] {
        let cipher = try AES256GCM()
        return try root.withBytes { try cipher.seal($0, key: key, associatedData: associatedData(slot: slot, kind: kind)) }
    }

    static func unwrap(_ wrapped: [UInt8], under key: SymmetricKey, slot: [UInt8], kind: String) throws -> SymmetricKey {
        let cipher = try AES256GCM()
        return try SymmetricKey(
            cipher.open(wrapped, key: key, associatedData: associatedData(slot: slot, kind: kind)))
    }

    private static func associatedData(slot: [UInt8], kind: String) -> [UInt8] {
        var data = CanonicalBytes(reservingCapacity: 64)
        data.append("keyturn/key-slot/v1")
        data.append(kind)
        data.append(slot)
        return data.bytes
    }
}
