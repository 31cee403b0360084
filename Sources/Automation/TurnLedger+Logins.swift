internal import Access
internal import Connectors
internal import Domain
internal import Storage

/// What became of a login that was written down before it was made; stored with the next transaction.
struct LoginEnd: Sendable {
    let id: LoginAttempts.ID
    /// Nil: it was accepted, or never came to the door.
    let outcome: LoginAttempts.Outcome?

    func write(on db: any SQLConnection) throws {
        if let outcome { try LoginAttempts.end(id, outcome, on: db) } else { try LoginAttempts.takeBack(id, on: db) }
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
        let first = try await beginLogin(account, identity, version, change, turn, attempts, after: nil)
        guard case .spent = first.leave else { return first }
        // It may be logging in for the work on others: how that ends decides whether it has one left.
        let entry = await parts.queue.enter(account)
        defer { parts.queue.leave(account) }
        return try await beginLogin(account, identity, version, first.change, turn, [], after: entry.cover)
    }

    private func beginLogin(
        _ account: AccountID, _ identity: [UInt8], _ version: Int64, _ change: OpenChange?, _ turn: SecretTurn?,
        _ attempts: [LoginEnd], after cover: LoginQueue.Cover?
    ) async throws -> (leave: LoginLeave, change: OpenChange?) {
        let limit = parts.logins
        return try await write { page in
            try page.settle(attempts)
            if let cover { try LoginAttempts.takeBack(cover.id, on: page.db) }
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

    /// When the account has a login left again; nil if it has one now, or will once it is no longer logging in for the work on others.
    func nextLogin(_ account: AccountID, _ identity: [UInt8]) async throws -> Timestamp? {
        let (parts, limit) = (parts, parts.logins)
        let until = try await parts.database.read { db in
            try Self.nextLogin(account, identity, limit, at: parts.clock.now(), on: db)
        }
        guard until != nil else { return nil }
        let entry = await parts.queue.enter(account)
        defer { parts.queue.leave(account) }
        return try await write { page in
            if let cover = entry.cover { try LoginAttempts.takeBack(cover.id, on: page.db) }
            return try Self.nextLogin(account, identity, limit, at: page.now, on: page.db)
        }
    }

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
