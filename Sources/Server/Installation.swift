package import Cryptography
package import Domain
internal import Sealing
internal import Storage
internal import Audit
internal import Access
internal import Glibc
internal import Logging

/// Makes a new vault: data directory, databases, keys, the first administrator, a certificate for development.
package struct Installation {
    /// Where a vault keeps its parts.
    package struct Layout: Sendable {
        package let data: String
        package let keys: String

        package init(data: String, keys: String) {
            self.data = data
            self.keys = keys
        }

        package var certificateAuthority: String { data + "/tls/ca.pem" }
        package var certificate: String { data + "/tls/server.pem" }
        package var certificateKey: String { data + "/tls/server.key" }
        package var checkpoints: String { data + "/audit-checkpoints.jsonl" }
        /// Where `init --yes` puts the recovery code: beside the data directory, never in it.
        package var recovery: String { data + ".recovery-code" }
    }

    /// What came of it, to be shown once.
    package struct Made: ~Copyable {
        package let username: String
        package let password: Secret
        package let auditPublicKey: [UInt8]
    }

    private let layout: Layout
    private let clock: WallClock

    package init(layout: Layout, clock: WallClock = .system) {
        self.layout = layout
        self.clock = clock
    }

    /// Makes the vault with a key file slot and a slot for the recovery code given. Blocks.
    ///
    /// Refuses where there is one already. All rows come in one transaction: a vault is there whole or not at all.
    package func run(username: String, recoveryCode: borrowing Secret, hosts: [String]) throws -> Made {
        let directory = try DataDirectory.open(at: layout.data, create: true)
        guard access(directory.database, F_OK) != 0 else { throw SealingFault.alreadyInitialized }
        guard let recovery = RecoveryCodeUnsealer(typed: recoveryCode) else { throw CryptographyFault.badInput("recovery code") }
        let database = try Database.open(at: directory.database + ".new")
        defer { database.close() }
        _ = try database.migrate(Migration.main)
        let keyFile = KeyFileUnsealer(directory: layout.keys)
        _ = try keyFile.create()
        let password = try SecureRandom.characters(count: 24, from: SecureRandom.alphanumerics)
        let signing = try Ed25519.SigningKey.random()
        let passwordCopy = SecretHandoff(password.duplicate())
        let salt = try SecureRandom.bytes(count: 16)
        let now = clock.now()
        try database.writeSync { db in
            try Platforms.seed(on: db)
            let keyring = Keyring(database: database)
            try keyring.initialize(
                slots: [
                    NewSlot(keyFile, label: "key file", parameters: []),
                    NewSlot(recovery, label: "recovery code", parameters: salt),
                ], organizations: [.system, .default], now: now, in: db
            ) {
                try Self.organizations(keyring, now, db)
            }
            guard let password = passwordCopy.take() else { throw SealingFault.notInitialized }
            _ = try UserAccounts.create(
                username: username, name: "Administrator", role: .administrator, password: password, keyring: keyring, now: now,
                in: db)
            try AuditKey.store(signing, keyring: keyring, now: now, in: db)
        }
        try certificates(hosts)
        try beginAudit(directory, signing, now)
        database.close()
        // The name appears last: what is called keyturn.db is a whole vault.
        try publish(from: directory.database + ".new", to: directory.database)
        return Made(username: username, password: password, auditPublicKey: signing.publicKey.bytes)
    }

    private static func organizations(_ keyring: Keyring, _ now: Timestamp, _ db: any SQLConnection) throws {
        let keys = try keyring.keys()
        let workspace = try SealingWorkspace()
        for (id, name) in [(OrganizationID.system, "SYSTEM"), (.default, "Default")] {
            let organization = Organization(id: id, name: name, dateCreated: now)
            try Organizations.insert(keys.authenticated(organization, with: workspace), on: db)
        }
        let root = Node(id: .random(), organization: .default, key: "1", value: "Default", parent: nil)
        try Nodes.insert(keys.authenticated(root, with: workspace), on: db)
    }

    func certificates(_ hosts: [String]) throws {
        let isAddress = { (name: String) in IPAddress(name) != nil }
        let made = try DevelopmentCertificates(
            commonName: hosts.first ?? "localhost", dnsNames: hosts.filter { !isAddress($0) }, addresses: hosts.filter(isAddress),
            days: 825)
        guard mkdir(layout.data + "/tls", 0o700) == 0 || errno == EEXIST else { throw PrivateFile.fault(layout.data + "/tls") }
        try PrivateFile.write(Array(made.authority.utf8), to: layout.certificateAuthority)
        try PrivateFile.write(Array(made.server.utf8), to: layout.certificate)
        try made.serverKey.withBytes { try PrivateFile.write($0, to: layout.certificateKey) }
    }

    /// The first link of the chain, signed.
    private func beginAudit(_ directory: DataDirectory, _ signing: Ed25519.SigningKey, _ now: Timestamp) throws {
        let database = try Database.open(at: directory.auditDatabase)
        defer { database.close() }
        _ = try database.migrate(Migration.audit)
        var options = AuditOptions()
        options.checkpointFile = layout.checkpoints
        let log = try AuditLog.open(
            database, options: options, logger: Logger(label: "keyturn.audit") { _ in SwiftLogNoOpLogHandler() })
        defer { log.close() }
        log.setSigningKey(signing)
        try log.appendSync(
            AuditEntry(
                time: now, actor: .operatorLocal(OperatorName.current), address: "", organization: nil,
                action: AuditAction(rawValue: "vault.init"), outcome: .granted, request: .random()))
    }

    private func publish(from: String, to: String) throws {
        guard rename(from, to) == 0 else { throw PrivateFile.fault(to) }
        try PrivateFile.syncDirectory(layout.data)
    }
}
