internal import Access
internal import Cryptography
internal import Domain
internal import JSON
internal import Storage
internal import Vault

/// Changes of accounts under one warrant, each in its caller's transaction.
struct AccountChange: Sendable {
    let backend: Backend
    let warrant: Warrant
    let now: Timestamp
    /// Whether a change that is open on the target is given up for this one.
    let isForced: Bool

    init(_ backend: Backend, _ warrant: Warrant, isForced: Bool = false) {
        self.backend = backend
        self.warrant = warrant
        self.isForced = isForced
        now = backend.clock.now()
    }

    private var organization: OrganizationID { warrant.organization }
    private var author: String { warrant.principal.actor.name }

    /// Leaves the mark by which a start after a crash knows that the change was made.
    func mark(_ db: any SQLConnection) throws {
        try ChangeMarks.insert(warrant.origin.request, at: now, on: db)
    }

    /// Returns what was made besides: labels that were not there yet.
    ///
    /// - Parameter key: the private key, where it had to be unlocked.
    func create(
        _ input: AccountInput, _ key: PrivateKeyInput.Unlocked?, as id: AccountID, in db: any SQLConnection
    ) throws -> [AuditObject] {
        let (labels, made) = try resolve(input.labels ?? [], db)
        try checkSource(input.suFrom, of: id, on: input.asset, db)
        var account = Account(
            id: id, organization: organization, asset: input.asset, name: input.name ?? input.username, username: input.username,
            secretType: input.secretType, privileged: input.privileged, isActive: input.isActive, secretReset: input.secretReset,
            suFrom: input.suFrom, labels: labels, comment: input.comment, createdBy: author, updatedBy: author,
            dateCreated: now, dateUpdated: now)
        guard !account.name.isEmpty else { throw Refusal.invalid("name", "This field is required without a username.") }
        var version: SecretVersion?
        if let secret = try input.makeSecret(key) {
            version = try backend.secrets.first(secret, of: &account, by: warrant, now: now, in: db)
        }
        try insert(account, isNamed: input.name != nil, db)
        if let version { try SecretVersions.insert(version, on: db) }
        return made
    }

    private func resolve(_ references: [LabelReference], _ db: any SQLConnection) throws -> (ids: [LabelID], made: [AuditObject])
    {
        let transaction = Transaction(db: db, keys: try backend.keyring.keys(), now: now)
        var resolver = LabelResolver(organization, transaction, for: warrant.principal)
        let ids = try resolver.resolve(references)
        return (ids, resolver.made.map { AuditObject(kind: "label", id: $0.id.description, name: "\($0.name):\($0.value)") })
    }

    /// Stores a new account; a name that nobody asked for gives way to one that is there.
    private func insert(_ account: Account, isNamed: Bool, _ db: any SQLConnection) throws {
        do {
            try AccountFault.naming { try db.transaction { try Accounts.insert(authenticated(account), on: db) } }
        } catch Refusal.invalid(let fields) where !isNamed && fields["name"] != nil {
            var renamed = account
            let suffix = try SecureRandom.bytes(count: 2).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
                .joined()
            renamed.name = String(String.UnicodeScalarView(account.name.unicodeScalars.prefix(123))) + "_" + suffix
            try AccountFault.naming { try Accounts.insert(authenticated(renamed), on: db) }
        }
    }

    /// Returns what was made besides: labels that were not there yet.
    ///
    /// - Parameter key: the private key, where it had to be unlocked.
    func update(
        _ id: AccountID, with body: JSONValue, _ key: PrivateKeyInput.Unlocked?, keeps: Bool, in db: any SQLConnection
    ) throws -> [AuditObject] {
        var account = try verified(id, db)
        let input = try body.fields { try AccountInput($0, current: account, keeps: keeps) }
        if input.secret != nil || input.secretType != account.secretType || input.name ?? account.name != account.name {
            try changes(db).requireNone(of: &account)
        }
        if let suFrom = input.suFrom, suFrom != account.suFrom { try checkSource(suFrom, of: id, on: account.asset, db) }
        account.name = input.name ?? account.name
        account.secretType = input.secretType
        account.privileged = input.privileged
        account.isActive = input.isActive
        account.secretReset = input.secretReset
        account.suFrom = input.suFrom
        account.comment = input.comment
        var made: [AuditObject] = []
        if let labels = input.labels { (account.labels, made) = try resolve(labels, db) }
        if let secret = try input.makeSecret(key) {
            try backend.secrets.put(
                secret, into: &account, by: warrant, historyLimit: backend.settings.historyLimit, now: now, in: db)
        }
        try store(&account, db)
        return made
    }

    /// Takes the current secret away; its value stays in history.
    func clear(_ id: AccountID, in db: any SQLConnection) throws {
        var account = try verified(id, db)
        guard account.stages.current != nil else { return }
        try changes(db).requireNone(of: &account)
        try backend.secrets.clear(&account, by: warrant)
        try store(&account, db)
    }

    /// Deletes an account with every version of its secret; accounts that were switched to from it are no longer.
    func delete(_ id: AccountID, in db: any SQLConnection) throws {
        try changes(db).requireNone(ofDeleted: id, by: author, now: now)
        let keys = try backend.keyring.keys()
        for row in try Accounts.all(switchingFrom: id, in: organization, on: db) {
            var account = try keys.verified(row)
            account.suFrom = nil
            try store(&account, db)
        }
        guard try Accounts.delete(id, in: organization, on: db) else { throw Refusal.notFound }
    }

    // MARK: - Rows

    private func changes(_ db: any SQLConnection) -> OpenChanges {
        OpenChanges(db: db, organization: organization, isForced: isForced)
    }

    /// The stored account, once its row has been found to be its own.
    func verified(_ id: AccountID, _ db: any SQLConnection) throws -> Account {
        guard let row = try Accounts.get(id, in: organization, on: db) else { throw Refusal.notFound }
        return try backend.keyring.keys().verified(row)
    }

    private func store(_ account: inout Account, _ db: any SQLConnection) throws {
        account.updatedBy = author
        account.dateUpdated = now
        let row = try authenticated(account)
        guard try AccountFault.naming({ try Accounts.update(row, on: db) }) else { throw Refusal.notFound }
    }

    private func authenticated(_ account: Account) throws -> Authenticated<Account> {
        try backend.keyring.keys().authenticated(account)
    }

    /// The account to switch from is another one of the same asset, and does not come to this one in turn.
    private func checkSource(_ source: AccountID?, of id: AccountID, on asset: AssetID, _ db: any SQLConnection) throws {
        var next = source
        var steps = 0
        while let candidate = next {
            let found = try Accounts.get(candidate, in: organization, on: db).map { try backend.keyring.keys().verified($0) }
            guard let found, found.asset == asset else {
                throw Refusal.invalid("su_from", "There is no such account on this asset.")
            }
            steps += 1
            guard candidate != id, steps <= 16 else {
                throw Refusal.invalid("su_from", "The account cannot be reached from itself.")
            }
            next = found.suFrom
        }
    }
}

/// Broken rules of the schema as faults of fields.
enum AccountFault {
    static func naming<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch StorageFault.constraint(.unique, let columns) {
            if columns.contains("username") {
                throw Refusal.invalid("username", "An account of this username and secret type exists on the asset.")
            }
            throw Refusal.invalid("name", "An account of this name exists on the asset.")
        } catch StorageFault.constraint(.foreignKey, let columns) where columns == "accounts.asset_id" {
            throw Refusal.invalid("asset", "There is no such asset.")
        }
    }
}
