import Domain
import Testing

@testable import Storage

@Suite("Tables")
struct TablesTests {
    let vault: Vault

    init() throws { vault = try Vault() }

    @Test("every row comes back equal, with its authentication code")
    func roundTrip() throws {
        let tenant = vault.ours
        try vault.read { connection throws in
            #expect(try Organizations.get(tenant.id, on: connection) == tenant.organization)
            #expect(try Organizations.get(named: "Default", on: connection) == tenant.organization)
            #expect(try Nodes.get(tenant.child.value.id, in: tenant.id, on: connection) == tenant.child)
            #expect(try Nodes.all(in: tenant.id, on: connection) == [tenant.root, tenant.child])
            #expect(try Nodes.children(of: tenant.root.value.id, in: tenant.id, on: connection) == [tenant.child])
            #expect(try Labels.get(tenant.label.value.id, in: tenant.id, on: connection) == tenant.label)
            #expect(try Labels.get(named: "env", value: "prod", in: tenant.id, on: connection) == tenant.label)
            #expect(try Zones.get(tenant.zone.value.id, in: tenant.id, on: connection) == tenant.zone)
            #expect(try Zones.get(named: "dmz", in: tenant.id, on: connection) == tenant.zone)
            #expect(try Zones.all(in: tenant.id, on: connection) == [tenant.zone])
            #expect(try Assets.get(tenant.asset.value.id, in: tenant.id, on: connection) == tenant.asset)
            #expect(try Assets.get(named: "web-1", in: tenant.id, on: connection) == tenant.asset)
            #expect(try Accounts.get(tenant.account.value.id, in: tenant.id, on: connection) == tenant.account)
            #expect(try Accounts.all(of: tenant.asset.value.id, in: tenant.id, on: connection) == [tenant.account])
            #expect(try SecretVersions.get(1, of: tenant.account.value.id, in: tenant.id, on: connection) == tenant.version)
            #expect(try Applications.get(tenant.application.value.id, in: tenant.id, on: connection) == tenant.application)
            #expect(try Credentials.get(tenant.credential.value.id, in: tenant.id, on: connection) == tenant.credential)
            #expect(try Credentials.all(of: tenant.application.value.id, in: tenant.id, on: connection) == [tenant.credential])
            #expect(try DataKeys.all(in: tenant.id, on: connection) == [tenant.dataKey])
            #expect(
                try CredentialUsage.all(of: tenant.application.value.id, in: tenant.id, on: connection).map(\.address) == ["::1"])
        }
    }

    @Test("everything that can change is changed by an update, and nothing else")
    func updates() throws {
        let tenant = vault.ours
        var organization = authenticated(tenant.organization.value)
        organization.value.name = "Renamed"
        organization.value.isActive = false
        var node = authenticated(tenant.child.value)
        node.value.value = "moved"
        node.value.parent = nil
        var label = authenticated(tenant.label.value)
        label.value.value = "test"
        var asset = authenticated(tenant.asset.value)
        asset.value.name = "web-2"
        asset.value.nodes = [tenant.child.value.id]
        asset.value.labels = []
        asset.value.specific = [:]
        asset.value.zone = nil
        asset.value.protocols = []
        asset.value.platform = Platform.ID(rawValue: 17)
        var account = authenticated(tenant.account.value)
        account.value.stages = SecretStages(current: 3, pending: 4, previous: 2, last: 4)
        account.value.labels = []
        account.value.suFrom = nil
        account.value.source = AccountSource(kind: "local")
        account.value.dateVerified = nil
        var application = authenticated(tenant.application.value)
        application.value.ipGroup = []
        application.value.rateLimit = nil
        var credential = authenticated(tenant.credential.value)
        credential.value.isActive = false
        credential.value.dateExpires = nil
        credential.value.secret = Sealed(bytes: [])

        let (newOrganization, newNode, newLabel, newAsset) = (organization, node, label, asset)
        let (newAccount, newApplication, newCredential) = (account, application, credential)
        try vault.write { connection throws in
            #expect(try Organizations.update(newOrganization, on: connection))
            #expect(try Nodes.update(newNode, on: connection))
            #expect(try Labels.update(newLabel, on: connection))
            #expect(try Assets.update(newAsset, on: connection))
            #expect(try Accounts.update(newAccount, on: connection))
            #expect(try Applications.update(newApplication, on: connection))
            #expect(try Credentials.update(newCredential, on: connection))
            #expect(try Organizations.get(tenant.id, on: connection) == newOrganization)
            #expect(try Nodes.get(newNode.value.id, in: tenant.id, on: connection) == newNode)
            #expect(try Labels.get(newLabel.value.id, in: tenant.id, on: connection) == newLabel)
            #expect(try Assets.get(newAsset.value.id, in: tenant.id, on: connection) == newAsset)
            #expect(try Accounts.get(newAccount.value.id, in: tenant.id, on: connection) == newAccount)
            #expect(try Applications.get(newApplication.value.id, in: tenant.id, on: connection) == newApplication)
            #expect(try Credentials.get(newCredential.value.id, in: tenant.id, on: connection) == newCredential)
            #expect(try Assets.ids(under: [tenant.root.value.id], in: tenant.id, limit: 9, on: connection).isEmpty)
            #expect(try Assets.ids(under: [newNode.value.id], in: tenant.id, limit: 9, on: connection) == [newAsset.value.id])
            #expect(try Labels.assets(with: newLabel.value.id, in: tenant.id, limit: 9, on: connection).isEmpty)
            #expect(try Labels.accounts(with: newLabel.value.id, in: tenant.id, limit: 9, on: connection).isEmpty)
        }
    }

    @Test("names are unique where they must be, and only there")
    func uniqueness() throws {
        let tenant = vault.ours
        func refused(_ columns: String, _ body: @escaping @Sendable (any SQLConnection) throws -> Void) {
            #expect(throws: StorageFault.constraint(.unique, columns: columns)) { try vault.write(body) }
        }
        refused("organizations.name") {
            try Organizations.insert(authenticated(Organization(id: .random(), name: "Default", dateCreated: day)), on: $0)
        }
        refused("nodes.org_id, nodes.key") {
            try Nodes.insert(
                authenticated(Node(id: .random(), organization: tenant.id, key: "1", value: "", parent: nil)), on: $0)
        }
        refused("labels.org_id, labels.name, labels.value") {
            let twin = Label(id: .random(), organization: tenant.id, name: "env", value: "prod", dateCreated: day)
            try Labels.insert(authenticated(twin), on: $0)
        }
        refused("assets.org_id, assets.name") {
            let twin = Asset(
                id: .random(), organization: tenant.id, name: "web-1", address: "", platform: Platform.ID(rawValue: 1),
                dateCreated: day,
                dateUpdated: day)
            try Assets.insert(authenticated(twin), on: $0)
        }
        refused("accounts.org_id, accounts.asset_id, accounts.name") { try Accounts.insert(tenant.further("root"), on: $0) }
        refused("accounts.asset_id, accounts.username, accounts.secret_type") {
            var twin = tenant.further("other")
            twin.value.username = "root@x"
            try Accounts.insert(twin, on: $0)
        }
        refused("applications.org_id, applications.name") {
            let twin = Application(
                id: .random(), organization: tenant.id, name: "ci", accounts: "{}", ipGroup: [], dateCreated: day,
                dateUpdated: day)
            try Applications.insert(authenticated(twin), on: $0)
        }
        refused("secret_versions.account_id, secret_versions.number") { try SecretVersions.insert(tenant.version, on: $0) }
        try vault.write { connection throws in
            var sibling = tenant.further("other")
            sibling.value.username = "root@x"
            sibling.value.secretType = .sshKey
            try Accounts.insert(sibling, on: connection)
        }
    }

    @Test("a reference into another organization is refused")
    func foreignReferences() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        func refused(_ column: String, _ body: @escaping @Sendable (any SQLConnection) throws -> Void) {
            #expect(throws: StorageFault.constraint(.foreignKey, columns: column)) { try vault.write(body) }
        }
        refused("accounts.asset_id") {
            let stray = Account(
                id: .random(), organization: ours.id, asset: theirs.asset.value.id, name: "x", username: "x", dateCreated: day,
                dateUpdated: day)
            try Accounts.insert(authenticated(stray), on: $0)
        }
        refused("accounts.su_from") {
            var stray = ours.account
            stray.value.suFrom = theirs.account.value.id
            _ = try Accounts.update(stray, on: $0)
        }
        refused("accounts.label_ids") {
            var stray = ours.account
            stray.value.labels = [theirs.label.value.id]
            _ = try Accounts.update(stray, on: $0)
        }
        refused("assets.node_ids") {
            var stray = ours.asset
            stray.value.nodes = [theirs.root.value.id]
            _ = try Assets.update(stray, on: $0)
        }
        refused("nodes.parent_id") {
            var stray = ours.child
            stray.value.parent = theirs.root.value.id
            _ = try Nodes.update(stray, on: $0)
        }
        refused("credentials.application_id") {
            let stray = Credential(
                id: .random(), application: theirs.application.value.id, organization: ours.id, name: "",
                secret: Sealed(bytes: [1]),
                dateCreated: day)
            try Credentials.insert(authenticated(stray), on: $0)
        }
        refused("secret_versions.account_id") {
            let stray = SecretVersion(
                account: theirs.account.value.id, organization: ours.id, number: 9, secretType: .token, secret: Sealed(bytes: []),
                fingerprint: nil, createdBy: "", dateCreated: day)
            try SecretVersions.insert(stray, on: $0)
        }
        refused("nodes.parent_id") { _ = try Nodes.delete(ours.root.value.id, in: ours.id, on: $0) }
        #expect(throws: StorageFault.constraint(.foreignKey, columns: "")) {
            try vault.write { _ = try Labels.delete(ours.label.value.id, in: ours.id, on: $0) }
        }
        #expect(throws: StorageFault.constraint(.foreignKey, columns: "")) {
            try vault.write { _ = try Nodes.delete(ours.child.value.id, in: ours.id, on: $0) }
        }
    }

    @Test("users, sessions, settings and keys come back equal and go away when deleted")
    func globalRows() throws {
        let user = authenticated(
            User(
                id: .random(), username: "admin", name: "Admin", role: .auditor, password: Sealed(bytes: [1]), dateCreated: day,
                datePasswordUpdated: day))
        let session = authenticated(
            Session(tokenDigest: [1, 2], user: user.value.id, dateCreated: day, dateExpires: day, confirmedUntil: day))
        let slot = KeySlot(id: .random(), kind: "file", label: "l", parameters: [123], wrappedKey: [4], dateCreated: day)
        let key = KeyringKey(number: 1, wrappedKey: [1], state: .open, dateCreated: day)
        let setting = authenticated(Setting(name: "limits", value: "{}"))
        try vault.write { connection throws in
            try Users.insert(user, on: connection)
            #expect(try Users.get(user.value.id, on: connection) == user)
            #expect(try Users.get(username: "admin", on: connection) == user)
            #expect(try Users.list(ListRequest(), on: connection).rows == [user])
            try Sessions.insert(session, on: connection)
            #expect(try Sessions.get(tokenDigest: [1, 2], on: connection) == session)
            #expect(try Sessions.all(of: user.value.id, on: connection) == [session])
            #expect(try Sessions.deleteExpired(before: day, on: connection) == 0)
            #expect(try Sessions.deleteExpired(before: day.adding(seconds: 1), on: connection) == 1)
            try Sessions.insert(session, on: connection)
            #expect(try Users.delete(user.value.id, on: connection))
            #expect(try Sessions.get(tokenDigest: [1, 2], on: connection) == nil)
            try Settings.put(authenticated(Setting(name: "limits", value: "[]")), on: connection)
            try Settings.put(setting, on: connection)
            #expect(try Settings.get("limits", on: connection) == setting)
            #expect(try Settings.all(on: connection) == [setting])
            #expect(try Settings.delete("limits", on: connection))
            try KeySlots.insert(slot, on: connection)
            #expect(try KeySlots.all(on: connection) == [slot])
            #expect(try !KeySlots.delete(slot.id, on: connection), "the last slot stays")
            try KeyringKeys.insert(key, on: connection)
            #expect(try KeyringKeys.all(on: connection) == [key])
            #expect(throws: StorageFault.constraint(.foreignKey, columns: "data_keys.kek_number")) {
                try KeyringKeys.delete(1, on: connection)
            }
            #expect(try DataKeys.everywhere(on: connection).count == 2)
            #expect(try DataKeys.reserveUses(100, of: 1, in: .default, on: connection) == 100)
            #expect(try DataKeys.reserveUses(5, of: 1, in: .default, on: connection) == 105)
            #expect(try DataKeys.reserveUses(5, of: 2, in: .default, on: connection) == nil)
            #expect(try DataKeys.all(in: .default, on: connection).first?.usesReserved == 105)
            let request = RequestID.random()
            try ChangeMarks.insert(request, at: day, on: connection)
            #expect(try ChangeMarks.exists(request, on: connection))
            #expect(try ChangeMarks.delete(before: day.adding(seconds: 1), on: connection) == 1)
            #expect(try !ChangeMarks.exists(request, on: connection))
        }
    }

    @Test("a version that a stage names, or the newest, is never pruned", arguments: [0, 1, 2, 3, 100])
    func prune(limit: Int) throws {
        let tenant = vault.ours
        let left = try vault.write { connection throws in
            for number in Int64(2)...6 {
                try SecretVersions.insert(
                    SecretVersion(
                        account: tenant.account.value.id, organization: tenant.id, number: number, secretType: .password,
                        secret: Sealed(bytes: []), fingerprint: nil, createdBy: "", dateCreated: day), on: connection)
            }
            var account = tenant.account
            account.value.stages = SecretStages(current: 3, pending: nil, previous: 1, last: 6)
            _ = try Accounts.update(account, on: connection)
            let gone = try SecretVersions.prune(
                account.value.id, in: tenant.id, keeping: limit, supersededBefore: day, on: connection)
            let page = try SecretVersions.list(of: account.value.id, in: tenant.id, on: connection)
            #expect(page.total == Int64(page.rows.count))
            #expect(Set(gone).isDisjoint(with: page.rows.map(\.number)))
            return page.rows.map(\.number)
        }
        let expected: [Int64] =
            switch limit {
            case 0, 1: [6, 3, 1]
            case 2: [6, 5, 3, 1]
            case 3: [6, 5, 4, 3, 1]
            default: [6, 5, 4, 3, 2, 1]
            }
        #expect(left == expected)
    }

    @Test("the last use of a credential only moves forward, and one that is gone is left out")
    func usage() throws {
        let tenant = vault.ours
        let id = tenant.credential.value.id
        func use(_ seconds: Int64, _ address: String, _ id: CredentialID) -> CredentialUsage {
            CredentialUsage(credential: id, organization: tenant.id, dateLastUsed: day.adding(seconds: seconds), address: address)
        }
        let uses = [use(5, "b", id), use(3, "a", id), use(9, "c", .random())]
        let found = try vault.write { connection throws in
            try CredentialUsage.record(uses, on: connection)
            return try CredentialUsage.all(of: tenant.application.value.id, in: tenant.id, on: connection)
        }
        #expect(found == [uses[0]])
    }
}
