package import Access
package import Cryptography
package import Domain
package import Storage

// What a turn does to an account's versions. Each changes the account's stages in place; the caller stores the row, the open change and
// whatever else belongs to it in the same transaction.
extension AccountSecrets {
    /// What a warrant must be for, to touch secrets on the way to a target.
    private static let turning: [Permission] = [.rotateAccount, .pushAccount]
    private static let connecting: [Permission] = [.rotateAccount, .pushAccount, .verifyAccount, .removeAccount]

    /// Seals a candidate as the account's next version and makes it the pending one. Nothing of it may be sent before the commit.
    ///
    /// Returns its number. From now on it is kept whatever the history's limit, and so is the value that is current.
    package func remember(
        _ candidate: borrowing Secret, for account: inout Account, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws -> Int64 {
        try require(Self.turning, warrant, account)
        let number = account.stages.last + 1
        try SecretVersions.insert(
            version(candidate, as: number, of: account, by: warrant.principal.actor.name, now: now, in: db), on: db)
        account.stages.last = number
        try expect(number, of: &account, now: now, in: db)
        return number
    }

    /// Makes a version that is kept already the pending one, to be put on the target as it is.
    package func remember(
        version number: Int64, for account: inout Account, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws {
        try require(Self.turning, warrant, account)
        guard try SecretVersions.get(number, of: account.id, in: account.organization, on: db) != nil else {
            throw Refusal.notFound
        }
        try expect(number, of: &account, now: now, in: db)
    }

    private func expect(_ number: Int64, of account: inout Account, now: Timestamp, in db: any SQLConnection) throws {
        account.stages.pending = number
        if let current = account.stages.current, current != number,
            try SentSecrets.get(current, of: account.id, in: account.organization, on: db) == nil
        {
            try SentSecrets.insert(current, of: account.id, in: account.organization, at: now, on: db)
        }
        try SentSecrets.insert(number, of: account.id, in: account.organization, at: now, on: db)
    }

    /// Keeps bytes that a change is about to destroy on the target, as a version that stands for nothing.
    package func keep(
        _ saved: borrowing Secret, for account: inout Account, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws -> Int64 {
        try require(Self.turning, warrant, account)
        let number = account.stages.last + 1
        try SecretVersions.insert(version(saved, as: number, of: account, by: "saved from the target", now: now, in: db), on: db)
        account.stages.last = number
        return number
    }

    /// Makes the pending version current. Unproven, it is current all the same, and the value before it stays kept without a limit.
    package func promote(
        _ candidate: Int64, of account: inout Account, isProven: Bool, by warrant: Warrant, historyLimit: Int, now: Timestamp,
        in db: any SQLConnection
    ) throws {
        try require(Self.turning, warrant, account)
        guard account.stages.pending == candidate else { throw Refusal.conflict("The candidate is not the pending version.") }
        point(&account, at: candidate)
        account.dateChangeSecret = now
        if isProven { try prove(candidate, of: &account, now: now, in: db) }
        try prune(account, historyLimit, now, db)
    }

    /// Ends a change whose candidate did not come to be live; it stays kept. `live` is the version that was seen to be live instead.
    package func abandon(
        _ account: inout Account, live: Int64?, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws {
        try require(Self.turning, warrant, account)
        account.stages.pending = nil
        guard let live else { return }
        point(&account, at: live)
        try prove(live, of: &account, now: now, in: db)
    }

    /// Notes that a login proved a version.
    package func confirm(
        _ number: Int64, of account: inout Account, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws {
        try require(Self.connecting, warrant, account)
        try prove(number, of: &account, now: now, in: db)
    }

    /// Makes a kept version current again that was seen to be live on the target, where the current one was rejected.
    package func recover(_ number: Int64, of account: inout Account, by warrant: Warrant) throws {
        try require(Self.connecting, warrant, account)
        guard account.stages.pending == nil else { throw Refusal.conflict("A change of the account is open.") }
        point(&account, at: number)
    }

    private func point(_ account: inout Account, at number: Int64) {
        account.stages.pending = nil
        guard account.stages.current != number else { return }
        account.stages.previous = account.stages.current ?? account.stages.previous
        account.stages.current = number
    }

    private func prove(_ number: Int64, of account: inout Account, now: Timestamp, in db: any SQLConnection) throws {
        try SentSecrets.prove(number, of: account.id, in: account.organization, at: now, on: db)
        account.dateVerified = now
        account.connectivity = .ok
    }

    /// The versions of which one may be live, likeliest first: candidate, current, previous, then every other that was sent.
    package func valuesToTry(of account: Account, now: Timestamp, in db: any SQLConnection) throws -> [Int64] {
        let sent = try SentSecrets.open(
            of: account.id, in: account.organization, supersededAfter: SentSecret.cutoff(now), on: db)
        let staged = [account.stages.pending, account.stages.current, account.stages.previous].compactMap { $0 }
        var seen: Set<Int64> = []
        return (staged + sent.map(\.number)).filter { seen.insert($0).inserted }
    }

    /// One kept version in plaintext, on its way to a target.
    package func revealForChange(
        version number: Int64, of account: Account, by warrant: Warrant, in db: any SQLConnection
    ) throws -> SecretHandoff {
        try require(Self.connecting, warrant, account)
        guard let version = try SecretVersions.get(number, of: account.id, in: account.organization, on: db) else {
            throw Refusal.notFound
        }
        return try opened(version)
    }

    /// A value whose account was deleted by force while it was not known which value is live.
    package func reveal(kept: KeptSecret, by warrant: Warrant) throws -> SecretHandoff {
        guard warrant.permits(.revealAccount, in: kept.organization) else { throw Refusal.forbidden(.revealAccount) }
        return try opened(
            SecretVersion(
                account: kept.account, organization: kept.organization, number: kept.number, secretType: kept.secretType,
                secret: kept.secret, fingerprint: nil, createdBy: kept.keptBy, dateCreated: kept.dateCreated))
    }

    private func require(_ permissions: [Permission], _ warrant: Warrant, _ account: Account) throws {
        guard permissions.contains(where: { warrant.permits($0, in: account.organization) }) else {
            throw Refusal.forbidden(permissions[0])
        }
    }
}
