package import Access
package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Account secrets at rest: puts new versions, reveals old ones, against a warrant of the gate.
package struct AccountSecrets: Sendable {
    let keyring: Keyring

    package init(keyring: Keyring) {
        self.keyring = keyring
    }

    /// Seals the first secret of an account that is not stored yet, and makes it current.
    ///
    /// The caller stores the account's row and then the version, in the same transaction.
    package func first(
        _ secret: borrowing Secret, of account: inout Account, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws -> SecretVersion {
        guard warrant.permits(.createAccount, in: account.organization) else { throw Refusal.forbidden(.createAccount) }
        let version = try version(secret, as: 1, of: account, by: warrant.principal.actor.name, now: now, in: db)
        account.stages = SecretStages(current: 1, last: 1)
        account.dateChangeSecret = now
        return version
    }

    /// Stores a secret as the account's next version and makes it current; the old one becomes previous and stays in history.
    ///
    /// Changes the account's stages in place; the caller stores the row in the same transaction. The number rises whether or not the value
    /// equals the old one, so that a writer learns nothing about it.
    package func put(
        _ secret: borrowing Secret, into account: inout Account, by warrant: Warrant, historyLimit: Int, now: Timestamp,
        in db: any SQLConnection
    ) throws {
        guard
            warrant.permits(.changeAccount, in: account.organization) || warrant.permits(.createAccount, in: account.organization)
        else {
            throw Refusal.forbidden(.changeAccount)
        }
        let number = account.stages.last + 1
        try SecretVersions.insert(
            version(secret, as: number, of: account, by: warrant.principal.actor.name, now: now, in: db), on: db)
        account.stages = SecretStages(
            current: number, pending: account.stages.pending, previous: account.stages.current ?? account.stages.previous,
            last: number)
        account.dateChangeSecret = now
        try prune(account, historyLimit, now, db)
    }

    /// Takes the current secret away: nothing is served any more. The value stays in history as previous.
    package func clear(_ account: inout Account, by warrant: Warrant) throws {
        guard warrant.permits(.changeAccount, in: account.organization) else { throw Refusal.forbidden(.changeAccount) }
        account.stages.previous = account.stages.current ?? account.stages.previous
        account.stages.current = nil
    }

    /// One stored version in plaintext.
    package func reveal(
        version number: Int64, of account: Account, by warrant: Warrant, in db: any SQLConnection
    ) throws -> (handoff: SecretHandoff, version: SecretVersion) {
        guard warrant.permits(.revealAccount, in: account.organization) else { throw Refusal.forbidden(.revealAccount) }
        guard let version = try SecretVersions.get(number, of: account.id, in: account.organization, on: db) else {
            throw Refusal.notFound
        }
        return (try opened(version), version)
    }

    func opened(_ version: SecretVersion) throws -> SecretHandoff {
        let place = Place.accountSecret(version.account, version: version.number, in: version.organization)
        do {
            return SecretHandoff(try keyring.keys().open(version.secret, at: place, with: SealingWorkspace()))
        } catch let fault as SealingFault {
            throw fault == .sealed ? Refusal.sealed : Refusal.integrity("\(fault)")
        }
    }

    /// Takes away what is older than the history's limit; what may be live on a target stays.
    func prune(_ account: Account, _ historyLimit: Int, _ now: Timestamp, _ db: any SQLConnection) throws {
        _ = try SecretVersions.prune(
            account.id, in: account.organization, keeping: historyLimit, supersededBefore: SentSecret.cutoff(now), on: db)
    }

    func version(
        _ secret: borrowing Secret, as number: Int64, of account: Account, by author: String, now: Timestamp,
        in db: any SQLConnection
    ) throws -> SecretVersion {
        let workspace = try SealingWorkspace()
        let keys = try keyring.keys()
        let place = Place.accountSecret(account.id, version: number, in: account.organization)
        let sealed = try keyring.seal(secret, at: place, with: workspace, now: now, in: db)
        var fingerprint: Sealed?
        if account.secretType == .password {
            let print = try keys.fingerprint(of: secret, in: account.organization)
            let mark = Place.accountFingerprint(account.id, version: number, in: account.organization)
            fingerprint = try keyring.seal(print, at: mark, with: workspace, now: now, in: db)
        }
        return SecretVersion(
            account: account.id, organization: account.organization, number: number, secretType: account.secretType,
            secret: sealed,
            fingerprint: fingerprint, createdBy: author, dateCreated: now)
    }
}
