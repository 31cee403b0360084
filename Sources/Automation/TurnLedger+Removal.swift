internal import Access
internal import Domain
internal import Storage

extension TurnLedger {
    /// Opens a removal: committed before the target is asked for it, so that a lost reply is never forgotten.
    func rememberRemoval(_ what: Remembering) async throws -> OpenChange {
        try await write { page in
            var account = try page.account(what.account.id)
            try requireUnedited(account, what, page)
            try requireAlone(account, what.identity, page)
            try page.settle(what.attempts)
            // Nothing new is pending, but reads have to say that the target may not have the account any more.
            account.stages.pending = account.stages.current
            try page.store(account)
            var next = what.turn
            _ = next.handle(.remembered(0), at: page.now)
            return try open(what, next, page)
        }
    }

    /// The account is not on the target any more: Keyturn keeps it, switched off, with its history. One transaction with the record.
    ///
    /// - Parameter change: nil where the account was gone before anything was asked.
    func storeRemoval(
        of account: AccountID, _ change: OpenChange?, _ attempts: [LoginEnd], record report: TurnReport
    ) async throws {
        try await write { page in
            var row = try page.account(account)
            row.isActive = false
            row.stages.pending = nil
            row.connectivity = .notApplicable
            try page.store(row)
            try page.settle(attempts)
            if let change {
                guard try SecretChanges.delete(change.id, in: change.organization, on: page.db) else {
                    throw Stop(.uncertain, .forced)
                }
            }
            try ChangeMarks.insert(warrant.origin.request, at: page.now, on: page.db)
            try parts.record(report, warrant.organization, page.db)
        }
    }
}
