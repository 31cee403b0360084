import Audit
import Cryptography
import Domain
import JSON
import Sealing
import Storage
import TestSupport
import Testing
import Vault

@testable import Access

@Suite("Secret fetch")
struct SecretFetchTests {
    // Unchecked: used by one test alone, in order.
    final class Fetcher: @unchecked Sendable, AbandonedFetches {
        let shelf: TestShelf
        let fetch: SecretFetch
        private(set) var found: FetchableAccount?

        init() async throws {
            shelf = try TestShelf()
            try shelf.put("one", by: await shelf.warrant(.changeAccount))
            fetch = try SecretFetch(reader: shelf.database.makeFetchReader(cacheKibibytes: 1024), keyring: shelf.keyring)
        }

        func append(_ entry: AuditEntry) {}

        /// What an application with this filter gets: the text, or nil for an account without a secret.
        func fetch(
            _ selector: AccountSelector, filter: String = #"{"type":"all"}"#, in organization: OrganizationID = .default,
            endsPass: Bool = true
        ) throws -> String? {
            guard fetch.beginPass() else { throw Refusal.sealed }
            defer { if endsPass { fetch.endPass() } }
            let application = ApplicationPolicy(
                id: ApplicationID(high: 1, low: 1), organization: organization, name: "ci", isActive: true, networks: .nowhere,
                filter: try AccountFilter(JSONDocument.parse(Array(filter.utf8), limits: JSONLimits())).compiled { [$0] },
                rateLimit: nil)
            let credential = try CredentialPolicy(
                id: CredentialID(high: 1, low: 1), application: application, networks: .nowhere, isStrict: false, isActive: true,
                expires: nil,
                secret: secret("x"))
            let permit = FetchPermit(credential: credential, origin: .internal(now: TestShelf.now), abandoned: self)
            // Any words will do, as long as other selectors have others.
            let text = Array("\(selector)".utf8)
            // The closure may return copyable values only, so the secret leaves it through a variable.
            var opened: RevealedSecret?
            try text.withUnsafeBytes { text in
                var words = AccountWords()
                words.account = text
                opened = try fetch.reveal(words, against: permit) { (_) throws(Refusal) in selector }
            }
            guard let revealed = opened else { throw Refusal.notFound }
            found = revealed.found
            _ = permit.granted(objects: WrittenObjects([]), version: revealed.version, at: TestShelf.now)
            return switch revealed.secret {
            case .some(let secret): secret.withBytes { String(decoding: $0, as: UTF8.self) }
            case .none: nil
            }
        }

        func change(_ change: (inout Account) -> Void) throws {
            var account = try shelf.stored()
            change(&account)
            try shelf.database.writeSync { [keyring = shelf.keyring, account] db in
                _ = try Accounts.update(keyring.keys().authenticated(account, with: SealingWorkspace()), on: db)
            }
        }
    }

    static let byName = AccountSelector.named(asset: .name(Array("web".utf8)), account: Array("root".utf8))
    static let byID = AccountSelector.id(AccountID(high: 0xB, low: 1))

    @Test(
        "an account is found by its id, by asset and name, and by the asset's id and name",
        arguments: [
            byID, byName, .named(asset: .id(AssetID(high: 0xA, low: 1)), account: Array("root".utf8)),
        ])
    func found(selector: AccountSelector) async throws {
        #expect(try await Fetcher().fetch(selector) == "one")
    }

    @Test("the newest value is served, and an account without a secret gives null")
    func current() async throws {
        let fetcher = try await Fetcher()
        try fetcher.shelf.put("two", by: await fetcher.shelf.warrant(.changeAccount))
        #expect(try fetcher.fetch(Self.byName) == "two")
        try fetcher.change { $0.stages.current = nil }
        #expect(try fetcher.fetch(Self.byName) == nil)
    }

    @Test("what somebody was told of is served at once, also in the middle of a pass")
    func fresh() async throws {
        let fetcher = try await Fetcher()
        let change = try await fetcher.shelf.warrant(.changeAccount)
        for number in 1...5 {
            try fetcher.shelf.put("v\(number)", by: change)
            #expect(try fetcher.fetch(Self.byID, endsPass: false) == "v\(number)")
            #expect(try fetcher.fetch(Self.byID, endsPass: false) == "v\(number)")
        }
        try fetcher.change { $0.isActive = false }
        #expect(throws: Self.inactive) { try fetcher.fetch(Self.byID, endsPass: false) }
    }

    @Test("one application's filter does not decide for another, whoever asked first")
    func filters() async throws {
        let fetcher = try await Fetcher()
        let nothing = #"{"type":"attrs","attrs":[{"name":"name","match":"exact","value":"admin"}]}"#
        for _ in 0..<2 {
            #expect(try fetcher.fetch(Self.byID, endsPass: false) == "one")
            #expect(throws: Self.filtered) { try fetcher.fetch(Self.byID, filter: nothing, endsPass: false) }
            #expect(throws: Refusal.notFound) { try fetcher.fetch(Self.byID, in: TestShelf.other, endsPass: false) }
        }
    }

    @Test("once sealed nothing more is served, and what was kept opens nothing")
    func sealed() async throws {
        let fetcher = try await Fetcher()
        #expect(try fetcher.fetch(Self.byID) == "one")
        fetcher.shelf.keyring.seal()
        #expect(throws: Refusal.sealed) { try fetcher.fetch(Self.byID) }
    }

    private static let filtered = Refusal.hidden(reason: "hidden by the application's account filter")
    private static let inactive = Refusal.hidden(reason: "account or asset inactive")

    @Test("absent, hidden by the filter, inactive, and of another organization are all not found, told apart in the audit alone")
    func notFound() async throws {
        #expect(Set([Refusal.notFound, Self.filtered, Self.inactive].map(\.code)) == ["not_found"])
        let fetcher = try await Fetcher()
        let absent: [AccountSelector] = [
            .id(AccountID(high: 0xB, low: 9)), .named(asset: .name(Array("web".utf8)), account: Array("Root".utf8)),
            .named(asset: .name([]), account: []), .named(asset: .name([0xFF]), account: Array("root".utf8)),
        ]
        for selector in absent { #expect(throws: Refusal.notFound) { try fetcher.fetch(selector) } }
        for selector in [Self.byID, Self.byName] {
            #expect(throws: Refusal.notFound) { try fetcher.fetch(selector, in: TestShelf.other) }
            for filter in [
                #"{"type":"ids","ids":["00000000-0000-000b-0000-000000000009"]}"#,
                #"{"type":"attrs","attrs":[{"name":"name","match":"exact","value":"admin"}]}"#,
                #"{"type":"attrs","attrs":[{"name":"username","match":"exact","value":"root"},{"name":"privileged","match":"exact","value":true}]}"#,
            ] {
                #expect(throws: Self.filtered) { try fetcher.fetch(selector, filter: filter) }
            }
        }
        try fetcher.change { $0.isActive = false }
        #expect(throws: Self.inactive) { try fetcher.fetch(Self.byName) }
        try fetcher.change { $0.isActive = true }
        var asset = fetcher.shelf.asset
        asset.isActive = false
        try fetcher.shelf.database.writeSync { [keyring = fetcher.shelf.keyring, asset] db in
            _ = try Assets.update(keyring.keys().authenticated(asset, with: SealingWorkspace()), on: db)
        }
        #expect(throws: Self.inactive) { try fetcher.fetch(Self.byID) }
    }

    @Test(
        "a changed account, asset or version is damage: an error, never null, never another secret",
        arguments: [
            "UPDATE accounts SET username = 'x'", "UPDATE accounts SET current_version = NULL",
            "UPDATE accounts SET current_version = 7",
            "UPDATE accounts SET is_active = 0", "UPDATE accounts SET privileged = 1", "UPDATE accounts SET mac = zeroblob(36)",
            "UPDATE assets SET address = '10.6.6.6'", "UPDATE assets SET mac = zeroblob(36)", "UPDATE assets SET platform_id = 2",
            "DELETE FROM secret_versions", "UPDATE secret_versions SET number = 2",
            "UPDATE secret_versions SET secret = fingerprint",
            "UPDATE secret_versions SET secret = x''",
            "UPDATE secret_versions SET org_id = x'00000000000000070000000000000007'",
        ])
    func damaged(change: String) async throws {
        let fetcher = try await Fetcher()
        #expect(try fetcher.fetch(Self.byID) == "one", "what is kept in memory must not hide the damage")
        try fetcher.shelf.run(change)
        guard case .integrity? = #expect(throws: Refusal.self, performing: { try fetcher.fetch(Self.byID) }) else {
            return #expect(Bool(false), "another refusal")
        }
    }

    @Test(
        "a change elsewhere leaves what was verified as it is, and a change of the account, or other keys, have it verified anew")
    func kept() async throws {
        let fetcher = try await Fetcher()
        let shelf = fetcher.shelf
        #expect(try fetcher.fetch(Self.byName) == "one")
        let first = try #require(fetcher.found)
        try shelf.add(nil, TestShelf.account(2, on: shelf.asset, name: "second"))
        #expect(try fetcher.fetch(Self.byName) == "one")
        #expect(fetcher.found === first)
        try fetcher.change { $0.comment = "changed" }
        #expect(try fetcher.fetch(Self.byName) == "one")
        let second = try #require(fetcher.found)
        #expect(second !== first && second.account.comment == "changed")
        shelf.keyring.seal()
        try shelf.keyring.unseal(with: KeyFileUnsealer(directory: shelf.directory.file("keys")))
        #expect(try fetcher.fetch(Self.byName) == "one")
        #expect(fetcher.found !== second)
    }

    @Test("a text that was put into another Unicode form is damage, though Swift calls the two equal")
    func equivalent() async throws {
        let fetcher = try await Fetcher()
        try fetcher.change { $0.username = "\u{E9}" }
        #expect(try fetcher.fetch(Self.byID) == "one")
        try fetcher.shelf.run("UPDATE accounts SET username = 'e' || char(769)")
        guard case .integrity? = #expect(throws: Refusal.self, performing: { try fetcher.fetch(Self.byID) }) else {
            return #expect(Bool(false), "another refusal")
        }
    }

    @Test("an account that went and came again as it was is served again")
    func backAgain() async throws {
        let fetcher = try await Fetcher()
        #expect(try fetcher.fetch(Self.byName) == "one")
        try fetcher.shelf.run("UPDATE accounts SET name = 'gone'")
        #expect(throws: Refusal.notFound) { try fetcher.fetch(Self.byName) }
        try fetcher.shelf.run("UPDATE accounts SET name = 'root'")
        #expect(try fetcher.fetch(Self.byName) == "one")
    }

    @Test("the ciphertext of another account, and a whole row carried to another account, do not open there")
    func moved() async throws {
        let fetcher = try await Fetcher()
        let shelf = fetcher.shelf
        let second = TestShelf.account(2, on: shelf.asset, name: "second")
        try shelf.add(nil, second)
        try shelf.put("theirs", in: second.id, by: await shelf.warrant(.changeAccount))
        let selector = AccountSelector.id(second.id)
        #expect(try fetcher.fetch(selector) == "theirs")
        try shelf.run(
            "UPDATE secret_versions SET secret = (SELECT secret FROM secret_versions WHERE account_id = x'000000000000000b0000000000000001') WHERE account_id = x'000000000000000b0000000000000002'"
        )
        #expect(throws: Refusal.self) { try fetcher.fetch(selector) }
        try shelf.run("DELETE FROM accounts WHERE id = x'000000000000000b0000000000000001'")
        try shelf.run("UPDATE accounts SET id = x'000000000000000b0000000000000001'")
        #expect(throws: Refusal.self) { try fetcher.fetch(Self.byID) }
    }
}
