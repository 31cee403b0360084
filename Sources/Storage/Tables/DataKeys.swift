package import Domain

/// A numbered key of an organization, wrapped by a key of the keyring: it seals the organization's secrets.
package struct DataKey: Sendable, Hashable {
    package let organization: OrganizationID
    package let number: Int64
    /// The number of the keyring's key that wraps it.
    package var keyringNumber: Int64
    package var wrappedKey: [UInt8]
    package var state: KeyState
    package var dateCreated: Timestamp
    /// How many seals may have been made with it at most.
    package var usesReserved: Int64

    package init(
        organization: OrganizationID, number: Int64, keyringNumber: Int64, wrappedKey: [UInt8], state: KeyState,
        dateCreated: Timestamp,
        usesReserved: Int64 = 0
    ) {
        self.organization = organization
        self.number = number
        self.keyringNumber = keyringNumber
        self.wrappedKey = wrappedKey
        self.state = state
        self.dateCreated = dateCreated
        self.usesReserved = usesReserved
    }
}

/// The data keys of organizations.
package enum DataKeys {
    /// Every key of an organization, by number.
    package static func all(in organization: OrganizationID, on connection: any SQLConnection) throws -> [DataKey] {
        try connection.query(
            """
            SELECT org_id, number, kek_number, wrapped_key, state, date_created, uses_reserved
            FROM data_keys WHERE org_id = ? ORDER BY number
            """,
            [.id(organization)], decode)
    }

    /// Every key of every organization, for the keyring in memory.
    package static func everywhere(on connection: any SQLConnection) throws -> [DataKey] {
        try connection.query(
            """
            SELECT org_id, number, kek_number, wrapped_key, state, date_created, uses_reserved FROM data_keys ORDER BY org_id,
            number
            """, [], decode)
    }

    /// Some keys that another key of the keyring wraps than the one given.
    package static func page(notUnder keyringNumber: Int64, limit: Int, on connection: any SQLConnection) throws -> [DataKey] {
        try connection.query(
            """
            SELECT org_id, number, kek_number, wrapped_key, state, date_created, uses_reserved
            FROM data_keys WHERE kek_number <> ? ORDER BY org_id, number LIMIT ?
            """,
            [.integer(keyringNumber), .integer(Int64(limit))], decode)
    }

    package static func insert(_ key: DataKey, on connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO data_keys (org_id, number, kek_number, wrapped_key, state, date_created, uses_reserved)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .id(key.organization), .integer(key.number), .integer(key.keyringNumber), .blob(key.wrappedKey),
                .text(key.state.rawValue), .time(key.dateCreated), .integer(key.usesReserved),
            ])
    }

    /// Writes keyring number, wrapped key and state; false if there is none of that number. The count of uses only grows, by
    /// `reserveUses`.
    package static func update(_ key: DataKey, on connection: any SQLConnection) throws -> Bool {
        try connection.execute(
            "UPDATE data_keys SET kek_number = ?, wrapped_key = ?, state = ? WHERE org_id = ? AND number = ?",
            [
                .integer(key.keyringNumber), .blob(key.wrappedKey), .text(key.state.rawValue), .id(key.organization),
                .integer(key.number),
            ]) > 0
    }

    /// Sets `block` further uses of a key aside and returns the new total; nil if there is none of that number.
    ///
    /// The uses may be made once the transaction is durable; those that a crash leaves unmade are lost, never made twice.
    package static func reserveUses(
        _ block: Int64, of number: Int64, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Int64? {
        try connection.query(
            """
            UPDATE data_keys SET uses_reserved = uses_reserved + ? WHERE org_id = ? AND number = ? RETURNING uses_reserved
            """,
            [.integer(max(0, block)), .id(organization), .integer(number)]
        ) { try $0.integer(0) }.first
    }

    /// Destroys one key: whatever it sealed cannot be opened any more. False if there is none of that number.
    package static func destroy(_ number: Int64, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool
    {
        try connection.execute("DELETE FROM data_keys WHERE org_id = ? AND number = ?", [.id(organization), .integer(number)]) > 0
    }

    /// Destroys every key of an organization, and with them its secrets; returns how many there were.
    @discardableResult
    package static func destroyAll(in organization: OrganizationID, on connection: any SQLConnection) throws -> Int {
        try connection.execute("DELETE FROM data_keys WHERE org_id = ?", [.id(organization)])
    }

    private static func decode(_ row: borrowing SQLRow) throws -> DataKey {
        DataKey(
            organization: try row.id(0), number: try row.integer(1), keyringNumber: try row.integer(2),
            wrappedKey: try row.blob(3),
            state: try row.value(4), dateCreated: try row.time(5), usesReserved: try row.integer(6))
    }
}
