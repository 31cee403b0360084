package import Domain

/// Turns an order and what it is about into the work to be done. Pure: it looks nothing up and decides nothing by chance.
package struct Planner: Sendable {
    package let order: TaskOrder
    package let abilities: PlatformAbilities

    package init(_ order: TaskOrder, abilities: PlatformAbilities) {
        self.order = order
        self.abilities = abilities
    }

    /// One asset with what the vault has on it.
    package struct Subject: Sendable {
        package let asset: Asset
        /// Every account of the asset whose row authenticates, by name.
        package let accounts: [Account]
        /// The accounts of the order's selection that are on this asset; nil where the order goes by names.
        package let selection: [SelectedAccount]?
        package let way: GatewayChoice

        package init(
            asset: Asset, accounts: [Account], selection: [SelectedAccount]? = nil, way: GatewayChoice = .direct
        ) {
            self.asset = asset
            self.accounts = accounts
            self.selection = selection
            self.way = way
        }
    }

    package func works(for subject: Subject) -> [PlannedWork] {
        candidates(in: subject).map { candidate in
            let (worker, refusal) = decision(on: candidate, in: subject)
            return PlannedWork(
                asset: subject.asset.id, assetName: subject.asset.name, host: subject.asset.address.lowercased(),
                platformType: Platform.named(subject.asset.platform)?.type ?? "", account: candidate.account?.id,
                accountName: candidate.account?.name ?? candidate.username, username: candidate.username,
                secretType: candidate.secretType, version: candidate.version,
                hasSecret: candidate.account?.stages.current != nil, worker: worker?.id, workerName: worker?.name ?? "",
                gateway: subject.way.gateway?.asset.id, gatewayName: subject.way.gateway?.asset.name ?? "", refusal: refusal)
        }
    }
}

// MARK: - Which accounts

extension Planner {
    private struct Candidate {
        let account: Account?
        let username: String
        let secretType: SecretType
        var version: Int64?
    }

    private func candidates(in subject: Subject) -> [Candidate] {
        if let selection = subject.selection {
            return selection.compactMap { selected in
                subject.accounts.first { $0.id == selected.account }.map {
                    Candidate(account: $0, username: $0.username, secretType: $0.secretType, version: selected.version)
                }
            }
        }
        switch order.kind {
        case .pushAccount: return pushed(in: subject)
        case .changeSecret: return named(in: subject) { $0.secretType == order.secretType }
        case .verifyAccount: return named(in: subject) { [.password, .sshKey].contains($0.secretType) }
        case .removeAccount: return oncePerUser(named(in: subject) { _ in true })
        case .restoreSecret: return []
        }
    }

    private var takesAll: Bool { order.accounts.contains(TaskOrder.allAccounts) }

    private func named(in subject: Subject, _ fits: (Account) -> Bool) -> [Candidate] {
        let names = Set(order.accounts)
        return subject.accounts.filter { (takesAll || names.contains($0.username)) && fits($0) }
            .map { Candidate(account: $0, username: $0.username, secretType: $0.secretType) }
    }

    /// Accounts of the vault, and those that are named and that it does not have.
    private func pushed(in subject: Subject) -> [Candidate] {
        let known = named(in: subject) { $0.secretType == order.secretType }
        let names = Set(known.map(\.username))
        let missing = Set(order.accounts).subtracting(names).subtracting([TaskOrder.allAccounts]).filter { !$0.isEmpty }.sorted()
        return known + missing.map { Candidate(account: nil, username: $0, secretType: order.secretType) }
    }

    /// An account with a password and a key is two rows here and one user there.
    private func oncePerUser(_ candidates: [Candidate]) -> [Candidate] {
        var seen: Set<String> = []
        return candidates.filter { seen.insert($0.username).inserted }
    }
}

// MARK: - Whether, and by whom

extension Planner {
    private func decision(on candidate: Candidate, in subject: Subject) -> (worker: Account?, refusal: Record.Reason?) {
        guard subject.asset.isActive else { return (nil, .assetInactive) }
        if case .blocked = subject.way { return (nil, .noGateway) }
        guard let kinds = abilities.secretTypes(of: subject.asset.platform) else { return (nil, .platform) }
        guard kinds.contains(candidate.secretType) || order.kind == .removeAccount else { return (nil, .secretKind) }
        if let account = candidate.account {
            guard account.isActive else { return (nil, .accountInactive) }
            if [.changeSecret, .restoreSecret].contains(order.kind), !account.secretReset { return (nil, .secretResetOff) }
        }
        let isPrivileged = candidate.account?.privileged ?? false
        if let reason = SecureMode.refusal(of: candidate.username, privileged: isPrivileged, order: order) {
            return (nil, reason)
        }
        return order.kind == .verifyAccount ? proof(of: candidate, subject) : work(on: candidate, isPrivileged, subject)
    }

    /// A login of its own, or from the account that it is switched to from.
    private func proof(of candidate: Candidate, _ subject: Subject) -> (worker: Account?, refusal: Record.Reason?) {
        guard let account = candidate.account, candidate.version ?? account.stages.current != nil else { return (nil, .noSecret) }
        guard let source = account.suFrom else { return (nil, nil) }
        guard let first = subject.accounts.first(where: { $0.id == source }), first.isActive, first.stages.current != nil else {
            return (nil, .noWorker)
        }
        return (first, nil)
    }

    private func work(
        on candidate: Candidate, _ isPrivileged: Bool, _ subject: Subject
    ) -> (worker: Account?, refusal: Record.Reason?) {
        switch WorkerChoice.choose(among: subject.accounts, named: order.worker, for: candidate.username) {
        case .worker(let worker): return (worker, nil)
        // The only privileged account would lock everybody out if its change went wrong.
        case .none(.doesTheWork) where order.worker == nil && isPrivileged: return (nil, .oneWayIn)
        case .none(let reason): return (nil, reason)
        }
    }
}
