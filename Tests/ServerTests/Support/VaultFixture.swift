import Cryptography
import Domain
import Foundation
import Sealing
import Storage
import TestSupport

@testable import Server

/// A vault made as `init` makes one, with an account that has a secret; its server does not run.
final class VaultFixture: Sendable {
    static let plaintext = "correct horse battery staple"

    let directory: TemporaryDirectory
    let layout: Installation.Layout
    let recoveryCode: SecretText
    let asset = AssetID.random()
    let account = AccountID.random()

    /// Text that a test may look at as often as it likes.
    struct SecretText: Sendable {
        let text: String

        var handoff: SecretHandoff { SecretHandoff(Self.secret(text)) }
        static func secret(_ text: String) -> Secret { Secret(copying: Array(text.utf8).withUnsafeBytes { $0 }) }
    }

    var configuration: Configuration {
        var configuration = Configuration()
        configuration.dataDirectory = layout.data
        configuration.keyDirectory = layout.keys
        return configuration
    }

    /// Blocks for the one password that `init` hashes.
    init() throws {
        directory = try TemporaryDirectory("vault")
        layout = Installation.Layout(data: directory.file("data"), keys: directory.file("keys"))
        let code = try RecoveryCodeUnsealer.generate()
        recoveryCode = SecretText(text: code.withBytes { String(decoding: $0, as: UTF8.self) })
        _ = try Installation(layout: layout).run(username: "admin", recoveryCode: code, hosts: ["localhost"])
        try change { keyring, db in try self.populate(keyring, db) }
    }

    /// Changes the vault behind its own back, in one transaction, with its keys at hand.
    func change(_ body: @escaping @Sendable (Keyring, any SQLConnection) throws -> Void) throws {
        let database = try Database.open(at: layout.data + "/keyturn.db")
        defer { database.close() }
        let keyring = Keyring(database: database)
        try keyring.unseal(with: KeyFileUnsealer(directory: layout.keys))
        try database.writeSync { db in try body(keyring, db) }
    }

    private func populate(_ keyring: Keyring, _ db: any SQLConnection) throws {
        let now = Timestamp.now
        let workspace = try SealingWorkspace()
        let keys = try keyring.keys()
        let host = Asset(
            id: asset, organization: .default, name: "web-1", address: "192.0.2.1", platform: Platform.ID(rawValue: 1),
            dateCreated: now, dateUpdated: now)
        try Assets.insert(keys.authenticated(host, with: workspace), on: db)
        var root = Account(
            id: account, organization: .default, asset: asset, name: "root", username: "root", secretType: .password,
            dateCreated: now, dateUpdated: now)
        try Accounts.insert(keys.authenticated(root, with: workspace), on: db)
        let place = Place.accountSecret(account, version: 1, in: .default)
        let sealed = try keyring.seal(SecretText.secret(Self.plaintext), at: place, with: workspace, now: now, in: db)
        try SecretVersions.insert(
            SecretVersion(
                account: account, organization: .default, number: 1, secretType: .password, secret: sealed, fingerprint: nil,
                createdBy: "test", dateCreated: now), on: db)
        root.stages.current = 1
        root.stages.last = 1
        _ = try Accounts.update(keys.authenticated(root, with: workspace), on: db)
    }

    /// The account's secret as a vault at the layout given holds it.
    func reveal(in layout: Installation.Layout, with unsealer: any Unsealer) throws -> String {
        let database = try Database.open(at: layout.data + "/keyturn.db")
        defer { database.close() }
        let keyring = Keyring(database: database)
        try keyring.unseal(with: unsealer)
        let account = account
        return try database.readSync { db in
            guard let version = try SecretVersions.get(1, of: account, in: .default, on: db) else { return "" }
            let place = Place.accountSecret(account, version: 1, in: .default)
            let secret = try keyring.keys().open(version.secret, at: place, with: SealingWorkspace())
            return secret.withBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// A snapshot of it, made while it is stopped.
    func snapshot(_ name: String = "snapshot") async throws -> String {
        let target = directory.file(name)
        let vault = try await onOwnThread { [layout] in try StoppedVault(data: layout.data, checkpoints: layout.checkpoints) }
        _ = try await vault.snapshot(to: target)
        await vault.close()
        return target
    }

    /// Where a restored vault goes.
    var elsewhere: Installation.Layout {
        Installation.Layout(data: directory.file("restored"), keys: directory.file("restored-keys"))
    }
}
