import Domain
import Testing

@testable import Storage

@Suite("Open changes and what they keep")
struct SecretChangesTests {
    let vault: Vault
    init() throws { vault = try Vault() }

    private func change(
        _ account: Account, identity: [UInt8] = [1], stage: SecretTurn.Stage = .sending, notBefore: Timestamp? = nil
    ) -> Authenticated<OpenChange> {
        var memory = SecretTurn.Memory()
        memory.candidate = 2
        memory.candidatesUsed = 1
        memory.guessed = [2, 1]
        memory.rejections = 2
        memory.rounds = 3
        memory.doubt = RecordOutcome(.uncertain, .cut, words: "cut, \"half\"", until: day)
        memory.notBefore = notBefore
        return authenticated(
            OpenChange(
                id: .random(), organization: account.organization, account: account.id, asset: account.asset, identity: identity,
                kind: .change, plan: .init(isGenerated: true, checksConnection: false),
                request: .init(
                    username: "root@x", secretType: .sshKey, keyStrategy: "set", parameters: ["shell": "/bin/sh", "a": ""],
                    worker: .random()),
                old: 1, startedBy: "admin", dateOpened: day, stage: stage, memory: memory, dateUpdated: day))
    }

    @Test("a change comes back as it was stored", arguments: SecretTurn.Stage.allCases)
    func roundTrip(stage: SecretTurn.Stage) throws {
        let row = change(vault.ours.account.value, stage: stage, notBefore: day)
        let read = try vault.write { db in
            try SecretChanges.insert(row, on: db)
            return try SecretChanges.of(row.value.account, in: row.value.organization, on: db)
        }
        #expect(read == row)
        #expect(read?.value.turn.memory == row.value.memory)
    }

    @Test("one open change of an account, and one of a user on a target, in all organizations together")
    func unique() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        let further = ours.further("second")
        let rows = [
            change(ours.account.value, identity: [1]), change(ours.account.value, identity: [2]),
            change(further.value, identity: [1]), change(theirs.account.value, identity: [1]),
        ]
        try vault.write { db in
            try Accounts.insert(further, on: db)
            try SecretChanges.insert(rows[0], on: db)
        }
        for row in rows.dropFirst() {
            guard
                case .constraint(.unique, _)? = #expect(
                    throws: StorageFault.self,
                    performing: {
                        try vault.write { try SecretChanges.insert(row, on: $0) }
                    })
            else { return #expect(Bool(false), "\(row)") }
        }
        try vault.write { db in
            #expect(try SecretChanges.delete(rows[0].value.id, in: ours.id, on: db))
            try SecretChanges.insert(rows[2], on: db)
        }
    }

    @Test("a change that moves to another system keeps its user to itself there, and is found by the user's name wherever it is")
    func moving() throws {
        let (ours, theirs) = (vault.ours.account.value, vault.theirs.account.value)
        let rows = [change(ours, identity: Self.identity("old", "app")), change(theirs, identity: Self.identity("new", "app"))]
        try vault.write { db in for row in rows { try SecretChanges.insert(row, on: db) } }
        var moved = rows[0].value
        moved.identity = Self.identity("new", "app")
        let taken = authenticated(moved)
        #expect(throws: StorageFault.self) { try vault.write { _ = try SecretChanges.move(taken, on: $0) } }
        moved.identity = Self.identity("newer", "app")
        let free = authenticated(moved)
        #expect(try vault.write { try SecretChanges.move(free, on: $0) })
        #expect(try vault.read { try SecretChanges.of(ours.id, in: ours.organization, on: $0) } == free)
        for (user, expected) in [("app", [free.value.identity]), ("pp", []), ("xapp", []), ("", [])] {
            let user = try #require(TargetIdentity.user(of: Self.identity("x", user)))
            let others = try vault.read { try SecretChanges.others(than: theirs.id, endingWith: user, on: $0).map(\.identity) }
            #expect(others == expected)
        }
    }

    private static func identity(_ host: String, _ user: String) -> [UInt8] {
        TargetIdentity(system: .sshHostKey(host), user: user).canonical.bytes
    }

    @Test("assets with something due come in the order in which it waited, each once, and what is none comes too")
    func assetsDue() throws {
        let (ours, theirs) = (vault.ours.account.value, vault.theirs.account.value)
        let further = vault.ours.further("second")
        let rows = [
            change(ours, identity: [1], notBefore: day), change(further.value, identity: [2], notBefore: day.adding(seconds: 60)),
            change(theirs, identity: [3], notBefore: day.adding(seconds: -60)),
        ]
        try vault.write { db in
            try Accounts.insert(further, on: db)
            for row in rows { try SecretChanges.insert(row, on: db) }
        }
        func due(_ seconds: Int64) throws -> [AssetID?] {
            try vault.read { try SecretChanges.assetsDue(at: day.adding(seconds: seconds), on: $0) }
        }
        #expect(try due(-61).isEmpty && due(0) == [theirs.asset, ours.asset] && due(60) == [theirs.asset, ours.asset])
        let page = try vault.read { try SecretChanges.due(on: ours.asset, at: day, limit: 9, on: $0) }
        #expect(page.count == 1)
        try vault.write { db in
            _ = try db.execute("UPDATE secret_changes SET asset_id = x'01' WHERE account_id = ?", [.id(theirs.id)])
        }
        #expect(try due(0) == [nil, ours.asset])
    }

    @Test("an account with an open change is not deleted by accident")
    func deletion() throws {
        let account = vault.ours.account.value
        let row = change(account)
        try vault.write { try SecretChanges.insert(row, on: $0) }
        #expect(throws: StorageFault.self) {
            try vault.write { _ = try Accounts.delete(account.id, in: account.organization, on: $0) }
        }
        #expect(try vault.read { try Accounts.get(account.id, in: account.organization, on: $0) } != nil)
        try vault.write { db in
            try KeptSecrets.keep(account, on: vault.ours.asset.value, by: "admin", at: day, on: db)
            try SecretChanges.delete(row.value.id, in: account.organization, on: db)
            _ = try Accounts.delete(account.id, in: account.organization, on: db)
        }
        let kept = try vault.read { try KeptSecrets.all(in: account.organization, on: $0) }
        #expect(kept.map(\.number) == [1] && kept.first?.secret == vault.ours.version.secret)
        #expect(try vault.read { try KeptSecrets.all(in: vault.theirs.id, on: $0) }.isEmpty)
    }

    @Test("what is due comes in the order in which it waited")
    func due() throws {
        let (one, other) = (vault.ours.account.value, vault.theirs.account.value)
        let rows = [change(one, identity: [1], notBefore: day.adding(seconds: 60)), change(other, identity: [2])]
        let due = try vault.write { db in
            for row in rows { try SecretChanges.insert(row, on: db) }
            return (
                try SecretChanges.due(at: day, limit: 10, on: db),
                try SecretChanges.due(at: day.adding(seconds: 60), limit: 10, on: db)
            )
        }
        #expect(try due.0.map { try $0.get().value.id } == [rows[1].value.id])
        #expect(try due.1.map { try $0.get().value.id } == [rows[1].value.id, rows[0].value.id])
        #expect(try vault.read { try SecretChanges.nextDue(on: $0) } == day)
        #expect(try vault.read { try SecretChanges.of(one.id, in: other.organization, on: $0) } == nil)
    }

    @Test("a row that cannot be read is named, and takes none of the others with it")
    func damaged() throws {
        let (one, other) = (vault.ours.account.value, vault.theirs.account.value)
        let rows = [change(one, identity: [1]), change(other, identity: [2])]
        try vault.write { db in
            for row in rows { try SecretChanges.insert(row, on: db) }
            _ = try db.execute("UPDATE secret_changes SET fields = x'07' WHERE account_id = ?", [.id(one.id)])
        }
        let due = try vault.read { try SecretChanges.due(at: day.adding(seconds: 3600), limit: 10, on: $0) }
        #expect(due.count == 2)
        let (sound, broken) = (due.compactMap { try? $0.get().value.id }, due.compactMap { $0.damage })
        #expect(sound == [rows[1].value.id])
        #expect(broken.map(\.id) == [rows[0].value.id] && broken.map(\.account) == [one.id])
        #expect(broken.first?.what == "column fields")
        #expect(throws: StorageFault.self) { try vault.read { try SecretChanges.of(one.id, in: one.organization, on: $0) } }
        try vault.write { db in try SecretChanges.delete(of: one.id, in: one.organization, on: db) }
        #expect(try vault.read { try SecretChanges.found(after: nil, limit: 10, on: $0) }.rows.count == 1)
    }

    @Test("a value that was sent is kept until a later one was proved long enough ago")
    func sent() throws {
        let account = vault.ours.account.value
        func prune(at now: Timestamp) throws -> [Int64] {
            try vault.write { db in
                try SecretVersions.prune(
                    account.id, in: account.organization, keeping: 1, supersededBefore: SentSecret.cutoff(now), on: db)
            }
        }
        try vault.write { db in
            for number in Int64(2)...5 {
                try SecretVersions.insert(
                    SecretVersion(
                        account: account.id, organization: account.organization, number: number, secretType: .password,
                        secret: Sealed(bytes: []), fingerprint: nil, createdBy: "", dateCreated: day), on: db)
            }
            for number in [Int64(2), 3] {
                try SentSecrets.insert(number, of: account.id, in: account.organization, at: day, on: db)
            }
        }
        #expect(try prune(at: day.adding(seconds: 400 * 86_400)) == [4], "3 and 2 were sent, 1 is current, 5 the newest")
        try vault.write { try SentSecrets.prove(3, of: account.id, in: account.organization, at: day, on: $0) }
        #expect(try prune(at: day.adding(seconds: SentSecret.keptSeconds)) == [])
        #expect(try prune(at: day.adding(seconds: SentSecret.keptSeconds + 1)) == [2], "3 itself is not superseded")
        #expect(try vault.read { try SentSecrets.get(2, of: account.id, in: account.organization, on: $0) } == nil)
    }

    @Test("an older value that is proved again supersedes nothing that came after it")
    func olderProved() throws {
        let account = vault.ours.account.value
        let open = try vault.write { db in
            for number in [Int64(1), 2] {
                try SentSecrets.insert(number, of: account.id, in: account.organization, at: day, on: db)
            }
            try SentSecrets.prove(1, of: account.id, in: account.organization, at: day, on: db)
            return try SentSecrets.open(
                of: account.id, in: account.organization, supersededAfter: day.adding(seconds: 1), on: db)
        }
        #expect(open.map(\.number) == [2, 1])
    }

    @Test("logins count by the account and by the user on the target, each once")
    func logins() throws {
        let (one, other) = (vault.ours.account.value, vault.theirs.account.value)
        let ids = (0..<4).map { _ in LoginAttempts.ID.random() }
        let counts = try vault.write { db in
            try LoginAttempts.begin(ids[0], account: one.id, identity: [1], version: 1, in: one.organization, at: day, on: db)
            try LoginAttempts.begin(ids[1], account: other.id, identity: [1], version: 1, in: other.organization, at: day, on: db)
            try LoginAttempts.begin(ids[2], account: one.id, identity: [9], version: 1, in: one.organization, at: day, on: db)
            try LoginAttempts.begin(ids[3], account: other.id, identity: [8], version: 1, in: other.organization, at: day, on: db)
            func count() throws -> Int {
                try LoginAttempts.dates(account: one.id, identity: [1], since: day.adding(seconds: -1), on: db).count
            }
            let before = try count()
            try LoginAttempts.end(ids[0], .rejected, on: db)
            try LoginAttempts.takeBack(ids[1], on: db)
            let later = try LoginAttempts.dates(account: one.id, identity: [1], since: day, on: db).count
            return [before, try count(), later, try LoginAttempts.delete(before: day.adding(seconds: 1), on: db)]
        }
        #expect(counts == [3, 2, 0, 3])
    }

    @Test("of a version's logins those without an end are taken back but for the one under way, and no others")
    func unanswered() throws {
        let one = vault.ours.account.value
        let ids = (0..<5).map { _ in LoginAttempts.ID.random() }
        let count = try vault.write { db in
            for (place, id) in ids.enumerated() {
                try LoginAttempts.begin(
                    id, account: one.id, identity: [1], version: place == 3 ? 2 : 1, in: one.organization, at: day, on: db)
            }
            try LoginAttempts.end(ids[1], .unclear, on: db)
            try LoginAttempts.end(ids[2], .rejected, on: db)
            try LoginAttempts.takeBackUnanswered(of: one.id, version: 1, sparing: ids[4], on: db)
            return try LoginAttempts.dates(account: one.id, identity: [1], since: day.adding(seconds: -1), on: db).count
        }
        #expect(count == 3)
    }

    @Test("who else is the same user is found in all organizations, and by kind of secret")
    func identities() throws {
        let (one, other) = (vault.ours.account.value, vault.theirs.account.value)
        try vault.write { db in
            try TargetIdentities.put([1], of: one.id, .password, in: one.organization, at: day, on: db)
            #expect(try TargetIdentities.others(than: one.id, .password, [1], on: db).isEmpty)
            #expect(try TargetIdentities.others(than: other.id, .password, [1], on: db).map(\.account) == [one.id])
            #expect(try TargetIdentities.others(than: other.id, .sshKey, [1], on: db).isEmpty)
            try TargetIdentities.put([2], of: one.id, .password, in: one.organization, at: day, on: db)
            #expect(try TargetIdentities.others(than: other.id, .password, [1], on: db).isEmpty)
        }
    }

    @Test("what is believed of an asset is stored, replaced, and of its own organization")
    func trust() throws {
        let asset = vault.ours.asset.value
        let row = authenticated(
            AssetTrust(
                asset: asset.id, organization: asset.organization, policy: "strict",
                systems: ["ssh-host-key:SHA256:x", "database:a:b"],
                endpoint: asset.endpoint, confirmedBy: "admin", dateConfirmed: day))
        try vault.write { try AssetTrusts.put(row, on: $0) }
        #expect(try vault.read { try AssetTrusts.get(asset.id, in: asset.organization, on: $0) } == row)
        #expect(row.value.hostKeys == ["SHA256:x"])
        var cleared = row
        cleared.value.systems = []
        let other = cleared
        try vault.write { try AssetTrusts.put(other, on: $0) }
        #expect(try vault.read { try AssetTrusts.get(asset.id, in: asset.organization, on: $0) } == other)
        #expect(try vault.read { try AssetTrusts.get(asset.id, in: vault.theirs.id, on: $0) } == nil)
    }
}

extension FoundChange {
    fileprivate var damage: DamagedChange? { if case .failure(let damage) = self { damage } else { nil } }
}
