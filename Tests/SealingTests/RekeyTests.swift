import Cryptography
import Domain
import TestSupport
import Testing

@testable import Sealing
@testable import Storage

@Suite("Rekey")
struct RekeyTests {
    struct Cut: Error {}

    private func rekey(_ vault: FoundVault, _ keyring: Keyring? = nil, until last: Rekey.Step? = nil) throws -> Rekey.Report {
        try Rekey(keyring ?? vault.keyring, openedBy: vault.keyFile, grace: .zero) { step in
            if step == last { throw Cut() }
        }.run(marking: .random())
    }

    private func keys(_ vault: FoundVault) throws -> [Int64] {
        try vault.database.readSync { try KeyringKeys.all(on: $0).map(\.number) }
    }

    /// Every code of every row, and every data key, is made with the key given.
    private func isAllUnder(_ number: Int64, _ vault: FoundVault) throws -> Bool {
        let prefix = "000000" + (number < 16 ? "0" : "") + String(number, radix: 16)
        let tables = ["organizations", "assets", "accounts", "applications", "credentials", "users", "sessions", "settings"]
        return try vault.database.readSync { db in
            for table in tables {
                let query = SQLQuery(
                    rendered: "SELECT COUNT(*) FROM \(table) WHERE hex(substr(mac, 1, 4)) <> '\(prefix.uppercased())'")
                guard try db.first(query, { try $0.integer(0) }) == 0 else { return false }
            }
            return try DataKeys.everywhere(on: db).allSatisfy { $0.keyringNumber == number }
        }
    }

    @Test("a new key wraps the data keys and authenticates the rows, and the former one is gone")
    func whole() throws {
        let vault = try FoundVault()
        try vault.populate()
        let sealed = try vault.seal("secret", at: .accountSecret(FoundVault.account, version: 1, in: .default))
        let token = try vault.keyring.keys().tokenKey().withBytes { Array($0) }
        let report = try rekey(vault)
        #expect(report.key == 2 && report.dataKeys == 3 && report.rows > 8 && !report.isResumed)
        #expect(try keys(vault) == [2])
        #expect(try isAllUnder(2, vault))
        #expect(try vault.open(sealed, at: .accountSecret(FoundVault.account, version: 1, in: .default)) == "secret")
        #expect(try vault.keyring.keys().tokenKey().withBytes { Array($0) } == token, "logins go on")
        for unsealer in [vault.keyFile, vault.recovery] as [any Unsealer] {
            try Keyring(database: vault.database).unseal(with: unsealer, checking: .all)
        }
        #expect(try rekey(vault).key == 3)
        try vault.keyring.checkRows(.all)
    }

    @Test("cut off after any step it loses nothing, and the next run goes on to the end", arguments: Rekey.Step.allCases)
    func cutOff(step: Rekey.Step) throws {
        let vault = try FoundVault()
        try vault.populate()
        let place = Place.accountSecret(FoundVault.account, version: 1, in: .default)
        let sealed = try vault.seal("secret", at: place)
        #expect(throws: Cut.self) { try rekey(vault, until: step) }
        vault.keyring.seal()

        let again = Keyring(database: vault.database)
        try again.unseal(with: vault.recovery, checking: .all)
        #expect(try vault.open(sealed, at: place, by: again) == "secret")
        let found = try #require(try vault.database.readSync { try Accounts.get(FoundVault.account, in: .default, on: $0) })
        _ = try again.keys().verified(found, with: SealingWorkspace())
        let report = try rekey(vault, again)
        #expect(report.isResumed == (step != .retired))
        #expect(try keys(vault) == [report.key] && report.key == (step == .retired ? 3 : 2))
        #expect(try isAllUnder(report.key, vault))
        try Keyring(database: vault.database).unseal(with: vault.keyFile, checking: .all)
    }

    @Test("a row that was made with the former key, and comes late, is refused rather than left without its key")
    func lateRow() throws {
        let vault = try FoundVault()
        let label = Label(id: .random(), organization: .default, name: "a", value: "b", dateCreated: FoundVault.now)
        let former = try vault.keyring.keys().authenticated(label, with: SealingWorkspace())
        _ = try rekey(vault)
        #expect(throws: SealingFault.rowLedger("a row that was made under a former key")) {
            try vault.write { try Labels.insert(former, on: $0) }
        }
        #expect(try vault.database.readSync { try Labels.all(in: .default, on: $0) }.isEmpty)
    }

    @Test("a row that was tampered with is not made good: it stops the rekey, with both keys kept")
    func tampered() throws {
        let vault = try FoundVault()
        try vault.populate()
        try vault.attack("UPDATE applications SET is_active = 1 - is_active")
        #expect(throws: SealingFault.self) { try rekey(vault) }
        #expect(try keys(vault) == [1, 2])
    }

    @Test(
        "a damaged open change is named and left as it is, and keeps no former key alive",
        arguments: [
            "UPDATE secret_changes SET stage = 'retiring' WHERE id = x'00000000000000000000000000000003'",
            "UPDATE secret_changes SET fields = x'ff00' WHERE id = x'00000000000000000000000000000003'",
        ])
    func damagedChange(statement: String) throws {
        let vault = try FoundVault()
        try vault.populate()
        // More than a page, with the damaged one among the first.
        try Self.open(150, in: vault)
        try vault.attack(statement)
        let report = try rekey(vault)
        #expect(report.damaged.count == 1 && report.damaged[0].contains("\(AccountID(high: 7, low: 3))"), "\(report.damaged)")
        #expect(try keys(vault) == [2])
        // The others are good, and that one is not made so.
        let keyring = Keyring(database: vault.database)
        try keyring.unseal(with: vault.keyFile, checking: .all)
        let found = try vault.database.readSync { try SecretChanges.found(after: nil, limit: 500, on: $0) }.rows
        let sound = found.filter { one in
            guard case .success(let row) = one else { return false }
            return (try? keyring.keys().verified(row, with: SealingWorkspace())) != nil
        }
        #expect(found.count == 150 && sound.count == 149)
        #expect(try rekey(vault, keyring).damaged == report.damaged)
    }

    @Test("behind whole pages of damaged open changes, without numbers and with them, sound ones are made anew")
    func damagedPages() throws {
        let vault = try FoundVault()
        try vault.populate()
        try Self.open(400, numberedFrom: 1 << 56, in: vault)
        // Of those without a number nothing says where the next page begins but what stands there.
        try vault.attack("UPDATE secret_changes SET id = substr(id, 15, 2) WHERE substr(id, 15, 2) <= x'007d'")
        try vault.attack("UPDATE secret_changes SET fields = x'ff00' WHERE length(id) = 16 AND substr(id, 15, 2) <= x'0118'")
        let keyring = vault.keyring
        let report = try rekey(vault)
        #expect(report.damaged.count == 280)
        #expect(try keys(vault) == [2])
        let found = try vault.database.readSync { try SecretChanges.found(after: nil, limit: 500, on: $0) }.rows
        let sound = found.compactMap { try? $0.get() }.filter {
            (try? keyring.keys().verified($0, with: SealingWorkspace())) != nil
        }
        #expect(found.count == 400 && sound.count == 120)
    }

    /// Stores open changes with the numbers from 1, each of an account of its own.
    private static func open(_ count: UInt64, numberedFrom high: UInt64 = 0, in vault: FoundVault) throws {
        let account = try #require(try vault.database.readSync { try Accounts.get(FoundVault.account, in: .default, on: $0) })
            .value
        try vault.write { db in
            for number in 1...count {
                let id = AccountID(high: 7, low: number)
                let other = Account(
                    id: id, organization: .default, asset: account.asset, name: "n\(id)", username: "u\(id)",
                    dateCreated: FoundVault.now, dateUpdated: FoundVault.now)
                let keys = try vault.keyring.keys()
                try Accounts.insert(keys.authenticated(other, with: SealingWorkspace()), on: db)
                try SecretChanges.insert(
                    keys.authenticated(change(ChangeID(high: high, low: number), of: id, account), with: SealingWorkspace()),
                    on: db)
            }
        }
    }

    private static func change(_ number: ChangeID, of id: AccountID, _ account: Account) -> OpenChange {
        var memory = SecretTurn.Memory()
        memory.candidate = 2
        return OpenChange(
            id: number, organization: .default, account: id, asset: account.asset, identity: id.bytes,
            kind: .change, plan: .init(isGenerated: true, checksConnection: true),
            request: .init(username: "u", secretType: .password, keyStrategy: "set_jms", parameters: [:], worker: account.id),
            old: 1, startedBy: "test", dateOpened: FoundVault.now, stage: .uncertain, memory: memory, dateUpdated: FoundVault.now)
    }

    @Test("a vault that is sealed in the middle stays sealed")
    func sealedMeanwhile() throws {
        let vault = try FoundVault()
        let keyring = vault.keyring
        #expect(throws: SealingFault.sealed) {
            try Rekey(keyring, openedBy: vault.keyFile, grace: .zero) { _ in keyring.seal() }.run(marking: .random())
        }
        #expect(keyring.isSealed)
    }
}
