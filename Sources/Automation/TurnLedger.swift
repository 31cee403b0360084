internal import Access
internal import Cryptography
internal import Domain
internal import Storage
internal import Vault

/// What a turn writes, each function one transaction: when it returns, it is durable.
struct TurnLedger: Sendable {
    let parts: TurnParts
    let warrant: Warrant

    /// One transaction's tools.
    struct Page {
        let db: any SQLConnection
        let keys: RowKeys
        let now: Timestamp
        let warrant: Warrant

        func account(_ id: AccountID) throws -> Account {
            try keys.verified(Accounts.get(id, in: warrant.organization, on: db))
        }

        func store(_ account: Account) throws {
            var account = account
            account.updatedBy = warrant.principal.actor.name
            account.dateUpdated = now
            guard try Accounts.update(keys.authenticated(account), on: db) else { throw Refusal.notFound }
        }

        func store(_ change: inout OpenChange, _ turn: SecretTurn) throws {
            change.stage = turn.stage
            change.memory = turn.memory
            change.dateUpdated = now
            guard try SecretChanges.update(keys.authenticated(change), on: db) else { throw Stop(.uncertain, .forced) }
        }

        func settle(_ attempts: [LoginEnd]) throws {
            for attempt in attempts { try attempt.write(on: db) }
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Page) throws -> Value) async throws -> Value {
        let keys = try parts.keyring.keys()
        let (now, warrant) = (parts.clock.now(), warrant)
        return try await parts.database.write { db in try body(Page(db: db, keys: keys, now: now, warrant: warrant)) }
    }

    /// The same from a thread that may block.
    func writeBlocking<Value: Sendable>(_ body: @escaping @Sendable (Page) throws -> Value) throws -> Value {
        let keys = try parts.keyring.keys()
        let (now, warrant) = (parts.clock.now(), warrant)
        return try parts.database.writeSync { db in try body(Page(db: db, keys: keys, now: now, warrant: warrant)) }
    }

    // MARK: - The candidate

    /// What is committed before anything is sent.
    struct Remembering: Sendable {
        let id: ChangeID
        let account: Account
        let endpoint: [UInt8]
        let identity: [UInt8]
        let kind: OpenChange.Kind
        let request: OpenChange.Request
        let turn: SecretTurn
        /// The new secret; nil to send the current one.
        let secret: SecretHandoff?
        /// What the change would destroy on the target.
        let saved: SecretHandoff?
        /// The open change whose candidate was refused.
        let change: OpenChange?
        let attempts: [LoginEnd]
    }

    func remember(_ what: Remembering) async throws -> (number: Int64, change: OpenChange) {
        try await write { page in
            var account = try page.account(what.account.id)
            try requireUnedited(account, what, page)
            try requireAlone(account, what.identity, page)
            try page.settle(what.attempts)
            if let saved = what.saved?.take() {
                _ = try parts.secrets.keep(saved, for: &account, by: warrant, now: page.now, in: page.db)
            }
            let number = try number(what, &account, page)
            try page.store(account)
            var next = what.turn
            _ = next.handle(.remembered(number), at: page.now)
            if var change = what.change {
                try page.store(&change, next)
                return (number, change)
            }
            return (number, try open(what, next, page))
        }
    }

    func requireUnedited(_ account: Account, _ what: Remembering, _ page: Page) throws {
        let asset = try page.keys.verified(Assets.get(account.asset, in: account.organization, on: page.db))
        guard account.isActive, account.stages.current == what.account.stages.current, asset.endpoint == what.endpoint else {
            throw Stop(.skipped, .changeOpen, "The account or its asset was edited meanwhile.")
        }
        try GroundReader(parts: parts, warrant: warrant, keys: page.keys, db: page.db).requireOrganization()
    }

    private func number(_ what: Remembering, _ account: inout Account, _ page: Page) throws -> Int64 {
        if let secret = what.secret?.take() {
            return try parts.secrets.remember(secret, for: &account, by: warrant, now: page.now, in: page.db)
        }
        guard let current = account.stages.current else { throw Stop(.skipped, .noSecret) }
        try parts.secrets.remember(version: current, for: &account, by: warrant, now: page.now, in: page.db)
        return current
    }

    func open(_ what: Remembering, _ turn: SecretTurn, _ page: Page) throws -> OpenChange {
        let change = OpenChange(
            id: what.id, organization: what.account.organization, account: what.account.id, asset: what.account.asset,
            identity: what.identity, kind: what.kind, plan: turn.plan, request: what.request, old: what.account.stages.current,
            startedBy: warrant.principal.actor.name, dateOpened: page.now, stage: turn.stage, memory: turn.memory,
            dateUpdated: page.now)
        do {
            try SecretChanges.insert(page.keys.authenticated(change), on: page.db)
        } catch StorageFault.constraint(.unique, _) {
            throw Stop(.skipped, .changeOpen, "Another change of the same user on the target is open.")
        }
        return change
    }

    /// Two rows that mean the same user of the same system would take each other's secret away.
    func requireAlone(_ account: Account, _ identity: [UInt8], _ page: Page) throws {
        let others = try TargetIdentities.others(than: account.id, account.secretType, identity, on: page.db)
        for other in others where try !isElsewhere(other.account, in: other.organization, identity, page) {
            let isOurs = other.organization == account.organization
            let name = isOurs ? try Accounts.get(other.account, in: other.organization, on: page.db)?.value.name : nil
            throw Stop(
                .skipped, .sameTarget,
                "Account \(name.map { $0 + " " } ?? "")\(isOurs ? "\(other.account) " : "")stands for the same user of the same system."
            )
        }
        try requireNoMoved(account, identity, page)
        try TargetIdentities.put(
            identity, of: account.id, account.secretType, in: account.organization, at: page.now, on: page.db)
    }

    /// Whether the account's asset leads to another system by now than the one on which it was seen: then it is that user no more. Where that
    /// cannot be told it is.
    private func isElsewhere(
        _ account: AccountID, in organization: OrganizationID, _ identity: [UInt8], _ page: Page
    ) throws -> Bool {
        guard let asset = try Accounts.get(account, in: organization, on: page.db)?.value.asset,
            let trust = try AssetTrusts.get(asset, in: organization, on: page.db).flatMap({ try? page.keys.verified($0) })
        else { return false }
        let systems = trust.systems.map { TargetIdentity.System(text: $0) }
        return !systems.isEmpty
            && systems.allSatisfy { $0.map { !TargetIdentity(system: $0, user: "").isOnSystem(of: identity) } ?? false }
    }

    /// An open change may have its place under a key that its host has no more: what is pinned for that host says so before the change
    /// has met it again.
    private func requireNoMoved(_ account: Account, _ identity: [UInt8], _ page: Page) throws {
        guard let user = TargetIdentity.user(of: identity) else { return }
        for other in try SecretChanges.others(than: account.id, endingWith: user, on: page.db) where other.identity != identity {
            let trust = try AssetTrusts.get(other.asset, in: other.organization, on: page.db)
            // Damage of another asset's row keeps its own change waiting, and not everybody else's.
            guard let trust = trust.flatMap({ try? page.keys.verified($0) }) else { continue }
            let isThere = trust.systems.compactMap { TargetIdentity.System(text: $0) }.contains { system in
                system.moved(userOf: other.identity) == identity
            }
            guard isThere else { continue }
            throw Stop(.skipped, .changeOpen, "Another change of the same user on the target is open.")
        }
    }

    /// Gives a change its place under the key that its host has now, before anything is sent there.
    func move(_ change: OpenChange, to identity: [UInt8]) async throws -> OpenChange {
        try await write { page in
            try requireAlone(page.account(change.account), identity, page)
            var moved = change
            moved.identity = identity
            moved.dateUpdated = page.now
            do {
                guard try SecretChanges.move(page.keys.authenticated(moved), on: page.db) else { throw Stop(.uncertain, .forced) }
            } catch StorageFault.constraint(.unique, _) {
                throw Stop(.skipped, .changeOpen, "Another change of the same user on the target is open.")
            }
            return moved
        }
    }

    // MARK: - On the way

    /// Stores where the turn stands, before it goes on.
    func store(_ change: OpenChange, _ turn: SecretTurn, _ attempts: [LoginEnd], record report: TurnReport? = nil) async throws
        -> OpenChange
    {
        try await write { page in
            var change = change
            try page.settle(attempts)
            try page.store(&change, turn)
            if let report { try parts.record(report, warrant.organization, page.db) }
            return change
        }
    }

    /// Makes the candidate current, in one transaction with the record; with `isOver` the change is closed in it too.
    func promote(
        _ change: OpenChange, isProven: Bool, next: SecretTurn, _ attempts: [LoginEnd], record report: TurnReport
    ) async throws -> OpenChange {
        let historyLimit = parts.historyLimit()
        return try await write { page in
            var (account, change) = (try page.account(change.account), change)
            guard let candidate = next.memory.candidate else { throw Stop(.uncertain, .interrupted) }
            try parts.secrets.promote(
                candidate, of: &account, isProven: isProven, by: warrant, historyLimit: historyLimit, now: page.now, in: page.db)
            try page.store(account)
            try page.settle(attempts)
            if next.isOpen {
                try page.store(&change, next)
            } else {
                guard try SecretChanges.delete(change.id, in: change.organization, on: page.db) else {
                    throw Stop(.uncertain, .forced)
                }
            }
            try ChangeMarks.insert(warrant.origin.request, at: page.now, on: page.db)
            try parts.record(report, warrant.organization, page.db)
            return change
        }
    }

    /// Ends the turn: a candidate that is still pending is given up, and stays kept.
    func close(
        _ change: OpenChange?, live: Int64?, _ attempts: [LoginEnd], record report: TurnReport
    ) async throws {
        try await write { page in
            try page.settle(attempts)
            if let change {
                var account = try page.account(change.account)
                if change.kind == .remove {
                    account.stages.pending = nil
                    try page.store(account)
                } else if account.stages.pending != nil {
                    try parts.secrets.abandon(&account, live: live, by: warrant, now: page.now, in: page.db)
                    try page.store(account)
                }
                // No mark: what was asked for is made by a promotion alone, which has set its own.
                try SecretChanges.delete(change.id, in: change.organization, on: page.db)
            }
            try parts.record(report, warrant.organization, page.db)
        }
    }

    // MARK: - What the far side is

    /// Pins the system that showed itself at the first contact.
    func pin(_ system: TargetIdentity.System, of asset: Asset) async throws {
        try await write { page in
            let stored = try AssetTrusts.get(asset.id, in: asset.organization, on: page.db)
            var trust =
                try stored.map { try page.keys.verified($0) }
                ?? AssetTrust(
                    asset: asset.id, organization: asset.organization, endpoint: asset.endpoint,
                    confirmedBy: AssetTrust.firstContact,
                    dateConfirmed: page.now)
            guard trust.accepts(system), trust.endpoint == asset.endpoint else { throw TurnFault(.wrongTarget) }
            guard !trust.systems.contains(system.text) else { return }
            trust.systems.append(system.text)
            // Nobody has looked at this key, whoever spoke of the asset before.
            trust.confirmedBy = AssetTrust.firstContact
            trust.dateConfirmed = page.now
            try AssetTrusts.put(page.keys.authenticated(trust), on: page.db)
        }
    }
}
