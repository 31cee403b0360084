internal import Cryptography
internal import Domain

/// How one key is stored under another: AES-256-GCM with associated data that say which key it is.
enum KeyWrap {
    case keyringKey(number: UInt32)
    case dataKey(organization: OrganizationID, number: UInt32, encryption: UInt32)

    func wrap(_ key: SymmetricKey, under encryption: SymmetricKey) throws -> [UInt8] {
        let cipher = try AES256GCM()
        return try key.withBytes { try cipher.seal($0, key: encryption, associatedData: associatedData) }
    }

    func unwrap(_ wrapped: [UInt8], under encryption: SymmetricKey) throws -> SymmetricKey {
        let cipher = try AES256GCM()
        do {
            return try SymmetricKey(
                cipher.open(wrapped, key: encryption, associatedData: associatedData))
        } catch {
            throw SealingFault.notAuthentic(name)
        }
    }

    private var name: String {
        switch self {
        case .keyringKey(let number): "keyring key \(number)"
        case .dataKey(let organization, let number, _): "data key \(number) of organization \(organization)"
        }
    }

    private var associatedData: [UInt8] {
        var data = CanonicalBytes(reservingCapacity: 96)
        switch self {
        case .keyringKey(let number):
            data.append("keyturn/keyring-key/v1")
            data.append(Int64(number))
        case .dataKey(let organization, let number, let encryption):
            data.append("keyturn/data-key/v1")
            data.append(organization)
            data.append(Int64(number))
            data.append(Int64(encryption))
        }
        return data.bytes
    }
}
