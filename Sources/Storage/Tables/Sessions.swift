package import Domain

/// Logins of users, by the keyed digest of their token. Global.
package enum Sessions {
    package static func get(tokenDigest: [UInt8], on connection: any SQLConnection) throws -> Authenticated<Session>? {
        try connection.first(
            "SELECT token_digest, user_id, date_created, date_expires, confirmed_until, mac FROM sessions WHERE token_digest = ?",
            [.blob(tokenDigest)], decode)
    }

    /// Every session of a user, newest first.
    package static func all(of user: UserID, on connection: any SQLConnection) throws -> [Authenticated<Session>] {
        try connection.query(
            """
            SELECT token_digest, user_id, date_created, date_expires, confirmed_until, mac
            FROM sessions WHERE user_id = ? ORDER BY date_created DESC
            """,
            [.id(user)], decode)
    }

    /// Every session of every user.
    package static func everyone(on connection: any SQLConnection) throws -> [Authenticated<Session>] {
        try connection.query(
            "SELECT token_digest, user_id, date_created, date_expires, confirmed_until, mac FROM sessions", [], decode)
    }

    /// The newest sessions of all users.
    package static func everywhere(limit: Int64, on connection: any SQLConnection) throws -> [Authenticated<Session>] {
        try connection.query(
            """
            SELECT token_digest, user_id, date_created, date_expires, confirmed_until, mac
            FROM sessions ORDER BY date_created DESC LIMIT ?
            """,
            [.integer(limit)], decode)
    }

    package static func insert(_ row: Authenticated<Session>, on connection: any SQLConnection) throws {
        let value = row.value
        try connection.execute(
            """
            INSERT INTO sessions (token_digest, user_id, date_created, date_expires, confirmed_until, mac)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .blob(value.tokenDigest), .id(value.user), .time(value.dateCreated), .time(value.dateExpires),
                .time(value.confirmedUntil), .blob(row.mac),
            ])
    }

    /// Writes the times; false if the session has ended.
    package static func update(_ row: Authenticated<Session>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        return try connection.execute(
            "UPDATE sessions SET date_expires = ?, confirmed_until = ?, mac = ? WHERE token_digest = ? AND user_id = ?",
            [.time(value.dateExpires), .time(value.confirmedUntil), .blob(row.mac), .blob(value.tokenDigest), .id(value.user)])
            > 0
    }

    /// False if the session has ended already.
    package static func delete(tokenDigest: [UInt8], on connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM sessions WHERE token_digest = ?", [.blob(tokenDigest)]) > 0
    }

    /// Ends every session of a user and returns how many there were.
    @discardableResult
    package static func deleteAll(of user: UserID, on connection: any SQLConnection) throws -> Int {
        try connection.execute("DELETE FROM sessions WHERE user_id = ?", [.id(user)])
    }

    /// Deletes sessions that expired before the moment, at most 1000 at once, and returns how many.
    package static func deleteExpired(before moment: Timestamp, on connection: any SQLConnection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM sessions WHERE token_digest IN (SELECT token_digest FROM sessions WHERE date_expires < ? LIMIT 1000)
            """,
            [.time(moment)])
    }

    private static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Session> {
        Authenticated(
            value: Session(
                tokenDigest: try row.blob(0), user: try row.id(1), dateCreated: try row.time(2), dateExpires: try row.time(3),
                confirmedUntil: try row.timeOrNil(4)),
            mac: try row.blob(5))
    }
}
