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

    /// A row in each table of what is done to accounts, and of what is told about it.
    private static func insertWork(of tenant: Tenant, on connection: any SQLConnection) throws {
        let (organization, asset, account) = (tenant.id, tenant.asset.value.id, tenant.account.value.id)
        let (task, execution) = (AutomationTaskID.random(), ExecutionID.random())
        let empty = SQLValue.blob([])
        try connection.execute(
            "INSERT INTO deliveries VALUES (?, ?, 'email', 'a@example.org', 'e', 's', 'b', 'p', 1, 1, 0, 'waiting', '', ?)",
            [.id(Delivery.ID.random()), .id(organization), empty])
        try connection.execute(
            "INSERT INTO tasks VALUES (?, ?, 'k', 'n', 'w', NULL, 0, '', 1, 'UTC', NULL, 'skip', 0, 1, ?, 1, '', '', '', 1, 1, ?)",
            [.id(task), .id(organization), empty, empty])
        try connection.execute(
            "INSERT INTO task_states VALUES (?, ?, 1, 1, 1, NULL)", [.id(task), .id(organization)])
        try connection.execute(
            "INSERT INTO executions VALUES (?, ?, 'k', ?, 'n', 'u', NULL, '', 'w', 'running', 1, 1, NULL, 1, 0, '', ?)",
            [.id(execution), .id(organization), .id(task), empty])
        try connection.execute(
            """
            INSERT INTO records VALUES (
                ?, ?, ?, 'k', ?, 'n', ?, 'u', 'password', 'pending', NULL, '', NULL, NULL, NULL, ?, 1, 1, NULL, 0, ?)
            """,
            [.id(RecordID.random()), .id(organization), .id(execution), .id(asset), .id(account), empty, empty])
        try connection.execute(
            "INSERT INTO secret_changes VALUES (?, ?, ?, ?, ?, 'sending', NULL, ?, 1, 1, ?)",
            [.id(ChangeID.random()), .id(organization), .id(account), .id(asset), .blob(account.bytes), empty, empty])
        try connection.execute(
            "INSERT INTO sent_secrets VALUES (?, 1, ?, 1, NULL, NULL)", [.id(account), .id(organization)])
        try connection.execute(
            "INSERT INTO login_attempts VALUES (?, ?, ?, ?, 1, 1, 'unclear')",
            [.id(LoginAttempts.ID.random()), .id(organization), .id(account), .blob(account.bytes)])
        try connection.execute(
            "INSERT INTO asset_trusts VALUES (?, ?, 'strict', ?, ?, '', 1, ?)",
            [.id(asset), .id(organization), empty, empty, empty])
        try connection.execute(
            "INSERT INTO target_identities VALUES (?, ?, 'password', ?, 1)",
            [.id(account), .id(organization), .blob(account.bytes)])
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

    @Test("an asset with an open change is not deleted: the candidate may be the secret that is live")
    func openChange() async throws {
        let ours = vault.ours
        try vault.write { try Self.insertWork(of: ours, on: $0) }
        await #expect(throws: StorageFault.self) {
            try await vault.database.deleteAsset(ours.asset.value.id, in: ours.id, marking: request, at: day)
        }
        #expect(try vault.read { try Accounts.get(ours.account.value.id, in: ours.id, on: $0) } != nil)
        #expect(try vault.read { try SecretVersions.list(of: ours.account.value.id, in: ours.id, on: $0).total } == 1)
    }

    @Test("an organization goes with everything in it, its data keys first")
    func organization() async throws {
        for tenant in [vault.ours, vault.theirs] { try vault.write { try Self.insertWork(of: tenant, on: $0) } }
        let before = try census(vault.theirs.id)
        let empty = try census(vault.ours.id).filter { $0.value == 0 }.keys.sorted()
        #expect(empty.isEmpty, "nothing would show that it is forgotten: \(empty)")
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
