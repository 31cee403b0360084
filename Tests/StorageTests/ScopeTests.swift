import Domain
import Testing

@testable import Storage

@Suite("Organization scope")
struct ScopeTests {
    let vault: Vault

    init() throws { vault = try Vault() }

    @Test("another organization's id finds, changes and deletes nothing in any table")
    func otherIDs() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        let id = ours.id
        try vault.write { connection throws in
            #expect(try Nodes.get(theirs.child.value.id, in: id, on: connection) == nil)
            #expect(try Nodes.children(of: theirs.root.value.id, in: id, on: connection).isEmpty)
            #expect(try !Nodes.delete(theirs.child.value.id, in: id, on: connection))
            #expect(try Labels.get(theirs.label.value.id, in: id, on: connection) == nil)
            #expect(try !Labels.delete(theirs.label.value.id, in: id, on: connection))
            #expect(try Labels.assets(with: theirs.label.value.id, in: id, limit: 9, on: connection).isEmpty)
            #expect(try Labels.accounts(with: theirs.label.value.id, in: id, limit: 9, on: connection).isEmpty)
            #expect(try Zones.get(theirs.zone.value.id, in: id, on: connection) == nil)
            #expect(try Zones.assetCount(of: theirs.zone.value.id, in: id, on: connection) == 0)
            #expect(try !Zones.delete(theirs.zone.value.id, in: id, on: connection))
            #expect(try Assets.get(theirs.asset.value.id, in: id, on: connection) == nil)
            #expect(try Assets.ids(under: [theirs.root.value.id], in: id, limit: 9, on: connection).isEmpty)
            #expect(try Accounts.get(theirs.account.value.id, in: id, on: connection) == nil)
            #expect(try Accounts.all(of: theirs.asset.value.id, in: id, on: connection).isEmpty)
            #expect(try !Accounts.delete(theirs.account.value.id, in: id, on: connection))
            #expect(try SecretVersions.get(1, of: theirs.account.value.id, in: id, on: connection) == nil)
            #expect(try SecretVersions.list(of: theirs.account.value.id, in: id, on: connection).total == 0)
            #expect(
                try SecretVersions.prune(theirs.account.value.id, in: id, keeping: 1, supersededBefore: day, on: connection)
                    .isEmpty)
            #expect(try SecretVersions.page(after: nil, in: id, limit: 9, on: connection) == [ours.version])
            #expect(
                try !SecretVersions.reseal(
                    1, of: theirs.account.value.id, in: id, secret: Sealed(bytes: []), fingerprint: nil, on: connection))
            #expect(try Applications.get(theirs.application.value.id, in: id, on: connection) == nil)
            #expect(try !Applications.delete(theirs.application.value.id, in: id, on: connection))
            #expect(try Credentials.get(theirs.credential.value.id, in: id, on: connection) == nil)
            #expect(try Credentials.all(of: theirs.application.value.id, in: id, on: connection).isEmpty)
            #expect(try CredentialUsage.all(of: theirs.application.value.id, in: id, on: connection).isEmpty)
            #expect(try !Credentials.delete(theirs.credential.value.id, in: id, on: connection))
            #expect(try DataKeys.all(in: id, on: connection) == [ours.dataKey])
        }
        try checkUntouched(theirs)
    }

    @Test("a row written under another organization's id changes nothing there")
    func forgedUpdates() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        try vault.write { connection throws in
            let node = Node(id: theirs.child.value.id, organization: ours.id, key: "9", value: "x", parent: nil)
            #expect(try !Nodes.update(authenticated(node), on: connection))
            let label = Label(id: theirs.label.value.id, organization: ours.id, name: "x", value: "x", dateCreated: day)
            #expect(try !Labels.update(authenticated(label), on: connection))
            let zone = Zone(id: theirs.zone.value.id, organization: ours.id, name: "x", dateCreated: day, dateUpdated: day)
            #expect(try !Zones.update(authenticated(zone), on: connection))
            let asset = Asset(
                id: theirs.asset.value.id, organization: ours.id, name: "x", address: "x", platform: Platform.ID(rawValue: 1),
                dateCreated: day, dateUpdated: day)
            #expect(try !Assets.update(authenticated(asset), on: connection))
            let account = Account(
                id: theirs.account.value.id, organization: ours.id, asset: ours.asset.value.id, name: "x", username: "x",
                dateCreated: day, dateUpdated: day)
            #expect(try !Accounts.update(authenticated(account), on: connection))
            let application = Application(
                id: theirs.application.value.id, organization: ours.id, name: "x", accounts: "", ipGroup: [], dateCreated: day,
                dateUpdated: day)
            #expect(try !Applications.update(authenticated(application), on: connection))
            let credential = Credential(
                id: theirs.credential.value.id, application: ours.application.value.id, organization: ours.id, name: "x",
                secret: Sealed(bytes: []), dateCreated: day)
            #expect(try !Credentials.update(authenticated(credential), on: connection))
        }
        try checkUntouched(theirs)
    }

    @Test("lists show the rows of their organization only, also under filters and search")
    func lists() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        try vault.read { connection throws in
            let assets = try Assets.list(ListRequest(search: "web"), in: ours.id, on: connection)
            #expect(assets.rows == [ours.asset])
            #expect(assets.total == 1)
            let accounts = try Accounts.list(ListRequest(search: "root"), in: ours.id, on: connection)
            #expect(accounts.rows.map(\.account) == [ours.account])
            let foreign = ListRequest<Storage.AccountField>(filters: [ListFilter(.node, anyOf: [theirs.root.value.id])])
            #expect(try Accounts.list(foreign, in: ours.id, on: connection).total == 0)
            let labelled = ListRequest<AssetField>(filters: [ListFilter(.label, anyOf: [theirs.label.value.id])])
            #expect(try Assets.list(labelled, in: ours.id, on: connection).total == 0)
            #expect(try Nodes.list(ListRequest(), in: ours.id, on: connection).rows == [ours.root, ours.child])
            #expect(try Labels.list(ListRequest(), in: ours.id, on: connection).rows == [ours.label])
            #expect(try Zones.list(ListRequest(), in: ours.id, on: connection).rows == [ours.zone])
            #expect(try Applications.list(ListRequest(), in: ours.id, on: connection).rows == [ours.application])
        }
    }

    @Test("a table without org_id is listed as global, and no other is")
    func globalTables() throws {
        let unscoped = try vault.read { connection throws in
            try connection.query(
                """
                SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
                AND name NOT IN (SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE c.name = 'org_id')
                """
            ) { try $0.text(0) }
        }
        #expect(Set(unscoped) == Set(GlobalTables.reasons.keys))
    }

    private func checkUntouched(_ tenant: Tenant) throws {
        try vault.read { connection throws in
            #expect(try Nodes.all(in: tenant.id, on: connection) == [tenant.root, tenant.child])
            #expect(try Labels.get(tenant.label.value.id, in: tenant.id, on: connection) == tenant.label)
            #expect(try Zones.get(tenant.zone.value.id, in: tenant.id, on: connection) == tenant.zone)
            #expect(try Assets.get(tenant.asset.value.id, in: tenant.id, on: connection) == tenant.asset)
            #expect(try Accounts.get(tenant.account.value.id, in: tenant.id, on: connection) == tenant.account)
            #expect(try SecretVersions.get(1, of: tenant.account.value.id, in: tenant.id, on: connection) == tenant.version)
            #expect(try Applications.get(tenant.application.value.id, in: tenant.id, on: connection) == tenant.application)
            #expect(try Credentials.get(tenant.credential.value.id, in: tenant.id, on: connection) == tenant.credential)
        }
    }
}
