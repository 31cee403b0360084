import Domain
import TestSupport

@testable import Storage

/// A migrated database with two organizations of the same shape, so that every look across finds something to leak.
struct Vault {
    let directory: TemporaryDirectory
    let database: Database
    let ours: Tenant
    let theirs: Tenant

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.file("keyturn.db"))
        try database.migrate(Migration.main, at: Timestamp(milliseconds: 1))
        ours = Tenant(.default, name: "Default")
        theirs = Tenant(OrganizationID(high: 7, low: 7), name: "Other")
        let (ours, theirs) = (ours, theirs)
        try database.writeSync { connection in
            try Platforms.seed(on: connection)
            try ours.insert(on: connection)
            try theirs.insert(on: connection)
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) throws -> Value {
        try database.readSync(body)
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) throws -> Value {
        try database.writeSync(body)
    }
}

let day = Timestamp(milliseconds: 1_800_000_000_000)

func authenticated<Value: Sendable>(_ value: Value) -> Authenticated<Value> {
    Authenticated(value: value, mac: (0..<32).map { _ in UInt8.random(in: 0...255) })
}

/// One of everything in an organization, with every field set.
struct Tenant: Sendable {
    let id: OrganizationID
    let organization: Authenticated<Organization>
    let root: Authenticated<Node>
    let child: Authenticated<Node>
    let label: Authenticated<Label>
    let zone: Authenticated<Zone>
    let asset: Authenticated<Asset>
    let account: Authenticated<Account>
    let version: SecretVersion
    let application: Authenticated<Application>
    let credential: Authenticated<Credential>
    let dataKey: DataKey

    init(_ id: OrganizationID, name: String) {
        self.id = id
        organization = authenticated(Organization(id: id, name: name, comment: "a comment", isActive: true, dateCreated: day))
        root = authenticated(Node(id: .random(), organization: id, key: "1", value: "Default", parent: nil))
        child = authenticated(Node(id: .random(), organization: id, key: "1:1", value: "日本 100%", parent: root.value.id))
        label = authenticated(
            Label(id: .random(), organization: id, name: "env", value: "prod", color: "#f00", comment: "c", dateCreated: day))
        zone = authenticated(
            Zone(
                id: .random(), organization: id, name: "dmz", comment: "c", createdBy: "admin", updatedBy: "root",
                dateCreated: day,
                dateUpdated: day.adding(seconds: 1)))
        asset = authenticated(
            Asset(
                id: .random(), organization: id, name: "web-1", address: "10.0.0.1", platform: Platform.ID(rawValue: 1),
                protocols: [AssetProtocol(name: "ssh", port: 22), AssetProtocol(name: "sftp", port: 2222)], zone: zone.value.id,
                nodes: [root.value.id, child.value.id].sorted(), labels: [label.value.id], specific: ["db_name": "x", "a": ""],
                comment: "asset comment", createdBy: "admin", updatedBy: "root", dateCreated: day,
                dateUpdated: day.adding(seconds: 1)))
        account = authenticated(
            Account(
                id: .random(), organization: id, asset: asset.value.id, name: "root", username: "root@x", secretType: .password,
                privileged: true, isActive: true, secretReset: false, stages: SecretStages(current: 1, last: 1),
                labels: [label.value.id], source: AccountSource(kind: "template", id: "t-1"), connectivity: .ok, comment: "c",
                createdBy: "admin", updatedBy: "bob", dateCreated: day, dateUpdated: day, dateChangeSecret: day, dateVerified: day
            ))
        version = SecretVersion(
            account: account.value.id, organization: id, number: 1, secretType: .password,
            secret: Sealed(bytes: Array(name.utf8)),
            fingerprint: Sealed(bytes: [9]), createdBy: "admin", dateCreated: day)
        application = authenticated(
            Application(
                id: .random(), organization: id, name: "ci", accounts: #"{"type":"all"}"#, ipGroup: ["10.0.0.0/8", "::1"],
                isActive: true, rateLimit: 60, comment: "c", createdBy: "admin", updatedBy: "admin", dateCreated: day,
                dateUpdated: day))
        credential = authenticated(
            Credential(
                id: application.value.id.retyped(), application: application.value.id, organization: id, name: "first",
                secret: Sealed(bytes: [1, 2, 3]), ipGroup: ["*"], isStrict: true, isActive: true, dateExpires: day,
                createdBy: "admin",
                dateCreated: day))
        dataKey = DataKey(
            organization: id, number: 1, keyringNumber: 1, wrappedKey: [1, 2, 3], state: .active, dateCreated: day)
    }

    func insert(on connection: any SQLConnection) throws {
        try Organizations.insert(organization, on: connection)
        try Nodes.insert(root, on: connection)
        try Nodes.insert(child, on: connection)
        try Labels.insert(label, on: connection)
        try Zones.insert(zone, on: connection)
        try Assets.insert(asset, on: connection)
        try Accounts.insert(account, on: connection)
        try SecretVersions.insert(version, on: connection)
        try Applications.insert(application, on: connection)
        try Credentials.insert(credential, on: connection)
        try DataKeys.insert(dataKey, on: connection)
        try CredentialUsage.record(
            [CredentialUsage(credential: credential.value.id, organization: id, dateLastUsed: day, address: "::1")],
            on: connection)
    }

    /// Another account on the asset.
    func further(_ name: String, privileged: Bool = false) -> Authenticated<Account> {
        authenticated(
            Account(
                id: .random(), organization: id, asset: asset.value.id, name: name, username: name, privileged: privileged,
                dateCreated: day, dateUpdated: day))
    }
}
