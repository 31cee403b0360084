package import Audit
package import Domain
internal import JSON
internal import Sealing
internal import Storage

/// An account as a fetch needs it: its rows found authentic, what filters ask of it, what the audit says of it. No plaintext.
package final class FetchableAccount: Sendable {
    package let account: Account
    package let assetName: String
    /// What an answer says of the account after the secret, as JSON members and the closing brace; the same in every answer.
    package let answerTail: [UInt8]
    /// What the audit names.
    package let objects: WrittenObjects
    let facts: AccountFacts
    /// As it was read and found authentic.
    let row: FetchRow
    /// The current secret as it is opened; nil where there is none.
    let sealed: PlacedValue?
    /// Whether account and asset are switched on and belong together.
    let isServed: Bool

    /// Takes a row of which account and asset were found authentic.
    init(_ row: FetchRow, account: Account, asset: Asset) throws(SealingFault) {
        self.account = account
        self.row = row
        if let secret = row.secret {
            let place = Place.accountSecret(account.id, version: secret.number, in: account.organization)
            sealed = try PlacedValue(secret.secret, at: place)
        } else {
            sealed = nil
        }
        assetName = asset.name
        facts = AccountFacts(account, on: asset)
        isServed = account.organization == asset.organization && account.asset == asset.id && account.isActive && asset.isActive
        answerTail = Self.tail(account, assetName, row.secret)
        objects = WrittenObjects([
            AuditObject(kind: "account", id: account.id.description, name: "\(account.name)(\(account.username))"),
            AuditObject(kind: "asset", id: asset.id.description, name: "\(asset.name)(\(asset.address))"),
        ])
    }
}

extension FetchableAccount {
    private static func tail(_ account: Account, _ assetName: String, _ secret: FetchSecret?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.field("account_id", account.id.description)
            $0.field("username", account.username)
            $0.field("asset", assetName)
            $0.field("secret_type", account.secretType.rawValue)
            $0.field("version", secret?.number)
            $0.field("date_changed", secret.map { WireDate.format($0.dateCreated) })
            // The value that last proved itself is served; the target may hold the pending one already.
            if account.stages.pending != nil { $0.field("change", "uncertain") }
        }
        // Without the brace that opens it: the members go on after the secret.
        return Array(writer.bytes.dropFirst())
    }
}
