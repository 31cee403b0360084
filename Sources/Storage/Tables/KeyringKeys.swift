package import Domain

/// What a key is still for.
package enum KeyState: String, Sendable, CaseIterable {
    /// Seals and opens.
    case active
    /// Only opens what was sealed before.
    case open
}

/// A numbered key-encryption key, wrapped by the root key.
package struct KeyringKey: Sendable, Hashable {
    package let number: Int64
    package var wrappedKey: [UInt8]
    package var state: KeyState
    package var dateCreated: Timestamp

    package init(number: Int64, wrappedKey: [UInt8], state: KeyState, dateCreated: Timestamp) {
        self.number = number
        self.wrappedKey = wrappedKey
        self.state = state
        self.dateCreated = dateCreated
    }
}

/// The keyring. Global.
package enum KeyringKeys {
    /// Every key, by number.
    package static func all(on connection: any SQLConnection) throws -> [KeyringKey] {
        try connection.query("SELECT number, wrapped_key, state, date_created FROM keyring_keys ORDER BY number") {
            KeyringKey(
                number: try $0.integer(0), wrappedKey: try $0.blob(1), state: try $0.value(2), dateCreated: try $0.time(3))
        }
    }

    package static func insert(_ key: KeyringKey, on connection: any SQLConnection) throws {
        try connection.execute(
            "INSERT INTO keyring_keys (number, wrapped_key, state, date_created) VALUES (?, ?, ?, ?)",
            [.integer(key.number), .blob(key.wrappedKey), .text(key.state.rawValue), .time(key.dateCreated)])
    }

    /// Writes wrapped key and state; false if there is none of that number.
    package static func update(_ key: KeyringKey, on connection: any SQLConnection) throws -> Bool {
        try connection.execute(
            "UPDATE keyring_keys SET wrapped_key = ?, state = ? WHERE number = ?",
            [.blob(key.wrappedKey), .text(key.state.rawValue), .integer(key.number)]) > 0
    }

    /// False if there is none; refused (`.constraint(.foreignKey, …)`) while a data key is wrapped by it.
    package static func delete(_ number: Int64, on connection: any SQLConnection) throws -> Bool {
        if try connection.exists("SELECT 1 FROM data_keys WHERE kek_number = ?", [.integer(number)]) {
            throw StorageFault.constraint(.foreignKey, columns: "data_keys.kek_number")
        }
        return try connection.execute("DELETE FROM keyring_keys WHERE number = ?", [.integer(number)]) > 0
    }
}
