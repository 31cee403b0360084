internal import Cryptography
internal import Domain
internal import Sealing
internal import Storage

/// The key that signs the audit's checkpoints: sealed in the database, in memory only while the vault is unsealed.
enum AuditKey {
    private static let name = "internal.audit_signing_key"
    private static let place = Place(.auditSigningKey, organization: .system, record: Array("audit".utf8))

    static func store(_ key: Ed25519.SigningKey, keyring: Keyring, now: Timestamp, in db: any SQLConnection) throws {
        let workspace = try SealingWorkspace()
        let seed = key.withSeed { Secret(copying: $0) }
        let sealed = try keyring.seal(seed, at: place, with: workspace, now: now, in: db)
        let setting = Setting(name: name, value: "\"" + hexadecimal(sealed.bytes) + "\"")
        try Settings.put(keyring.keys().authenticated(setting, with: workspace), on: db)
    }

    static func load(keyring: Keyring, in db: any SQLConnection) throws -> Ed25519.SigningKey {
        let keys = try keyring.keys()
        let workspace = try SealingWorkspace()
        guard let stored = try Settings.get(name, on: db) else { throw SealingFault.unknownKey("audit signing key") }
        let text = try keys.verified(stored, with: workspace).value
        guard let bytes = bytes(of: text.utf8.dropFirst().dropLast()) else { throw SealingFault.notAuthentic(name) }
        return try Ed25519.SigningKey(seed: keys.open(Sealed(bytes: bytes), at: place, with: workspace))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(of text: some Sequence<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for byte in text {
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 97...102: digit = byte - 87
            default: return nil
            }
            if let first = high {
                out.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? out : nil
    }
}
