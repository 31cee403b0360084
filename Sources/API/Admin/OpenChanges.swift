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
        guard let open = try SecretChanges.of(account.id, in: organization, on: db) else { return }
        guard isForced else { throw Self.conflict(open.value) }
        try SecretChanges.delete(open.value.id, in: organization, on: db)
        account.stages.pending = nil
    }

    /// As above, for an account that is about to be deleted: its values outlive it.
    func requireNone(ofDeleted id: AccountID, by author: String, now: Timestamp) throws {
        guard let open = try SecretChanges.of(id, in: organization, on: db) else { return }
        guard isForced else { throw Self.conflict(open.value) }
        try keep(open.value, by: author, now: now)
    }

    /// Refuses while a change of any of the asset's accounts is open; forced, the values of those accounts outlive it.
    func requireNone(ofDeleted asset: AssetID, by author: String, now: Timestamp) throws {
        for open in try SecretChanges.on(asset, in: organization, on: db) {
            guard isForced else { throw Self.conflict(open.value) }
            try keep(open.value, by: author, now: now)
        }
    }

    /// Refuses while a change of any of the asset's accounts is open; forced, the change goes on when the edit has been confirmed.
    func requireNone(on asset: AssetID) throws {
        guard !isForced, let open = try SecretChanges.on(asset, in: organization, on: db).first else { return }
        throw Self.conflict(open.value)
    }

    private func keep(_ open: OpenChange, by author: String, now: Timestamp) throws {
        // Read without a check of the rows' codes: what was tampered with can still be deleted, and its values are kept all the same.
        if let account = try Accounts.get(open.account, in: organization, on: db)?.value,
            let asset = try Assets.get(account.asset, in: organization, on: db)?.value
        {
            try KeptSecrets.keep(account, on: asset, by: author, at: now, on: db)
        }
        try SecretChanges.delete(open.id, in: organization, on: db)
    }

    private static func conflict(_ open: OpenChange) -> Refusal {
        .conflict(
            "The secret of account \(open.account) is being changed on its target (\(open.word)); force=true gives that up.")
    }
}
