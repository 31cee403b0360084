import Domain
import Synchronization
import Testing

@testable import Storage

@Suite("Deletions")
struct DeletionTests {
    let vault: Vault
    let request = RequestID.random()

    init() throws {
        vault = try Vault()
        let (ours, theirs) = (vault.ours, vault.theirs)
        try vault.write { connection in
            for tenant in [ours, theirs] {
                for number in Int64(0)..<450 {
                    try connection.execute(
                        "INSERT INTO kept_secrets VALUES (?, ?, ?, '', '', '', 'password', ?, 1, 1, '')",
                        [
                            .id(AccountID(high: tenant.id.high &+ 5, low: UInt64(number / 3))), .integer(number), .id(tenant.id),
                            .blob([1]),
                        ])
                }
                for number in 0..<150 {
                    let account = tenant.further("a\(number)")
                    try Accounts.insert(account, on: connection)
                    try SecretVersions.insert(
                        SecretVersion(
                            account: account.value.id, organization: tenant.id, number: 1, secretType: .password,
                            secret: Sealed(bytes: [1]), fingerprint: nil, createdBy: "", dateCreated: day), on: connection)
                }
            }
        }
    }

    /// Rows of each table that belong to the organization.
    func census(_ organization: OrganizationID) throws -> [String: Int64] {
        try vault.read { connection in
            let tables = try connection.query(
                """
                SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'org_id'
                """
            ) { try $0.text(0) }
            var counts: [String: Int64] = [:]
            for table in tables {
                let query = SQLQuery(
                    rendered: "SELECT COUNT(*) FROM \(table) WHERE org_id = x'\(organization.bytes.map(hex).joined())'")
                counts[table] = try connection.first(query) { try $0.integer(0) }
            }
            return counts
        }
    }

    private func hex(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

    @Test("an asset goes with its accounts and their secrets, and nothing else does")
    func asset() async throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        let before = try census(theirs.id)
        #expect(before["secret_versions"] == 151)
        #expect(try await vault.database.deleteAsset(ours.asset.value.id, in: ours.id, marking: request, at: day))
        let after = try census(ours.id)
        for table in ["assets", "asset_nodes", "asset_labels", "accounts", "account_labels", "secret_versions"] {
            #expect(after[table] == 0, "\(table)")
        }
        #expect(after["nodes"] == 2 && after["labels"] == 1 && after["credentials"] == 1)
        #expect(try census(theirs.id) == before)
        #expect(try vault.read { try ChangeMarks.exists(request, on: $0) })
        #expect(try await !vault.database.deleteAsset(ours.asset.value.id, in: ours.id, marking: .random(), at: day))
    }

    @Test("an asset is not deleted under another organization's id")
    func foreignAsset() async throws {
        let before = try census(vault.theirs.id)
        #expect(try await !vault.database.deleteAsset(vault.theirs.asset.value.id, in: vault.ours.id, marking: request, at: day))
        #expect(try census(vault.theirs.id) == before)
        #expect(try vault.read { try !ChangeMarks.exists(request, on: $0) })
    }

    @Test("an organization goes with everything in it, its data keys first")
    func organization() async throws {
        let before = try census(vault.theirs.id)
        #expect(try await vault.database.deleteOrganization(vault.ours.id, marking: request, at: day))
        #expect(try census(vault.ours.id).values.allSatisfy { $0 == 0 })
        #expect(try vault.read { try Organizations.get(.default, on: $0) } == nil)
        #expect(try census(vault.theirs.id) == before)
        let faults = try await vault.database.integrityCheck()
        #expect(faults == [])
        #expect(try await !vault.database.deleteOrganization(vault.ours.id, marking: .random(), at: day))
    }

    @Test("steps that work longer than their budget are cut into several transactions")
    func steps() async throws {
        _ = vault.database.takeLongestWrite()
        let left = Counter(100)
        let mostAtOnce = Mutex<Int64>(0)
        try await vault.database.writeInSteps(budget: .milliseconds(2)) { [vault] connection in
            try connection.execute("INSERT INTO change_marks VALUES (?, 1)", [.id(RequestID.random())])
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .milliseconds(1) {}
            // Of those that are there, whoever reads beside sees the ones that are committed.
            let here = try connection.integer("SELECT COUNT(*) FROM change_marks")
            let committed = try vault.read { try $0.integer("SELECT COUNT(*) FROM change_marks") }
            mostAtOnce.withLock { $0 = max($0, here - committed) }
            return left.countDown()
        }
        #expect(try vault.read { try $0.integer("SELECT COUNT(*) FROM change_marks") } == 100)
        let longest = vault.database.takeLongestWrite()
        #expect(longest > .milliseconds(1))
        // Each takes a millisecond at least, of the two that a transaction has.
        #expect((1...3).contains(mostAtOnce.withLock { $0 }))
        #expect(vault.database.takeLongestWrite() == .zero)
    }
}

/// Counts down to zero, on one thread at a time.
private final class Counter: @unchecked Sendable {
    private var left: Int

    init(_ count: Int) { left = count }

    /// Whether any is left.
    func countDown() -> Bool {
        left -= 1
        return left > 0
    }
}
