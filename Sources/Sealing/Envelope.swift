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

/// A sealed value with what its place binds, written out once: for a value that is opened again and again.
package struct PlacedValue: Sendable {
    fileprivate let purpose: Place.Purpose
    fileprivate let organization: OrganizationID
    fileprivate let sealed: Sealed
    fileprivate let keyNumber: UInt32
    fileprivate let associatedData: [UInt8]

    /// Throws if the value is none that was sealed here.
    package init(_ sealed: Sealed, at place: Place) throws(SealingFault) {
        guard let number = sealed.bytes.withUnsafeBytes({ EnvelopeFormat.keyNumber(of: $0) }) else {
            throw .notAuthentic(place.purpose.rawValue)
        }
        purpose = place.purpose
        organization = place.organization
        self.sealed = sealed
        keyNumber = number
        associatedData = place.associatedData(keyNumber: number)
    }
}

extension KeySet {
    /// Opens a sealed value of the place given; anything but the very value sealed there is an error.
    package func open(_ sealed: Sealed, at place: Place, with workspace: SealingWorkspace) throws(SealingFault) -> Secret {
        guard organizations[place.organization] != nil else { throw .unknownKey("no data key for the organization") }
        return try open(PlacedValue(sealed, at: place), with: workspace)
    }

    /// Opens a sealed value in its place; anything but the very value sealed there is an error.
    package func open(_ value: PlacedValue, with workspace: SealingWorkspace) throws(SealingFault) -> Secret {
        let key = try key(of: value, with: workspace)
        do {
            return try workspace.cipher.open(
                value.sealed.bytes, from: EnvelopeFormat.headerByteCount, key: key, associatedData: value.associatedData)
        } catch {
            throw .notAuthentic(value.purpose.rawValue)
        }
    }

    private func key(of value: PlacedValue, with workspace: SealingWorkspace) throws(SealingFault) -> SymmetricKey {
        if let last = workspace.lastKey, last.organization == value.organization, last.number == value.keyNumber {
            return last.key
        }
        guard let keys = organizations[value.organization] else { throw .unknownKey("no data key for the organization") }
        guard let data = keys.byNumber[value.keyNumber] else { throw .notAuthentic(value.purpose.rawValue) }
        if workspace.holdsKeys {
            workspace.lastKey = .init(organization: value.organization, number: value.keyNumber, key: data.key)
        }
        return data.key
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
    package func fingerprint(of secret: borrowing Secret, in organization: OrganizationID) throws -> Secret {
        guard let keys = organizations[organization] else { throw SealingFault.unknownKey("no data key for the organization") }
        return try Secret(capacity: HMACSHA256.byteCount) { output in
            try secret.withBytes { message in
                try HMACKey(keys.fingerprint).authenticate(message, into: output)
            }
            return HMACSHA256.byteCount
        }
    }
}
