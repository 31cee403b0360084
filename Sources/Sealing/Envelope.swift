package import Cryptography
package import Domain

/// The stored form of a sealed value: version byte, number of the data key (4 bytes, most significant first), sealed message.
enum EnvelopeFormat {
    static let version: UInt8 = 1
    static let headerByteCount = 5

    static func header(keyNumber: UInt32) -> [UInt8] {
        [version] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: keyNumber >> UInt32($0)) }
    }

    static func keyNumber(of bytes: UnsafeRawBufferPointer) -> UInt32? {
        guard bytes.count > headerByteCount, bytes[0] == version else { return nil }
        return (1...4).reduce(0) { $0 << 8 | UInt32(bytes[$1]) }
    }
}

extension KeySet {
    /// Opens a sealed value of the place given; anything but the very value sealed there is an error.
    package func open(_ sealed: Sealed, at place: Place, with workspace: SealingWorkspace) throws(SealingFault) -> Secret {
        guard let keys = organizations[place.organization] else { throw .unknownKey("no data key for the organization") }
        guard let number = sealed.bytes.withUnsafeBytes({ EnvelopeFormat.keyNumber(of: $0) }), let data = keys.byNumber[number]
        else {
            throw .notAuthentic(place.purpose.rawValue)
        }
        do {
            return try workspace.cipher.open(
                sealed.bytes, from: EnvelopeFormat.headerByteCount, key: data.key,
                associatedData: place.associatedData(keyNumber: number))
        } catch {
            throw .notAuthentic(place.purpose.rawValue)
        }
    }

    /// The sealed form under an active key whose use has been counted.
    func seal(_ bytes: UnsafeRawBufferPointer, at place: Place, under data: DataKey, with workspace: SealingWorkspace) throws
        -> Sealed
    {
        let associated = place.associatedData(keyNumber: data.number)
        let message = try workspace.cipher.seal(bytes, key: data.key, associatedData: associated)
        return Sealed(bytes: EnvelopeFormat.header(keyNumber: data.number) + message)
    }

    /// A keyed fingerprint: equal for equal secrets of one organization, and worthless without the key.
    package func fingerprint(
        of secret: borrowing Secret, in organization: OrganizationID, with workspace: SealingWorkspace
    ) throws -> Secret {
        guard let keys = organizations[organization] else { throw SealingFault.unknownKey("no data key for the organization") }
        return try Secret(capacity: HMACSHA256.byteCount) { output in
            try secret.withBytes { message in
                try keys.fingerprint.withBytes { key in try workspace.hmac.authenticate(message, key: key, into: output) }
            }
            return HMACSHA256.byteCount
        }
    }
}
