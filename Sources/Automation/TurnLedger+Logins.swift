internal import Access
internal import Connectors
internal import Domain
internal import Storage

/// What became of a login that was written down before it was made; stored with the next transaction.
struct LoginEnd: Sendable {
    let id: LoginAttempts.ID
    /// Nil: it was accepted, or never came to the door.
    let outcome: LoginAttempts.Outcome?
    /// The worker that was let in. What it knows did not change, so its logins with the same secret that nobody saw the end of, since
    /// the process was killed or the line cut, were no rejected ones either.
    var accepted: Worker?

    struct Worker: Sendable {
        let account: AccountID
        let version: Int64
    }

    func write(on db: any SQLConnection) throws {
        if let outcome { try LoginAttempts.end(id, outcome, on: db) } else { try LoginAttempts.takeBack(id, on: db) }
        if let accepted { try LoginAttempts.takeBackUnanswered(of: accepted.account, version: accepted.version, on: db) }
    }
}

extension TurnLedger {
    enum LoginLeave: Sendable {
        case granted(LoginGrant)
        /// The account's logins of a day are used up.
        case spent(until: Timestamp)
    }

    /// Writes down a login that is about to be made, if the account has one left; with it where the turn stands.
    func beginLogin(
        _ account: AccountID, identity: [UInt8], version: Int64, change: OpenChange? = nil, turn: SecretTurn? = nil,
        _ attempts: [LoginEnd] = []
    ) async throws -> (leave: LoginLeave, change: OpenChange?) {
        let limit = parts.logins
        return try await write { page in
            try page.settle(attempts)
            var stored = change
            if var change, let turn {
                try page.store(&change, turn)
                stored = change
            }
            if let until = try Self.nextLogin(account, identity, limit, at: page.now, on: page.db) {
                return (.spent(until: until), stored)
            }
            let id = LoginAttempts.ID.random()
            try LoginAttempts.begin(
                id, account: account, identity: identity, version: version, in: page.warrant.organization, at: page.now,
                on: page.db)
            let sawRefusal = try LoginAttempts.sawRefusal(
                account: account, identity: identity, since: page.now.adding(seconds: -limit.seconds), on: page.db)
            return (.granted(LoginGrant(id: id, account: account, identity: identity, sawRefusal: sawRefusal)), stored)
        }
    }

    /// Writes down a login with a wrong secret that is about to be made, if the account has one left; nil if it has none. The granted
    /// login before it was accepted and does not count. Blocks: for the threads of connectors.
    func beginWrongLogin(after grant: LoginGrant) throws -> LoginAttempts.ID? {
        let limit = parts.logins
        return try writeBlocking { page in
            try LoginAttempts.takeBack(grant.id, on: page.db)
            guard try Self.nextLogin(grant.account, grant.identity, limit, at: page.now, on: page.db) == nil else { return nil }
            let id = LoginAttempts.ID.random()
            try LoginAttempts.begin(
                id, account: grant.account, identity: grant.identity, version: LoginAttempts.wrongSecret,
                in: page.warrant.organization, at: page.now, on: page.db)
            return id
        }
    }

    /// Writes down a login that is about to be made; nil if the account has none left. Blocks: for the threads of connectors.
    func beginLoginBlocking(_ account: AccountID, version: Int64) throws -> LoginAttempts.ID? {
        let limit = parts.logins
        return try writeBlocking { page in
            guard try Self.nextLogin(account, account.bytes, limit, at: page.now, on: page.db) == nil else { return nil }
            let id = LoginAttempts.ID.random()
            try LoginAttempts.begin(
                id, account: account, identity: account.bytes, version: version, in: page.warrant.organization, at: page.now,
                on: page.db)
            return id
        }
    }

    /// Writes down how one ended. Blocks.
    func endBlocking(_ attempt: LoginEnd) throws { try writeBlocking { page in try page.settle([attempt]) } }

    /// When the account has a login left again; nil if it has one now.
    static func nextLogin(
        _ account: AccountID, _ identity: [UInt8], _ limit: LoginLimit, at now: Timestamp, on db: any SQLConnection
    ) throws -> Timestamp? {
        let dates = try LoginAttempts.dates(
            account: account, identity: identity, since: now.adding(seconds: -limit.seconds), on: db)
        guard dates.count >= max(1, limit.count) else { return nil }
        let index = dates.count - max(1, limit.count)
        return dates[index].adding(seconds: limit.seconds + 1)
    }

    func end(_ attempts: [LoginEnd]) async throws {
        guard !attempts.isEmpty else { return }
        try await write { page in try page.settle(attempts) }
    }
}
