package import Domain

/// One way to come to the root key: the root key wrapped by what the slot stands for.
package struct KeySlot: Sendable, Hashable {
    package typealias ID = Identifier<KeySlot>

    package let id: ID
    /// What opens it: `file`, `recovery`, …
    package var kind: String
    package var label: String
    /// What the opening needs besides its secret, as JSON.
    package var parameters: [UInt8]
    package var wrappedKey: [UInt8]
    package var dateCreated: Timestamp

    package init(id: ID, kind: String, label: String, parameters: [UInt8], wrappedKey: [UInt8], dateCreated: Timestamp) {
        self.id = id
        self.kind = kind
        self.label = label
        self.parameters = parameters
        self.wrappedKey = wrappedKey
        self.dateCreated = dateCreated
    }
}

/// The ways to the root key. Global.
package enum KeySlots {
    /// Every slot, oldest first.
    package static func all(on connection: any SQLConnection) throws -> [KeySlot] {
        try connection.query(
            "SELECT id, kind, label, parameters, wrapped_key, date_created FROM key_slots ORDER BY date_created, id"
        ) {
            KeySlot(
                id: try $0.id(0), kind: try $0.text(1), label: try $0.text(2), parameters: try $0.blob(3),
                wrappedKey: try $0.blob(4),
                dateCreated: try $0.time(5))
        }
    }

    package static func insert(_ slot: KeySlot, on connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO key_slots (id, kind, label, parameters, wrapped_key, date_created) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .id(slot.id), .text(slot.kind), .text(slot.label), .blob(slot.parameters), .blob(slot.wrappedKey),
                .time(slot.dateCreated),
            ])
    }

    /// Writes everything but id and date; false if there is none of that id.
    package static func update(_ slot: KeySlot, on connection: any SQLConnection) throws -> Bool {
        try connection.execute(
            "UPDATE key_slots SET kind = ?, label = ?, parameters = ?, wrapped_key = ? WHERE id = ?",
            [.text(slot.kind), .text(slot.label), .blob(slot.parameters), .blob(slot.wrappedKey), .id(slot.id)]) > 0
    }

    /// False if there is none of that id; the last slot is not deleted either, for without one everything is lost.
    package static func delete(_ id: KeySlot.ID, on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM key_slots WHERE id = ? AND (SELECT COUNT(*) FROM key_slots) > 1", [.id(id)]) > 0
    }
}
