import Access
import Cryptography
import Domain
import Sealing
import Storage
import Testing
import Vault

@Suite("Versions of a secret on the way to a target")
struct AccountSecretsTurnTests {
    /// Changes the account under a warrant, in one transaction with its row.
    private func change(
        _ shelf: TestShelf, _ body: @escaping @Sendable (inout Account, any SQLConnection) throws -> Void
    ) throws -> Account {
        let account = try shelf.stored()
        return try shelf.database.writeSync { [keyring = shelf.keyring] db in
            var account = account
            try body(&account, db)
            _ = try Accounts.update(keyring.keys().authenticated(account, with: SealingWorkspace()), on: db)
            return account
        }
    }

    @Test("a candidate is pending until it is promoted; then the old value is previous, and both are kept")
    func promote() async throws {
        let shelf = try TestShelf()
        try shelf.put("old", by: await shelf.warrant(.changeAccount))
        let (turn, secrets) = (try await shelf.warrant(.rotateAccount), shelf.secrets)
        var account = try change(shelf) { account, db in
            let number = try secrets.remember(secret("new"), for: &account, by: turn, now: TestShelf.now, in: db)
            #expect(number == 2)
        }
        #expect(account.stages == SecretStages(current: 1, pending: 2, last: 2))
        account = try change(shelf) { account, db in
            let values = try secrets.valuesToTry(of: account, now: TestShelf.now, in: db)
            #expect(values == [2, 1])
            try secrets.promote(2, of: &account, isProven: true, by: turn, historyLimit: 1, now: TestShelf.now, in: db)
        }
        #expect(account.stages == SecretStages(current: 2, previous: 1, last: 2) && account.dateVerified == TestShelf.now)
        let reveal = try await shelf.warrant(.revealAccount)
        #expect(try shelf.reveal(2, by: reveal) == "new" && shelf.reveal(1, by: reveal) == "old")
    }

    @Test("a candidate that is given up stays kept, whatever the history's limit")
    func abandon() async throws {
        let shelf = try TestShelf()
        let put = try await shelf.warrant(.changeAccount)
        try shelf.put("old", by: put)
        let (turn, secrets) = (try await shelf.warrant(.rotateAccount), shelf.secrets)
        _ = try change(shelf) { account, db in
            _ = try secrets.remember(secret("late"), for: &account, by: turn, now: TestShelf.now, in: db)
        }
        let account = try change(shelf) { account, db in
            try secrets.abandon(&account, live: 1, by: turn, now: TestShelf.now, in: db)
        }
        #expect(account.stages == SecretStages(current: 1, last: 2))
        for number in 3...6 { try shelf.put("v\(number)", by: put, history: 1) }
        #expect(try shelf.reveal(2, by: await shelf.warrant(.revealAccount)) == "late")
        let stored = try shelf.stored()
        let values = try shelf.database.readSync { try secrets.valuesToTry(of: stored, now: TestShelf.now, in: $0) }
        #expect(values.first == 6 && values.contains(2))
    }

    @Test("nothing but the pending version is promoted")
    func onlyPending() async throws {
        let shelf = try TestShelf()
        try shelf.put("old", by: await shelf.warrant(.changeAccount))
        let (turn, secrets, stored) = (try await shelf.warrant(.rotateAccount), shelf.secrets, try shelf.stored())
        #expect(throws: Refusal.self) {
            try shelf.database.writeSync { db in
                var account = stored
                try secrets.promote(1, of: &account, isProven: true, by: turn, historyLimit: 9, now: TestShelf.now, in: db)
            }
        }
    }

    @Test(
        "a warrant for something else, or for another organization, moves and reveals nothing",
        arguments: [
            (.changeAccount, .default), (.revealAccount, .default), (.verifyAccount, .default), (.rotateAccount, TestShelf.other),
        ] as [(Permission, OrganizationID)])
    func wrongWarrant(permission: Permission, organization: OrganizationID) async throws {
        let shelf = try TestShelf()
        try shelf.put("old", by: await shelf.warrant(.changeAccount))
        let (secrets, stored) = (shelf.secrets, try shelf.stored())
        let wrong = try await shelf.warrant(permission, in: organization)
        #expect(throws: Refusal.forbidden(.rotateAccount)) {
            try shelf.database.writeSync { db in
                var account = stored
                _ = try secrets.remember(secret("x"), for: &account, by: wrong, now: TestShelf.now, in: db)
            }
        }
        #expect(throws: Refusal.forbidden(.rotateAccount)) {
            try shelf.database.writeSync { db in
                var account = stored
                try secrets.abandon(&account, live: 1, by: wrong, now: TestShelf.now, in: db)
            }
        }
        guard permission != .verifyAccount else { return }
        #expect(throws: Refusal.forbidden(.rotateAccount)) {
            _ = try shelf.database.readSync { try secrets.revealForChange(version: 1, of: stored, by: wrong, in: $0) }
        }
    }
}
