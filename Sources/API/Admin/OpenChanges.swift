internal import Access
internal import Domain
internal import Storage

/// What stands between an edit and an account whose secret is being changed on its target: 409, unless somebody forces it.
///
/// Forcing gives the change up and keeps every candidate, since one of them may be the secret that is live.
struct OpenChanges {
    let db: any SQLConnection
    let organization: OrganizationID
    let isForced: Bool

    /// Refuses while a change of the account is open; forced, the change is over, and the account has no pending version any more.
    func requireNone(of account: inout Account) throws {
        guard let open = try SecretChanges.found(of: account.id, in: organization, on: db) else { return }
        guard isForced else { throw Self.conflict(open) }
        try SecretChanges.delete(of: account.id, in: organization, on: db)
        account.stages.pending = nil
    }

    /// As above, for an account that is about to be deleted: its values outlive it.
    func requireNone(ofDeleted id: AccountID, by author: String, now: Timestamp) throws {
        guard let open = try SecretChanges.found(of: id, in: organization, on: db) else { return }
        guard isForced else { throw Self.conflict(open) }
        try keep(id, by: author, now: now)
        try SecretChanges.delete(of: id, in: organization, on: db)
    }

    /// Refuses while a change of any of the asset's accounts is open; forced, the values of those accounts outlive it.
    func requireNone(ofDeleted asset: AssetID, by author: String, now: Timestamp) throws {
        let open = try SecretChanges.on(asset, in: organization, on: db)
        guard let first = open.first else { return }
        guard isForced else { throw Self.conflict(first) }
        for change in open {
            if case .success(let row) = change {
                try keep(row.value.account, by: author, now: now)
            } else {
                // Whose it is may be what cannot be read.
                for account in try Accounts.all(of: asset, in: organization, on: db) {
                    try keep(account.value.id, by: author, now: now)
                }
            }
        }
        try SecretChanges.delete(on: asset, in: organization, on: db)
    }

    /// Refuses while a change of any of the asset's accounts is open; forced, the change goes on when the edit has been confirmed.
    func requireNone(on asset: AssetID) throws {
        guard !isForced, let open = try SecretChanges.on(asset, in: organization, on: db).first else { return }
        throw Self.conflict(open)
    }

    private func keep(_ id: AccountID, by author: String, now: Timestamp) throws {
        // Read without a check of the rows' codes: what was tampered with can still be deleted, and its values are kept all the same.
        if let account = try Accounts.get(id, in: organization, on: db)?.value,
            let asset = try Assets.get(account.asset, in: organization, on: db)?.value
        {
            try KeptSecrets.keep(account, on: asset, by: author, at: now, on: db)
        }
    }

    private static func conflict(_ open: FoundChange) -> Refusal {
        switch open {
        case .failure: .conflict("The secret of an account is being changed on its target (damaged); force=true gives that up.")
        case .success(let row):
            .conflict(
                "The account \(row.value.account) is being changed on its target (\(row.value.word)); force=true gives that up.")
        }
    }
}
