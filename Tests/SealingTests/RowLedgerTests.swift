import Cryptography
import Domain
import TestSupport
import Testing

@testable import Sealing
@testable import Storage

/// Somebody who can write the file, and knows no key.
extension FoundVault {
    func attack(_ statements: String...) throws {
        for statement in statements { try run(statement) }
    }

    func store<Row: RowAuthenticated>(
        _ row: Row, _ put: @escaping @Sendable (Authenticated<Row>, any SQLConnection) throws -> Void
    ) throws {
        let keyring = keyring
        try write { db in try put(keyring.keys().authenticated(row, with: SealingWorkspace()), db) }
    }

    /// What a server has: an asset with an account, an application with a credential, a user who is logged in, a setting.
    func populate() throws {
        let asset = Asset(
            id: AssetID(high: 1, low: 1), organization: .default, name: "web", address: "192.0.2.1", platform: .init(rawValue: 1),
            dateCreated: Self.now, dateUpdated: Self.now)
        let account = Account(
            id: Self.account, organization: .default, asset: asset.id, name: "root", username: "root", secretType: .password,
            stages: SecretStages(current: 1, pending: nil, previous: nil, last: 1), dateCreated: Self.now, dateUpdated: Self.now)
        let application = Application(
            id: Self.application, organization: .default, name: "app", accounts: "{}", ipGroup: ["*"], dateCreated: Self.now,
            dateUpdated: Self.now)
        let user = User(
            id: Self.user, username: "admin", name: "A", role: .administrator,
            password: try seal("x", at: .userPassword(Self.user)),
            dateCreated: Self.now, datePasswordUpdated: Self.now)
        let credential = Credential(
            id: Self.credential, application: Self.application, organization: .default, name: "key",
            secret: try seal("x", at: .credentialSecret(Self.credential, in: .default)), ipGroup: ["*"], isStrict: false,
            isActive: true, dateExpires: nil, createdBy: "", dateCreated: Self.now)
        let session = Session(
            tokenDigest: Self.digest, user: user.id, dateCreated: Self.now, dateExpires: Self.now.adding(seconds: 9),
            confirmedUntil: nil)
        try write { try Platforms.seed(on: $0) }
        try store(asset) { try Assets.insert($0, on: $1) }
        try store(account) { try Accounts.insert($0, on: $1) }
        try store(application) { try Applications.insert($0, on: $1) }
        try store(credential) { try Credentials.insert($0, on: $1) }
        try store(user) { try Users.insert($0, on: $1) }
        try store(session) { try Sessions.insert($0, on: $1) }
        try store(Setting(name: "hide", value: "true")) { try Settings.put($0, on: $1) }
    }

    static let account = AccountID(high: 2, low: 2)
    static let application = ApplicationID(high: 3, low: 3)
    static let credential = CredentialID(high: 4, low: 4)
    static let user = UserID(high: 5, low: 5)
    static let digest = [UInt8](repeating: 6, count: 32)

    /// A row that is read, changed and stored anew, as the vault does it.
    func change<Row: RowAuthenticated>(
        _ get: @escaping @Sendable (any SQLConnection) throws -> Authenticated<Row>?,
        _ change: @escaping @Sendable (inout Row) -> Void,
        _ put: @escaping @Sendable (Authenticated<Row>, any SQLConnection) throws -> Bool
    ) throws {
        let found = try #require(try database.readSync(get))
        var row = try keyring.keys().verified(found, with: SealingWorkspace())
        change(&row)
        try store(row) { _ = try put($0, $1) }
    }
}

@Suite("Row ledger")
struct RowLedgerTests {
    /// A change that the vault makes, and how somebody undoes it behind its back with rows that were good once.
    enum Rollback: String, Sendable, CaseIterable {
        case endedSession, revokedCredential, deletedCredential, oldPolicy, oldStagePointer, oldPassword, removedSetting
        case removedKeySlot, stateOfDataKey, usesOfDataKey, stateOfKeyringKey

        var table: String {
            switch self {
            case .endedSession: "sessions"
            case .revokedCredential, .deletedCredential: "credentials"
            case .oldPolicy: "applications"
            case .oldStagePointer: "accounts"
            case .oldPassword: "users"
            case .removedSetting: "settings"
            case .removedKeySlot: "key_slots"
            case .stateOfDataKey, .usesOfDataKey: "data_keys"
            case .stateOfKeyringKey: "keyring_keys"
            }
        }

        func make(in vault: FoundVault) throws {
            switch self {
            case .endedSession: try vault.write { _ = try Sessions.delete(tokenDigest: FoundVault.digest, on: $0) }
            case .deletedCredential: try vault.write { _ = try Credentials.delete(FoundVault.credential, in: .default, on: $0) }
            case .revokedCredential:
                try vault.change({ try Credentials.get(FoundVault.credential, in: .default, on: $0) }, { $0.isActive = false }) {
                    try Credentials.update($0, on: $1)
                }
            case .oldPolicy:
                try vault.change({ try Applications.get(FoundVault.application, in: .default, on: $0) }, { $0.ipGroup = [] }) {
                    try Applications.update($0, on: $1)
                }
            case .oldStagePointer:
                try vault.change({ try Accounts.get(FoundVault.account, in: .default, on: $0) }, { $0.stages.current = 2 }) {
                    try Accounts.update($0, on: $1)
                }
            case .oldPassword:
                try vault.change({ try Users.get(FoundVault.user, on: $0) }, { $0.isActive = false }) {
                    try Users.update($0, on: $1)
                }
            case .removedKeySlot:
                try vault.write { db in
                    let slots = try KeySlots.all(on: db)
                    for slot in slots where slot.kind == "recovery-code" { _ = try KeySlots.delete(slot.id, on: db) }
                }
            case .usesOfDataKey: try vault.write { _ = try DataKeys.reserveUses(5, of: 1, in: .default, on: $0) }
            case .removedSetting, .stateOfDataKey, .stateOfKeyringKey: break
            }
        }

        /// What is done to the table in the end; else it becomes what it was before the change.
        var forgery: String? {
            switch self {
            case .removedSetting: "DELETE FROM settings WHERE name = 'hide'"
            case .stateOfDataKey:
                "UPDATE data_keys SET state = 'open' WHERE org_id = x'00000000000000000000000000000002'"
            case .stateOfKeyringKey: "UPDATE keyring_keys SET state = 'open'"
            default: nil
            }
        }
    }

    @Test(
        "rows that were good once and are put back are noticed, while it runs and when it is unsealed",
        arguments: Rollback.allCases)
    func rollback(rollback: Rollback) throws {
        let vault = try FoundVault()
        try vault.populate()
        try vault.attack("CREATE TABLE kept AS SELECT * FROM \(rollback.table)")
        try rollback.make(in: vault)
        try vault.keyring.checkRows(.all)
        if let forgery = rollback.forgery {
            try vault.attack(forgery)
        } else {
            try vault.attack("DELETE FROM \(rollback.table)", "INSERT INTO \(rollback.table) SELECT * FROM kept")
        }
        #expect(throws: SealingFault.self) { try vault.keyring.checkRows(.all) }
        let again = Keyring(database: vault.database)
        #expect(throws: SealingFault.self) { try again.unseal(with: vault.keyFile, checking: .all) }
        #expect(again.isSealed)
        if rollback != .oldStagePointer {
            #expect(throws: SealingFault.self) { try again.unseal(with: vault.keyFile) }
        }
    }

    @Test("the check names what was put back")
    func named() throws {
        let vault = try FoundVault()
        try vault.populate()
        try vault.attack("DELETE FROM sessions", "UPDATE users SET mac = x'00'")
        #expect(throws: SealingFault.rowLedger("rows were put back, taken away or added: user, session")) {
            try vault.keyring.checkRows(.small)
        }
    }

    @Test("a ledger that was put back with its rows is older than a running process knows")
    func olderLedger() throws {
        let vault = try FoundVault()
        try vault.populate()
        try vault.attack(
            "CREATE TABLE kept AS SELECT * FROM sessions", "CREATE TABLE kept_ledger AS SELECT * FROM row_ledger")
        try Rollback.endedSession.make(in: vault)
        try vault.attack(
            "INSERT INTO sessions SELECT * FROM kept", "DELETE FROM row_ledger",
            "INSERT INTO row_ledger SELECT * FROM kept_ledger")
        #expect(throws: SealingFault.rowLedger("the ledger of rows is older than it was")) {
            try vault.keyring.checkRows(.small)
        }
        #expect(throws: SealingFault.self, "nothing is written on top of it") { try Rollback.oldPolicy.make(in: vault) }
    }

    @Test(
        "a ledger that is missing or changed keeps the vault sealed",
        arguments: [
            "DELETE FROM row_ledger", "UPDATE row_ledger SET generation = generation + 1",
            "UPDATE row_ledger SET sealed = zeroblob(length(sealed))", "UPDATE row_ledger SET sealed = x''",
        ])
    func damaged(sql: String) throws {
        let vault = try FoundVault()
        try vault.attack(sql)
        let again = Keyring(database: vault.database)
        #expect(throws: SealingFault.self) { try again.unseal(with: vault.keyFile) }
        #expect(again.isSealed)
    }

    @Test("what the vault itself changes, deletes with all that belongs to it, or rolls back, leaves the ledger right")
    func honest() async throws {
        let vault = try FoundVault()
        try vault.populate()
        let before = try #require(vault.keyring.ledger.generation)
        #expect(throws: StorageFault.readOnly) {
            try vault.write { db in
                _ = try Sessions.deleteAll(of: FoundVault.user, on: db)
                throw StorageFault.readOnly
            }
        }
        #expect(vault.keyring.ledger.generation == before)
        try vault.write { _ = try Users.delete(FoundVault.user, on: $0) }
        #expect(vault.keyring.ledger.generation == before + 1)
        #expect(try vault.database.readSync { try Sessions.everyone(on: $0) }.isEmpty, "sessions go with their user")
        _ = try await vault.database.deleteAsset(
            AssetID(high: 1, low: 1), in: .default, marking: .random(), at: FoundVault.now)
        _ = try await vault.database.deleteOrganization(.default, marking: .random(), at: FoundVault.now)
        try vault.keyring.checkRows(.all)
        vault.keyring.seal()
        try vault.keyring.unseal(with: vault.keyFile, checking: .all)
    }

    @Test("a sealed vault, which could not keep the ledger, changes no row that decides something")
    func sealed() throws {
        let vault = try FoundVault()
        try vault.populate()
        vault.keyring.seal()
        #expect(throws: SealingFault.sealed) { try Rollback.endedSession.make(in: vault) }
        try vault.keyring.unseal(with: vault.keyFile, checking: .all)
        #expect(try vault.database.readSync { try Sessions.everyone(on: $0) }.count == 1)
    }

    @Test("rows that the operator accepts are the right ones from then on, as a later generation")
    func accepted() throws {
        let vault = try FoundVault()
        try vault.populate()
        try vault.attack("DELETE FROM sessions")
        vault.keyring.seal()
        #expect(throws: SealingFault.self) { try vault.keyring.unseal(with: vault.keyFile) }
        try vault.keyring.unseal(with: vault.keyFile, checking: nil)
        let keyring = vault.keyring
        try vault.write { try keyring.acceptRows(above: 1000, in: $0) }
        try vault.keyring.checkRows(.all)
        #expect(vault.keyring.ledger.generation == 1001)
        try Rollback.oldPolicy.make(in: vault)
        try vault.keyring.checkRows(.all)
    }

    @Test("a row that stands there twice does not cancel out, and an exchange of contents is no permutation")
    func sums() throws {
        let marker = try RowMarker(VaultKeys(from: .random()))
        let mark = try marker.mark("node", [1], [2])
        var tally = RowTally()
        tally.add(mark)
        tally.add(mark)
        #expect(tally.lanes != .zero && tally.count == 2)
        #expect(try mark != marker.mark("node", [2], [1]) && mark != marker.mark("label", [1], [2]))
        tally.remove(mark)
        tally.remove(mark)
        #expect(tally == RowTally())
    }

    @Test("the stored form of the ledger survives, and other bytes are none")
    func fuzzForm() {
        var state = LedgerState(generation: 7)
        for index in state.tallies.indices { state.tallies[index].add(SIMD4(1, .max, UInt64(index), 1 << 63)) }
        #expect(state.bytes.withUnsafeBytes { LedgerState(bytes: $0) } == state)
        var fuzzer = Fuzzer(seed: 0x5EED_0106, samples: [])
        for _ in 0..<Fuzzer.rounds(500) {
            fuzzer.next().withUnsafeBytes { bytes in
                let read = LedgerState(bytes: bytes)
                if let read { #expect(read.bytes == Array(bytes)) }
            }
        }
        #expect(Array(state.bytes.dropLast()).withUnsafeBytes { LedgerState(bytes: $0) } == nil)
    }
}
