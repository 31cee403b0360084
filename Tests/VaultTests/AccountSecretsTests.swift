import Access
import Cryptography
import Domain
import Sealing
import Storage
import Testing
import Vault

@Suite("Account secrets")
struct AccountSecretsTests {
    @Test("what was put is revealed, and the former value stays as previous")
    func put() async throws {
        let shelf = try TestShelf()
        let (change, reveal) = (try await shelf.warrant(.changeAccount), try await shelf.warrant(.revealAccount))
        #expect(try shelf.put("one", by: change).stages == SecretStages(current: 1, last: 1))
        #expect(try shelf.put("two", by: change).stages == SecretStages(current: 2, previous: 1, last: 2))
        #expect(try shelf.reveal(2, by: reveal) == "two" && shelf.reveal(1, by: reveal) == "one")
        #expect(throws: Refusal.notFound) { try shelf.reveal(3, by: reveal) }
    }

    @Test("the number rises also for an equal value, and who wrote it is kept")
    func equalValue() async throws {
        let shelf = try TestShelf()
        let change = try await shelf.warrant(.changeAccount)
        try shelf.put("same", by: change)
        #expect(try shelf.put("same", by: change).stages.current == 2)
        let id = shelf.account.id
        let history = try shelf.database.readSync { try SecretVersions.list(of: id, in: .default, on: $0).rows }
        #expect(
            history.map(\.number) == [2, 1] && history.allSatisfy { $0.createdBy == "admin" && $0.dateCreated == TestShelf.now })
        #expect(history.first?.secret != history.last?.secret)
        #expect(
            history.first?.fingerprint != history.last?.fingerprint,
            "fingerprints are stored sealed: equal ones do not look equal")
    }

    @Test("only passwords have a fingerprint")
    func fingerprints() async throws {
        let shelf = try TestShelf()
        let key = TestShelf.account(5, on: shelf.asset, name: "key", type: .sshKey)
        try shelf.add(nil, key)
        try shelf.put("-----BEGIN", in: key.id, by: await shelf.warrant(.changeAccount))
        let version = try shelf.database.readSync { try SecretVersions.get(1, of: key.id, in: .default, on: $0) }
        #expect(version != nil && version?.fingerprint == nil)
    }

    @Test(
        "a warrant for something else, or for another organization, moves nothing",
        arguments: [
            (.revealAccount, .default), (.viewAccount, .default), (.deleteAccount, .default), (.changeAccount, TestShelf.other),
            (.createAccount, TestShelf.other), (.fetchSecret, .default),
        ] as [(Permission, OrganizationID)])
    func wrongWarrant(permission: Permission, organization: OrganizationID) async throws {
        let shelf = try TestShelf()
        try shelf.put("one", by: await shelf.warrant(.changeAccount))
        let (account, warrant, secrets) = (
            try shelf.stored(), try await shelf.warrant(permission, in: organization), shelf.secrets
        )
        #expect(throws: Refusal.forbidden(.changeAccount)) {
            try shelf.database.writeSync { db in
                var account = account
                try secrets.put(secret("two"), into: &account, by: warrant, historyLimit: 9, now: TestShelf.now, in: db)
            }
        }
        #expect(throws: Refusal.forbidden(.changeAccount)) {
            var account = account
            try secrets.clear(&account, by: warrant)
        }
        guard permission != .revealAccount else { return }
        #expect(throws: Refusal.forbidden(.revealAccount)) {
            _ = try shelf.database.readSync { db in try secrets.reveal(version: 1, of: account, by: warrant, in: db).handoff }
        }
        #expect(try shelf.stored() == account)
    }

    @Test("clearing leaves nothing current and the value in history")
    func clear() async throws {
        let shelf = try TestShelf()
        let change = try await shelf.warrant(.changeAccount)
        var account = try shelf.put("one", by: change)
        try shelf.secrets.clear(&account, by: change)
        #expect(account.stages == SecretStages(current: nil, previous: 1, last: 1))
        try shelf.secrets.clear(&account, by: change)
        #expect(account.stages.previous == 1)
    }

    @Test("pruning takes old versions, never one that is in use", arguments: [1, 2, 3])
    func prune(limit: Int) async throws {
        let shelf = try TestShelf()
        let change = try await shelf.warrant(.changeAccount)
        for number in 1...4 { try shelf.put("v\(number)", by: change) }
        // A candidate that may be live on the target stays whatever its age.
        var account = try shelf.stored()
        account.stages.pending = 1
        try shelf.database.writeSync { [keyring = shelf.keyring, account] db in
            _ = try Accounts.update(keyring.keys().authenticated(account, with: SealingWorkspace()), on: db)
        }
        let last = try shelf.put("v5", by: change, history: limit)
        let id = shelf.account.id
        let kept = Set(
            try shelf.database.readSync { try SecretVersions.list(of: id, in: .default, on: $0).rows }.map(\.number))
        let used = Set([last.stages.current, last.stages.pending, last.stages.previous].compactMap { $0 })
        #expect(used == [5, 1, 4] && kept.isSuperset(of: used))
        #expect(kept.isSuperset(of: Set((1...5).suffix(limit).map(Int64.init))))
        let reveal = try await shelf.warrant(.revealAccount)
        for number in used { #expect(try shelf.reveal(number, by: reveal) == "v\(number)") }
    }

    @Test("a transaction that is rolled back leaves the secret as it was")
    func rolledBack() async throws {
        let shelf = try TestShelf()
        let change = try await shelf.warrant(.changeAccount)
        try shelf.put("one", by: change)
        let (account, secrets) = (try shelf.stored(), shelf.secrets)
        #expect(throws: StorageFault.full) {
            try shelf.database.writeSync { db in
                var account = account
                try secrets.put(secret("two"), into: &account, by: change, historyLimit: 1, now: TestShelf.now, in: db)
                throw StorageFault.full
            }
        }
        #expect(try shelf.put("three", by: change).stages.current == 2)
        #expect(try shelf.reveal(2, by: await shelf.warrant(.revealAccount)) == "three")
    }

    @Test(
        "a version moved from another account or version, or changed, is an error and never another value",
        arguments: [
            "UPDATE secret_versions SET secret = (SELECT secret FROM secret_versions WHERE number = 1) WHERE number = 2",
            "UPDATE secret_versions SET secret = zeroblob(length(secret)) WHERE number = 2",
            "UPDATE secret_versions SET secret = fingerprint WHERE number = 2",
            "UPDATE secret_versions SET secret = x'' WHERE number = 2",
        ])
    func tampered(change: String) async throws {
        let shelf = try TestShelf()
        let warrant = try await shelf.warrant(.changeAccount)
        try shelf.put("one", by: warrant)
        try shelf.put("two", by: warrant)
        try shelf.run(change)
        let reveal = try await shelf.warrant(.revealAccount)
        guard case .integrity? = #expect(throws: Refusal.self, performing: { try shelf.reveal(2, by: reveal) }) else {
            return #expect(Bool(false), "another refusal")
        }
    }

    @Test("while the vault is sealed nothing is revealed or put")
    func sealed() async throws {
        let shelf = try TestShelf()
        let (change, reveal) = (try await shelf.warrant(.changeAccount), try await shelf.warrant(.revealAccount))
        let account = try shelf.put("one", by: change)
        shelf.keyring.seal()
        let secrets = shelf.secrets
        #expect(throws: Refusal.sealed) {
            _ = try shelf.database.readSync { try secrets.reveal(version: 1, of: account, by: reveal, in: $0).handoff }
        }
        #expect(throws: SealingFault.sealed) {
            try shelf.database.writeSync { db in
                var account = account
                try secrets.put(secret("two"), into: &account, by: change, historyLimit: 9, now: TestShelf.now, in: db)
            }
        }
    }
}
