package import Cryptography
package import Domain
internal import Sealing
internal import Storage
internal import Audit
internal import API
internal import Access
internal import Glibc
internal import Logging

/// Makes a new vault: data directory, databases, keys, the first administrator, a certificate for development.
package struct Installation {
    /// Where a vault keeps its parts.
    package struct Layout: Sendable {
        package let data: String
        package let keys: String

        /// Without a key directory of one's own choice it is beside the data directory, never in it, however the path is written.
        package init(data: String, keys: String? = nil) {
            let path = Self.withoutSlashes(data)
            self.data = path
            self.keys = keys.map(Self.withoutSlashes) ?? path + "-keys"
        }

        private static func withoutSlashes(_ path: String) -> String {
            var path = path
            while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
            return path
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

    /// What is on the disk when each step is done.
    package enum Step: Sendable, CaseIterable {
        case emptyDatabase, keyFile, rows, certificates, audit, recoveryCode
    }

    private let layout: Layout
    private let clock: WallClock
    private let reached: @Sendable (Step) throws -> Void

    /// `reached` is told of each step, so that tests can end there what a power cut would end.
    package init(layout: Layout, clock: WallClock = .system, reached: @escaping @Sendable (Step) throws -> Void = { _ in }) {
        self.layout = layout
        self.clock = clock
        self.reached = reached
    }

    /// Makes the vault with a key file slot and a slot for the recovery code given. Blocks.
    ///
    /// Refuses where there is one already, or the remains of an init that did not finish. The database gets its name last: a vault is there
    /// whole, with its recovery code on the disk where that was asked for, or not at all.
    package func run(
        username: String, recoveryCode: borrowing Secret, hosts: [String], savesRecoveryCode: Bool = false
    ) throws -> Made {
        let directory = try DataDirectory.open(at: layout.data, create: true)
        let draft = directory.database + ".new"
        try requireNothing(directory, draft)
        guard let recovery = RecoveryCodeUnsealer(typed: recoveryCode) else { throw CryptographyFault.badInput("recovery code") }
        let database = try Database.open(at: draft)
        defer { database.close() }
        _ = try database.migrate(Migration.main)
        try reached(.emptyDatabase)
        let keyFile = KeyFileUnsealer(directory: layout.keys)
        _ = try keyFile.create()
        try reached(.keyFile)
        let password = try SecureRandom.characters(count: 24, from: SecureRandom.alphanumerics)
        let signing = try Ed25519.SigningKey.random()
        try rows(
            in: database, username: username, password: SecretHandoff(password.duplicate()), signing: signing, keyFile: keyFile,
            recovery: recovery)
        try reached(.rows)
        try certificates(hosts)
        try reached(.certificates)
        try beginAudit(directory, signing)
        try reached(.audit)
        if savesRecoveryCode { try recoveryCode.withBytes { try PrivateFile.write($0, to: layout.recovery) } }
        try reached(.recoveryCode)
        // Everything into the one file that is about to get its name; the log beside it would be left behind.
        try database.checkpoint()
        database.close()
        try publish(from: draft, to: directory.database)
        return Made(username: username, password: password, auditPublicKey: signing.publicKey.bytes)
    }

    /// Keys, organizations, the administrator and the audit's signing key, in one transaction.
    private func rows(
        in database: Database, username: String, password: SecretHandoff, signing: Ed25519.SigningKey, keyFile: KeyFileUnsealer,
        recovery: RecoveryCodeUnsealer
    ) throws {
        let slots = [
            NewSlot(keyFile, label: "key file", parameters: []),
            NewSlot(recovery, label: "recovery code", parameters: try SecureRandom.bytes(count: 16)),
        ]
        let now = clock.now()
        let organizations = [
            Organization(id: .system, name: "SYSTEM", dateCreated: now),
            Organization(id: .default, name: "Default", dateCreated: now),
        ]
        try database.writeSync { db in
            try Platforms.seed(on: db)
            try Keyring.initialize(database, slots: slots, organizations: organizations, now: now, in: db) { keyring in
                let root = Node(id: .random(), organization: .default, key: "1", value: "Default", parent: nil)
                try Nodes.insert(keyring.keys().authenticated(root, with: SealingWorkspace()), on: db)
                guard let password = password.take() else { throw SealingFault.notInitialized }
                _ = try UserAccounts.create(
                    username: username, name: "Administrator", role: .administrator, password: password, keyring: keyring,
                    now: now, in: db)
                try AuditKey.store(signing, keyring: keyring, now: now, in: db)
            }
        }
    }

    /// Never clears away by itself what it finds: it cannot know whether a database was moved away from beside its keys.
    private func requireNothing(_ directory: DataDirectory, _ draft: String) throws {
        guard access(directory.database, F_OK) != 0 else { throw InstallationFault.alreadyMade(layout.data) }
        let databases: [String] = [draft, directory.auditDatabase].flatMap { [$0, $0 + "-wal", $0 + "-shm"] }
        let others: [String] = [
            layout.certificateAuthority, layout.certificate, layout.certificateKey, layout.checkpoints, layout.recovery,
            layout.keys + "/" + KeyFileUnsealer.fileName,
        ]
        let remains = (databases + others).filter { access($0, F_OK) == 0 }
        guard remains.isEmpty else { throw InstallationFault.remains(remains) }
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
    private func beginAudit(_ directory: DataDirectory, _ signing: Ed25519.SigningKey) throws {
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
                time: clock.now(), actor: .operatorLocal(OperatorName.current), address: "", organization: nil,
                action: AuditAction(rawValue: "vault.init"), outcome: .granted, request: .random()))
    }

    private func publish(from: String, to: String) throws {
        guard rename(from, to) == 0 else { throw PrivateFile.fault(to) }
        try PrivateFile.syncDirectory(layout.data)
    }
}

/// Why no vault can be made where it was asked for.
package enum InstallationFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is a vault already.
    case alreadyMade(String)
    /// Files of an init that did not finish, or of a vault without its database.
    case remains([String])

    package var description: String {
        switch self {
        case .alreadyMade(let path):
            "there is a vault in \(path) already: serve it, or choose another data directory"
        case .remains(let paths):
            "an earlier init did not finish, or a vault's database was moved away. If it was moved, put it back. If not, nothing of this is in use: "
                + "rm " + paths.joined(separator: " ") + " and run init again"
        }
    }
}
