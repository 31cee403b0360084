package import Domain

/// Logins at targets: written before they are made, so that a crash loop cannot lock an account. Accepted ones are taken back.
package enum LoginAttempts {
    package enum Attempt {}
    package typealias ID = Identifier<Attempt>

    /// What is known of a login that was not accepted.
    package enum Outcome: String, Sendable {
        /// Written down and not known to be over.
        case begun
        case rejected
        case lockedOut = "locked_out"
        /// It ended without an answer.
        case unclear
    }

    /// The number of a login with a wrong secret, made to see it refused: no version of the account's.
    package static let wrongSecret: Int64 = -1

    package static func begin(
        _ id: ID, account: AccountID, identity: [UInt8], version: Int64, in organization: OrganizationID, at date: Timestamp,
        on connection: any SQLConnection
    ) throws {
        try connection.execute(
            "INSERT INTO login_attempts (id, org_id, account_id, identity, number, date, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .id(id), .id(organization), .id(account), .blob(identity), .integer(version), .time(date),
                .text(Outcome.begun.rawValue),
            ])
    }

    package static func end(_ id: ID, _ outcome: Outcome, on connection: any SQLConnection) throws {
        try connection.execute("UPDATE login_attempts SET outcome = ? WHERE id = ?", [.text(outcome.rawValue), .id(id)])
    }

    /// Of a login that was accepted, or never came to the door.
    package static func takeBack(_ id: ID, on connection: any SQLConnection) throws {
        try connection.execute("DELETE FROM login_attempts WHERE id = ?", [.id(id)])
    }

    /// Of all logins with a version that nobody saw the end of but one, when it is known that they cannot have been rejected.
    package static func takeBackUnanswered(
        of account: AccountID, version: Int64, sparing one: ID, on connection: any SQLConnection
    ) throws {
        try connection.execute(
            "DELETE FROM login_attempts WHERE account_id = ? AND number = ? AND outcome IN (?, ?) AND id <> ?",
            [.id(account), .integer(version), .text(Outcome.begun.rawValue), .text(Outcome.unclear.rawValue), .id(one)])
    }

    /// Logins that count since the moment, of the account or of the same user on the target, oldest first.
    package static func dates(
        account: AccountID, identity: [UInt8], since: Timestamp, on connection: any SQLConnection
    ) throws -> [Timestamp] {
        try connection.query(
            """
            SELECT date FROM (
                SELECT id, date FROM login_attempts WHERE account_id = ? AND date > ?
                UNION SELECT id, date FROM login_attempts WHERE identity = ? AND date > ?) AS counted
            ORDER BY date
            """,
            [.id(account), .time(since), .blob(identity), .time(since)]
        ) { try $0.time(0) }
    }

    /// Whether the target was seen, since the moment, to refuse the account a wrong secret.
    package static func sawRefusal(
        account: AccountID, identity: [UInt8], since: Timestamp, on connection: any SQLConnection
    ) throws -> Bool {
        try connection.exists(
            "SELECT 1 FROM login_attempts WHERE account_id = ? AND date > ? AND identity = ? AND number = ? AND outcome = ?",
            [
                .id(account), .time(since), .blob(identity), .integer(wrongSecret), .text(Outcome.rejected.rawValue),
            ])
    }

    /// Deletes what is older than the moment, at most 1000 at once, and returns how many.
    package static func delete(before moment: Timestamp, on connection: any SQLConnection) throws -> Int {
        try connection.execute(
            "DELETE FROM login_attempts WHERE id IN (SELECT id FROM login_attempts WHERE date < ? LIMIT 1000)", [.time(moment)])
    }
}
