package import Access
internal import Cryptography
internal import Domain
internal import Logging
internal import Storage
package import Vault

/// Carries out the accounts' parts of executions by turning secrets on their targets.
///
/// The gate was passed for the account before; everything here goes by that warrant.
package struct TurningWork: AccountWork {
    package let turning: SecretTurning
    private let taskSecrets: TaskSecrets

    package init(_ turning: SecretTurning, taskSecrets: TaskSecrets) {
        self.turning = turning
        self.taskSecrets = taskSecrets
    }

    private var parts: TurnParts { turning.parts }

    package func perform(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport {
        do {
            return try await work(order, warrant)
        } catch {
            return WorkReport(Stop(error).outcome)
        }
    }

    private func work(_ order: WorkOrder, _ warrant: Warrant) async throws -> WorkReport {
        if order.kind == .pushAccount { return try await push(order, warrant) }
        guard let account = order.account else { throw Stop(.skipped, .notFound) }
        switch order.kind {
        case .verifyAccount:
            let turn = TurnOrder(id: order.change, strategy: .kept(version: 0))
            return WorkReport(await turning.verify(account, version: order.version, turn, under: warrant))
        case .removeAccount:
            let turn = order.turn(.kept(version: 0))
            return WorkReport(await turning.remove(account, turn, under: warrant))
        case .changeSecret, .restoreSecret, .pushAccount:
            let turn = order.turn(try await strategy(order, warrant))
            return WorkReport(await turning.turn(account, turn, under: warrant))
        }
    }

    // MARK: - What becomes of a change that was cut short

    package func settle(_ order: WorkOrder, by warrant: Warrant) async -> WorkReport {
        do {
            let keys = try parts.keyring.keys()
            let found = try await parts.database.read { db in
                try SecretChanges.get(order.change, in: order.organization, on: db).map { try keys.verified($0) }
            }
            if let found { return inDoubt(await turning.settle(found, under: warrant), found) }
        } catch {
            parts.logger.error(
                "a change was not settled", metadata: ["record": "\(order.record)", "fault": "\(type(of: error))"])
            return WorkReport(.uncertain, reason: .doubt)
        }
        // A change that is not open was never begun, or is closed: in the latter case its record was closed with it.
        switch order.kind {
        case .changeSecret, .restoreSecret, .verifyAccount: return WorkReport(.failed, reason: .interrupted)
        case .pushAccount:
            return WorkReport(
                .failed, reason: .interrupted, detail: "No secret was sent; attributes of the account may have been set.")
        case .removeAccount: return WorkReport(.failed, reason: .interrupted, detail: "The target was not asked.")
        }
    }

    /// Where somebody else is at it, that one writes the record when it is over.
    private func inDoubt(_ report: TurnReport, _ change: OpenChange) -> WorkReport {
        guard report.outcome.status == .skipped else { return WorkReport(report) }
        return WorkReport(
            .uncertain, reason: .doubt, account: change.account, oldVersion: change.old, newVersion: change.memory.candidate)
    }

    // MARK: - Where the secret comes from

    private func strategy(_ order: WorkOrder, _ warrant: Warrant) async throws -> TurnOrder.Strategy {
        if let version = order.version { return .kept(version: version) }
        switch order.order.strategy {
        case .random: return .random(try await generator(order))
        case .specific:
            guard let id = order.task else { throw Self.taskIsGone }
            return .specific(try await accepted(secret(of: id, for: order, warrant), order))
        }
    }

    /// The task's own secret as it is now. The order is a copy from when the run was asked for; a retry may be of one long ago.
    private func secret(of id: AutomationTaskID, for order: WorkOrder, _ warrant: Warrant) async throws -> SecretHandoff {
        let keys = try parts.keyring.keys()
        let stored = try await parts.database.read { db in
            try AutomationTasks.get(id, in: order.organization, on: db).map { try keys.verified($0) }
        }
        guard let task = stored else { throw Self.taskIsGone }
        guard task.order.lendsSecret(to: order.order), let secret = try taskSecrets.reveal(of: task, by: warrant) else {
            throw Stop(.failed, .noSecret, "The task was changed since, and has no secret for this run.")
        }
        return secret
    }

    private static var taskIsGone: Stop { Stop(.failed, .noSecret, "The task is gone, and its secret with it.") }

    /// Where a task has no rules, it was defined when assets of other platforms may have come since.
    private func accepted(_ handoff: SecretHandoff, _ order: WorkOrder) async throws -> SecretHandoff {
        guard order.secretType == .password, order.order.passwordRules.isEmpty else { return handoff }
        let type = try await platformType(of: order)
        guard let secret = handoff.take() else { throw Stop(.failed, .noSecret) }
        let violations = secret.withBytes { PasswordRules.violations(in: $0, onPlatform: type) }
        guard violations.isEmpty else {
            throw Stop(.failed, .unsupported, "The task's secret: " + violations.map(\.message).joined(separator: " "))
        }
        return SecretHandoff(secret)
    }

    private func platformType(of order: WorkOrder) async throws -> String {
        let (asset, organization) = (order.asset, order.organization)
        let keys = try parts.keyring.keys()
        let platform = try await parts.database.read { db in
            try keys.verified(Assets.get(asset, in: organization, on: db)).platform
        }
        return Platform.named(platform)?.type ?? ""
    }

    private func generator(_ order: WorkOrder) async throws -> NewSecret {
        if order.secretType == .sshKey { return try NewSecrets.key(order.parameters) }
        return try NewSecrets.password(order.order.passwordRules, for: try await platformType(of: order))
    }
}

// MARK: - Push

extension TurningWork {
    /// An account that the vault does not have gets its row first, without a secret: what is sent is sealed into it before.
    private func push(_ order: WorkOrder, _ warrant: Warrant) async throws -> WorkReport {
        let turn = order.turn(try await strategy(order, warrant))
        if let account = order.account {
            return WorkReport(await turning.push(account, turn, under: warrant))
        }
        let account = try await addAccount(order, warrant)
        var report = WorkReport(await turning.push(account, turn, under: warrant))
        // Nothing came of it, so nothing is left of it.
        if try await dropped(account, warrant) { report.account = nil }
        return report
    }

    private func addAccount(_ order: WorkOrder, _ warrant: Warrant) async throws -> AccountID {
        let ledger = TurnLedger(parts: parts, warrant: warrant)
        return try await ledger.write { page in
            let rows = try Accounts.all(of: order.asset, in: order.organization, on: page.db)
            let known = rows.map(\.value)
            if let account = known.first(where: { $0.username == order.username && $0.secretType == order.secretType }) {
                return account.id
            }
            let isTaken = known.contains { $0.name == order.username }
            let author = page.warrant.principal.actor.name
            let account = Account(
                id: .random(), organization: order.organization, asset: order.asset,
                name: isTaken ? "\(order.username)-\(order.secretType.rawValue)" : order.username, username: order.username,
                secretType: order.secretType, createdBy: author, updatedBy: author, dateCreated: page.now,
                dateUpdated: page.now)
            try Accounts.insert(page.keys.authenticated(account), on: page.db)
            return account.id
        }
    }

    /// Takes an account away again of which no secret was ever made; false if it has one.
    private func dropped(_ account: AccountID, _ warrant: Warrant) async throws -> Bool {
        try await TurnLedger(parts: parts, warrant: warrant).write { page in
            let row = try page.account(account)
            guard row.stages.last == 0, try SecretChanges.of(account, in: row.organization, on: page.db) == nil else {
                return false
            }
            return try Accounts.delete(account, in: row.organization, on: page.db)
        }
    }
}
