internal import Cryptography
internal import Domain
internal import Storage

/// The wrapped keys as the database holds them, and how they are opened.
struct Stored: Sendable {
    let slots: [KeySlot]
    let keys: [KeyringKey]
    let data: [DataKey]

    init(on db: any SQLConnection) throws {
        slots = try KeySlots.all(on: db)
        keys = try KeyringKeys.all(on: db)
        data = try DataKeys.everywhere(on: db)
    }

    func open(with unsealer: any Unsealer) throws -> KeySet {
        let root = try Self.root(of: slots, with: unsealer)
        var keyEncryption: [UInt32: SymmetricKey] = [:]
        var activeNumber: UInt32?
        for key in keys {
            guard let number = UInt32(exactly: key.number) else { throw SealingFault.notAuthentic("keyring") }
            keyEncryption[number] = try KeyWrap.keyringKey(number: number).unwrap(key.wrappedKey, under: root)
            if key.state == .active { activeNumber = max(activeNumber ?? 0, number) }
        }
        guard let activeNumber else { throw SealingFault.notInitialized }
        return try KeySet(
            keyEncryption: keyEncryption, activeNumber: activeNumber,
            organizations: Self.open(data, keyEncryption: keyEncryption, keeping: nil))
    }

    /// The root key from the first slot of the unsealer's kind that opens.
    static func root(of slots: [KeySlot], with unsealer: any Unsealer) throws -> SymmetricKey {
        guard !slots.isEmpty else { throw SealingFault.notInitialized }
        let kind = type(of: unsealer).kind
        let fitting = slots.filter { $0.kind == kind }
        guard !fitting.isEmpty else { throw SealingFault.wrongUnsealKey("the vault has no slot of kind \(kind)") }
        for slot in fitting {
            let key = try unsealer.wrappingKey(parameters: slot.parameters)
            if let root = try? SlotEnvelope.unwrap(slot.wrappedKey, under: key, slot: slot.id.bytes, kind: kind) { return root }
        }
        throw SealingFault.wrongUnsealKey("no slot of kind \(kind) opens with it")
    }

    /// Data keys by organization; a key that is in use already keeps its counter.
    static func open(
        _ rows: [DataKey], keyEncryption: [UInt32: SymmetricKey], keeping: KeySet.OrganizationKeys?
    ) throws -> [OrganizationID: KeySet.OrganizationKeys] {
        var all: [OrganizationID: [(row: DataKey, key: KeySet.DataKey)]] = [:]
        for row in rows {
            guard let number = UInt32(exactly: row.number), let encryption = UInt32(exactly: row.keyringNumber),
                let wrapping = keyEncryption[encryption]
            else { throw SealingFault.unknownKey("key \(row.keyringNumber) of the keyring") }
            let wrap = KeyWrap.dataKey(organization: row.organization, number: number, encryption: encryption)
            let key =
                try keeping?.byNumber[number]
                ?? KeySet.DataKey(
                    number: number, key: wrap.unwrap(row.wrappedKey, under: wrapping), uses: UseCounter(stored: row.usesReserved))
            all[row.organization, default: []].append((row, key))
        }
        return try all.mapValues { keys in
            let sorted = keys.sorted { $0.key.number < $1.key.number }
            guard let first = sorted.first, let active = sorted.last(where: { $0.row.state == .active }) else {
                throw SealingFault.unknownKey("no active data key")
            }
            return KeySet.OrganizationKeys(
                byNumber: Dictionary(sorted.map { ($0.key.number, $0.key) }) { first, _ in first }, active: active.key,
                fingerprint: try HKDF.derive(from: first.key.key, info: "keyturn/fingerprint/v1"))
        }
    }
}
