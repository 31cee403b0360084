import Domain
import Testing

@testable import Storage

@Suite("Fetch reader")
struct FetchReaderTests {
    let vault: Vault

    init() throws { vault = try Vault() }

    func fetch(_ reader: FetchReader, _ organization: OrganizationID, _ asset: String, _ account: String) throws -> [FetchRow] {
        try Array(asset.utf8).withUnsafeBytes { asset in
            try Array(account.utf8).withUnsafeBytes { try reader.accounts(in: organization, assetName: asset, accountName: $0) }
        }
    }

    @Test("a fetch finds what the plain queries find, by every way in")
    func sameAsPlain() throws {
        let reader = try vault.database.makeFetchReader()
        for tenant in [vault.ours, vault.theirs] {
            let byNames = try fetch(reader, tenant.id, "web-1", "root")
            let byAsset = try Array("root".utf8).withUnsafeBytes {
                try reader.accounts(in: tenant.id, asset: tenant.asset.value.id, accountName: $0)
            }
            let byAccount = try reader.account(in: tenant.id, id: tenant.account.value.id)
            for rows in [byNames, byAsset, [try #require(byAccount)]] {
                #expect(rows.count == 1)
                #expect(rows.first?.account == tenant.account)
                #expect(rows.first?.asset == tenant.asset)
                #expect(
                    rows.first?.secret
                        == FetchSecret(
                            number: 1, type: .password, secret: tenant.version.secret, dateCreated: tenant.version.dateCreated))
            }
        }
    }

    @Test(
        "nothing is found across organizations or by a name that is only alike",
        arguments: [
            ("web-1", "ROOT"), ("WEB-1", "root"), ("web-1", "root\0"), ("web-1", ""), ("", "root"), ("web-1", "root@x"),
            ("web%", "root"),
            ("web-1", "r__t"),
        ])
    func exactly(asset: String, account: String) throws {
        let reader = try vault.database.makeFetchReader()
        #expect(try fetch(reader, vault.ours.id, asset, account).isEmpty)
        #expect(try fetch(reader, OrganizationID(high: 9, low: 9), "web-1", "root").isEmpty)
        #expect(try reader.account(in: vault.ours.id, id: vault.theirs.account.value.id) == nil)
        let foreign = try Array("root".utf8).withUnsafeBytes {
            try reader.accounts(in: vault.ours.id, asset: vault.theirs.asset.value.id, accountName: $0)
        }
        #expect(foreign.isEmpty)
    }

    @Test("a name that is not UTF-8 finds nothing and breaks nothing")
    func badBytes() throws {
        let reader = try vault.database.makeFetchReader()
        let rows = try [UInt8]([0xFF, 0xC0, 0x80]).withUnsafeBytes { bad in
            try Array("root".utf8).withUnsafeBytes { try reader.accounts(in: vault.ours.id, assetName: bad, accountName: $0) }
        }
        #expect(rows.isEmpty)
        #expect(try fetch(reader, vault.ours.id, "web-1", "root").count == 1)
    }

    @Test("an account without a secret, or whose stage names a version that is gone, has none")
    func withoutSecret() throws {
        let tenant = vault.ours
        var stray = tenant.account
        stray.value.stages.current = 9
        let (bare, dangling) = (tenant.further("bare"), stray)
        try vault.write { connection in
            try Accounts.insert(bare, on: connection)
            _ = try Accounts.update(dangling, on: connection)
        }
        let reader = try vault.database.makeFetchReader()
        #expect(try fetch(reader, tenant.id, "web-1", "bare").first?.secret == nil)
        #expect(try reader.account(in: tenant.id, id: tenant.account.value.id)?.secret == nil)
        #expect(try reader.account(in: tenant.id, id: tenant.account.value.id)?.account == dangling)
    }

    @Test("a cycle sees one moment, the next one what was written meanwhile")
    func cycles() throws {
        let tenant = vault.ours
        let reader = try vault.database.makeFetchReader()
        try reader.beginIfNeeded()
        #expect(try fetch(reader, tenant.id, "web-1", "root").count == 1)
        try vault.write { _ = try Accounts.delete(tenant.account.value.id, in: tenant.id, on: $0) }
        #expect(try fetch(reader, tenant.id, "web-1", "root").count == 1)
        reader.endCycle()
        reader.endCycle()
        #expect(try fetch(reader, tenant.id, "web-1", "root").isEmpty)
        reader.endCycle()
    }

    @Test(
        "a damaged column is a fault that names it",
        arguments: [
            ("UPDATE accounts SET label_ids = x'0102'", "column label_ids"),
            ("UPDATE accounts SET secret_type = 'nonsense'", "column secret_type"),
            ("UPDATE accounts SET privileged = 7", "column privileged"),
            ("UPDATE assets SET protocols = x'FFFFFFFF00'", "column protocols"),
            ("UPDATE assets SET specific = x'0000000141'", "column specific"),
        ])
    func damaged(statement: String, column: String) throws {
        try vault.write { _ = try $0.execute(SQLQuery(rendered: statement)) }
        let reader = try vault.database.makeFetchReader()
        #expect(throws: StorageFault.corrupt(column)) { try fetch(reader, vault.ours.id, "web-1", "root") }
        reader.endCycle()
        try vault.write { _ = try Accounts.delete(vault.ours.account.value.id, in: vault.ours.id, on: $0) }
        #expect(try fetch(reader, vault.ours.id, "web-1", "root").isEmpty)
    }
}
