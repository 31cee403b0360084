package import Access
package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Which account an application asks for.
package enum AccountSelector: Sendable, Hashable {
    case id(AccountID)
    case named(asset: AssetSelector, account: [UInt8])

    package enum AssetSelector: Sendable, Hashable {
        case id(AssetID)
        case name([UInt8])
    }
}

/// The words in which an account is asked for, as they were received: valid as long as the request they are of.
package struct AccountWords {
    package var asset: UnsafeRawBufferPointer?
    package var assetID: UnsafeRawBufferPointer?
    package var account: UnsafeRawBufferPointer?
    package var accountID: UnsafeRawBufferPointer?

    package init() {}
}

/// An account's current secret, opened for one answer.
package struct RevealedSecret: ~Copyable {
    package let found: FetchableAccount
    /// The plaintext; nil for an account that has no secret yet.
    package let secret: Secret?

    package var account: Account { found.account }
    package var version: Int64? { found.row.secret?.number }
    package var dateChanged: Timestamp? { found.row.secret?.dateCreated }

    /// Bytes of plaintext; 0 without a secret.
    package var secretByteCount: Int {
        switch secret {
        case .some(let secret): secret.count
        case .none: 0
        }
    }
}

/// The hot path's way to plaintext: resolves an account, asks the application's filter, checks what decides, opens the secret.
///
/// Synchronous, on the thread of the loop that owns the reader. Hidden, inactive and absent look alike.
package final class SecretFetch {
    private let reader: FetchReader
    private let keyring: Keyring
    private let workspace: SealingWorkspace
    private var open: KeySet?
    private var cache = FetchCache()
    /// The keys under which the cached rows were found authentic.
    private weak var cachedUnder: KeySet?

    package init(reader: FetchReader, keyring: Keyring) throws {
        self.reader = reader
        self.keyring = keyring
        workspace = try SealingWorkspace()
    }

    /// Takes the keys up for a pass of the loop; false while the vault is sealed.
    package func beginPass() -> Bool {
        guard open == nil else { return true }
        open = try? keyring.keys()
        if open == nil || cachedUnder !== open {
            cache.removeAll()
            cachedUnder = open
        }
        if open != nil { workspace.holdKeys() }
        return open != nil
    }

    /// Ends the pass's read transaction and lets go of the keys, so that sealing wipes them.
    package func endPass() {
        reader.endCycle()
        workspace.letGoOfKeys()
        open = nil
    }

    /// The secret that the words name, if the permit's application may have it. `selector` reads them, where they are not known yet.
    ///
    /// Throws what `selector` throws, `notFound` or `hidden`, which look alike, `ambiguous` (counting visible accounts only), or `integrity`
    /// when a row or secret is not what was stored.
    package func reveal(
        _ words: AccountWords, against permit: borrowing FetchPermit,
        selector: (AccountWords) throws(Refusal) -> AccountSelector
    ) throws(Refusal) -> RevealedSecret {
        guard let keys = open else { throw .sealed }
        let application = permit.credential.application
        var visible: FetchableAccount?
        var count = 0
        let found = try candidates(words, in: application.organization, keys, selector)
        for candidate in found where candidate.isServed && application.filter.matches(candidate.facts) {
            visible = candidate
            count += 1
        }
        guard let visible else { throw Self.absence(found) }
        guard count == 1 else { throw .ambiguous(count: count) }
        return try reveal(visible, keys)
    }

    /// Why none of these is served: for the audit alone, since whoever asks must not tell them apart.
    private static func absence(_ candidates: [FetchableAccount]) -> Refusal {
        if candidates.isEmpty { return .notFound }
        let isFiltered = candidates.contains { $0.isServed }
        return .hidden(reason: isFiltered ? "hidden by the application's account filter" : "account or asset inactive")
    }

    /// What the words name in the organization, every row verified. One that does not authenticate stops everything.
    private func candidates(
        _ words: AccountWords, in organization: OrganizationID, _ keys: KeySet,
        _ selector: (AccountWords) throws(Refusal) -> AccountSelector
    ) throws(Refusal) -> [FetchableAccount] {
        let state: FetchReader.State
        do {
            state = try reader.state()
        } catch {
            throw .unavailable("The storage cannot be read.")
        }
        if let known = cache.accounts(words, in: organization, at: state) { return known }
        let selector = try selector(words)
        let earlier = cache.earlier(words, in: organization)
        let rows: [FetchRow]
        do {
            rows = try read(selector, in: organization, known: earlier.map(\.row))
        } catch {
            throw .unavailable("The storage cannot be read.")
        }
        var found: [FetchableAccount] = []
        for row in rows {
            // What was found authentic under these keys is so again when it is the same to the byte.
            if let same = earlier.first(where: { $0.row.image == row.image }) {
                found.append(same)
            } else {
                found.append(try verified(row, in: organization, keys))
            }
        }
        cache.keep(found, for: words, in: organization, at: state)
        return found
    }

    private func read(_ selector: AccountSelector, in organization: OrganizationID, known: [FetchRow]) throws -> [FetchRow] {
        switch selector {
        case .id(let id):
            return try reader.account(in: organization, id: id, known: known).map { [$0] } ?? []
        case .named(asset: .id(let asset), account: let name):
            return try name.withUnsafeBytes { try reader.accounts(in: organization, asset: asset, accountName: $0, known: known) }
        case .named(asset: .name(let asset), account: let name):
            return try asset.withUnsafeBytes { asset in
                try name.withUnsafeBytes {
                    try reader.accounts(in: organization, assetName: asset, accountName: $0, known: known)
                }
            }
        }
    }

    private func verified(_ row: FetchRow, in organization: OrganizationID, _ keys: KeySet) throws(Refusal) -> FetchableAccount {
        do {
            let account = try keys.verified(row.account, with: workspace)
            let asset = try keys.verified(row.asset, with: workspace)
            guard account.organization == organization else { throw SealingFault.notAuthentic("organization") }
            // The pointer is authenticated and says there is a secret: a missing version is damage, not "no secret".
            guard account.stages.current == row.secret?.number else {
                throw SealingFault.notAuthentic("current version is missing")
            }
            return try FetchableAccount(row, account: account, asset: asset)
        } catch {
            throw .integrity("\(error)")
        }
    }

    private func reveal(_ found: FetchableAccount, _ keys: KeySet) throws(Refusal) -> RevealedSecret {
        guard let sealed = found.sealed else { return RevealedSecret(found: found, secret: nil) }
        let secret: Secret
        do {
            secret = try keys.open(sealed, with: workspace)
        } catch {
            throw .integrity("\(error)")
        }
        return RevealedSecret(found: found, secret: secret)
    }
}
