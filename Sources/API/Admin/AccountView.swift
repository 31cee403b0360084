internal import Access
internal import Domain
internal import JSON
internal import Storage

/// An account as answers show it: with the names of what it refers to, never with its secret.
struct AccountView: Sendable {
    let account: Account
    let asset: (name: String, address: String, platform: Platform.ID)
    let suFrom: (id: AccountID, name: String, username: String)?
    let labels: [String]
    let organizationName: String
    /// Whether the target may hold another secret than the one that is served, or not have the account any more.
    let isChanging: Bool

    /// What the audit calls it.
    var object: AuditObject { AuditObject(account) }

    /// One account; `notFound` if there is none of that id in the organization.
    static func stored(_ id: AccountID, in organization: OrganizationID, _ transaction: Transaction) throws -> AccountView {
        let request = ListRequest<Storage.AccountField>(filters: [ListFilter(.id, anyOf: [id])], limit: 1)
        let listed = try Accounts.list(request, in: organization, on: transaction.db).rows
        guard let view = try views(of: listed, in: organization, transaction).first else { throw Refusal.notFound }
        return view
    }

    /// The accounts of a list, every row that is shown of them verified.
    static func views(
        of rows: [ListedAccount], in organization: OrganizationID, _ transaction: Transaction
    ) throws -> [AccountView] {
        let keys = transaction.keys
        let name = try transaction.organizationName(organization)
        var labels = LabelTexts(in: organization, transaction)
        let sources = try accounts(Set(rows.compactMap { $0.account.value.suFrom }), in: organization, transaction)
        let changes = try SecretChanges.found(of: rows.map(\.account.value.id), in: organization, on: transaction.db)
        return try rows.map { row in
            let account = try keys.verified(row.account)
            let asset = try keys.verified(row.asset)
            return AccountView(
                account: account, asset: (asset.name, asset.address, asset.platform),
                suFrom: account.suFrom.flatMap { sources[$0] }.map { ($0.id, $0.name, $0.username) },
                labels: try labels.texts(of: account.labels), organizationName: name,
                isChanging: account.stages.pending != nil || isRemoval(changes[account.id], keys))
        }
    }

    /// The removal of an account without a secret has no pending version that would tell of it. One that is damaged may be anything.
    private static func isRemoval(_ found: FoundChange?, _ keys: RowKeys) -> Bool {
        switch found {
        case nil: false
        case .failure: true
        case .success(let row): (try? keys.verified(row)).map { $0.kind == .remove } ?? true
        }
    }

    private static func accounts(
        _ ids: Set<AccountID>, in organization: OrganizationID, _ transaction: Transaction
    ) throws -> [AccountID: Account] {
        var found: [AccountID: Account] = [:]
        let all = ids.sorted()
        for start in stride(from: 0, to: all.count, by: 500) {
            let some = Array(all[start..<min(start + 500, all.count)])
            let request = ListRequest<Storage.AccountField>(filters: [ListFilter(.id, anyOf: some)], limit: Int64(some.count))
            for row in try Accounts.list(request, in: organization, on: transaction.db).rows {
                let account = try transaction.keys.verified(row.account)
                found[account.id] = account
            }
        }
        return found
    }
}

extension AuditObject {
    /// As JumpServer's call log names an account.
    init(_ account: Account) {
        self.init(kind: "account", id: account.id.description, name: "\(account.name)(\(account.username))")
    }
}

// MARK: - Writing

extension AccountView {
    func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", account.id)
            writer.field("name", account.name)
            writer.field("username", account.username)
            writer.choice("secret_type", value: account.secretType.rawValue, label: account.secretType.label)
            writer.field("has_secret", account.stages.current != nil)
            writer.field("change", isChanging ? "uncertain" : nil)
            writer.field("privileged", account.privileged)
            writer.field("is_active", account.isActive)
            writer.field("secret_reset", account.secretReset)
            writer.key("asset")
            writeAsset(&writer)
            writer.key("su_from")
            writeSource(&writer)
            writer.field("version", account.stages.current ?? account.stages.last)
            writer.choice(
                "source", value: account.source.kind, label: Self.sourceLabels[account.source.kind] ?? account.source.kind)
            writer.field("source_id", account.source.id)
            writer.choice("connectivity", value: account.connectivity.rawValue, label: account.connectivity.rawValue)
            writer.field("labels", labels)
            writeTrail(&writer)
        }
    }

    private static let sourceLabels = ["local": "Local", "collected": "Collected", "template": "Account template"]

    private func writeAsset(_ writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", account.asset)
            writer.field("name", asset.name)
            writer.field("address", asset.address)
            guard let platform = Platform.named(asset.platform) else { return }
            writer.choice("category", value: platform.category.rawValue, label: platform.category.rawValue)
            writer.choice("type", value: platform.type, label: platform.type)
            writer.object("platform") {
                $0.field("id", platform.id.rawValue)
                $0.field("name", platform.name)
            }
        }
    }

    private func writeSource(_ writer: inout JSONWriter<[UInt8]>) {
        guard let suFrom else { return writer.null() }
        writer.object {
            $0.field("id", suFrom.id)
            $0.field("name", suFrom.name)
            $0.field("username", suFrom.username)
        }
    }

    private func writeTrail(_ writer: inout JSONWriter<[UInt8]>) {
        writer.field("date_change_secret", account.dateChangeSecret)
        writer.field("date_verified", account.dateVerified)
        writer.field("date_created", account.dateCreated)
        writer.field("date_updated", account.dateUpdated)
        writer.field("comment", account.comment)
        writer.field("created_by", account.createdBy)
        writer.field("updated_by", account.updatedBy)
        writer.field("org_id", account.organization)
        writer.field("org_name", organizationName)
    }
}
