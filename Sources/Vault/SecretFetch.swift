package import Access
package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Which account an application asks for.
package enum AccountSelector: Sendable, Equatable {
    case id(AccountID)
    case named(asset: AssetSelector, account: [UInt8])

    package enum AssetSelector: Sendable, Equatable {
        case id(AssetID)
        case name([UInt8])
    }
}

/// An account's current secret, opened for one answer.
package struct RevealedSecret: ~Copyable {
    package let account: Account
    package let assetName: String
    package let assetAddress: String
    package let version: Int64?
    package let dateChanged: Timestamp?
    /// The plaintext; nil for an account that has no secret yet.
    package let secret: Secret?

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
package struct SecretFetch {
    private let reader: FetchReader
    private let workspace: SealingWorkspace

    package init(reader: FetchReader, workspace: SealingWorkspace) {
        self.reader = reader
        self.workspace = workspace
    }

    /// The secret that the selector names, if the permit's application may have it.
    ///
    /// Throws `notFound`, `ambiguous` (counting visible accounts only), or `integrity` when a row or secret is not what was stored.
    package func reveal(
        _ selector: AccountSelector, against permit: borrowing FetchPermit, keys: KeySet
    ) throws(Refusal) -> RevealedSecret {
        let rows = try candidates(selector, in: permit.organization)
        var visible: FetchRow?
        var count = 0
        for row in rows where try isVisible(row, permit.credential.application, keys) {
            visible = row
            count += 1
        }
        guard let row = visible else { throw .notFound }
        guard count == 1 else { throw .ambiguous(count: count) }
        return try open(row, keys)
    }

    private func candidates(_ selector: AccountSelector, in organization: OrganizationID) throws(Refusal) -> [FetchRow] {
        do {
            switch selector {
            case .id(let id):
                return try reader.account(in: organization, id: id).map { [$0] } ?? []
            case .named(asset: .id(let asset), account: let name):
                return try name.withUnsafeBytes { try reader.accounts(in: organization, asset: asset, accountName: $0) }
            case .named(asset: .name(let asset), account: let name):
                return try asset.withUnsafeBytes { asset in
                    try name.withUnsafeBytes { try reader.accounts(in: organization, assetName: asset, accountName: $0) }
                }
            }
        } catch {
            throw .unavailable("The storage cannot be read.")
        }
    }

    /// Whether the application may know of the account. A row that does not authenticate stops everything.
    private func isVisible(_ row: FetchRow, _ application: ApplicationPolicy, _ keys: KeySet) throws(Refusal) -> Bool {
        do {
            let account = try keys.verified(row.account, with: workspace)
            let asset = try keys.verified(row.asset, with: workspace)
            guard account.organization == application.organization, asset.organization == application.organization,
                account.asset == asset.id, account.isActive, asset.isActive
            else { return false }
            return application.filter.matches(AccountFacts(account, on: asset))
        } catch {
            throw .integrity("\(error)")
        }
    }

    private func open(_ row: FetchRow, _ keys: KeySet) throws(Refusal) -> RevealedSecret {
        let account = row.account.value
        guard let current = account.stages.current else {
            return RevealedSecret(
                account: account, assetName: row.asset.value.name, assetAddress: row.asset.value.address, version: nil,
                dateChanged: nil, secret: nil)
        }
        // The pointer is authenticated and says there is a secret: a missing version is damage, not "no secret".
        guard let version = row.secret, version.number == current else { throw .integrity("current version is missing") }
        let secret: Secret
        do {
            let place = Place.accountSecret(account.id, version: current, in: account.organization)
            secret = try keys.open(version.secret, at: place, with: workspace)
        } catch {
            throw .integrity("\(error)")
        }
        return RevealedSecret(
            account: account, assetName: row.asset.value.name, assetAddress: row.asset.value.address, version: current,
            dateChanged: version.dateCreated, secret: secret)
    }
}
