internal import Access
internal import Domain
internal import Storage

// Logins of accounts by which others are worked on. All of it blocks: for the threads of connectors.
extension TurnLedger {
    enum CoverLeave: Sendable {
        case covered(LoginQueue.Cover, isFresh: Bool)
        /// The account's logins of a day are used up.
        case spent(until: Timestamp)
    }

    /// Writes down that a login of the account is under way, if it has one left.
    ///
    /// - Parameter former: of a login that is over and was accepted. Where it is not old, it goes on covering what is under way.
    func cover(_ account: AccountID, _ version: Int64, after former: LoginQueue.Cover?) throws -> CoverLeave {
        let now = parts.clock.now()
        if let former, former.version == version, now >= former.date,
            now < former.date.adding(seconds: CountedLogins.coverage)
        {
            return .covered(former, isFresh: false)
        }
        let limit = parts.logins
        return try writeBlocking { page in
            if let former { try LoginAttempts.takeBack(former.id, on: page.db) }
            if let until = try Self.nextLogin(account, account.bytes, limit, at: page.now, on: page.db) {
                return .spent(until: until)
            }
            let cover = LoginQueue.Cover(id: .random(), version: version, date: page.now)
            try LoginAttempts.begin(
                cover.id, account: account, identity: account.bytes, version: version, in: page.warrant.organization,
                at: page.now, on: page.db)
            return .covered(cover, isFresh: true)
        }
    }

    /// None is under way any more, and none was rejected.
    func uncover(_ cover: LoginQueue.Cover) throws {
        try writeBlocking { page in try LoginAttempts.takeBack(cover.id, on: page.db) }
    }

    /// The account was let in. What it knows did not change, so its logins with the same secret that nobody saw the end of, since the
    /// process was killed or the line cut, were no rejected ones either.
    ///
    /// At once: what a kill leaves behind would count against the account until it is let in again.
    func forgetUnanswered(_ account: AccountID, _ cover: LoginQueue.Cover, keepsCover: Bool) throws {
        let active = parts.active
        try writeBlocking { page in
            if !keepsCover { try LoginAttempts.takeBack(cover.id, on: page.db) }
            // A login of its own that is being checked is not over.
            guard !active.isClaimed(account) else { return }
            try LoginAttempts.takeBackUnanswered(of: account, version: cover.version, sparing: cover.id, on: page.db)
        }
    }

    /// It was not accepted. Counted from now on, and not from when the cover was written down.
    func refused(_ account: AccountID, _ cover: LoginQueue.Cover, _ outcome: LoginAttempts.Outcome) throws {
        try writeBlocking { page in
            try LoginAttempts.takeBack(cover.id, on: page.db)
            try LoginAttempts.begin(
                cover.id, account: account, identity: account.bytes, version: cover.version, in: page.warrant.organization,
                at: page.now, on: page.db)
            try LoginAttempts.end(cover.id, outcome, on: page.db)
        }
    }
}
