package import Access
package import Domain
internal import Connectors
internal import Cryptography
internal import Storage
internal import Vault

extension SecretTurning {
    /// A login with the secret that is kept, to see whether it is live. One rejected login ends it; nothing is changed.
    package func verify(
        _ account: AccountID, in organization: OrganizationID, by principal: Principal, id: ChangeID = .random()
    ) async -> TurnReport {
        let order = TurnOrder(id: id, strategy: .kept(version: 0))
        return await guarded(.verifyAccount, account, organization, order, principal) {
            await verify(account, order, under: $0)
        }
    }

    /// - Parameter version: the one to be tried; nil for the current one.
    package func verify(
        _ account: AccountID, version: Int64? = nil, _ order: TurnOrder, under warrant: Warrant
    ) async -> TurnReport {
        await alone(account, order) {
            await AccountCheck(parts: parts, warrant: warrant, account: account, order: order).verify(version)
        }
    }

    /// Takes the account away from its target; Keyturn keeps it, switched off, with its history.
    package func remove(
        _ account: AccountID, in organization: OrganizationID, _ order: TurnOrder, by principal: Principal
    ) async -> TurnReport {
        await guarded(.removeAccount, account, organization, order, principal) { await remove(account, order, under: $0) }
    }

    package func remove(_ account: AccountID, _ order: TurnOrder, under warrant: Warrant) async -> TurnReport {
        await alone(account, order) {
            await TurnRun(parts, warrant, account: account, order: order, purpose: .remove).run()
        }
    }
}

/// Work on an account that changes no secret.
struct AccountCheck: Sendable {
    let parts: TurnParts
    let warrant: Warrant
    let account: AccountID
    let order: TurnOrder

    // MARK: - Verify

    func verify(_ version: Int64?) async -> TurnReport {
        var report = TurnReport(change: order.id, account: account, outcome: RecordOutcome(.failed, .interrupted))
        do {
            let ground = try await ground(.init(needsWorker: false, isChange: false))
            guard let current = version ?? ground.account.stages.current else { throw Stop(.skipped, .noSecret) }
            report.oldVersion = current
            let ledger = TurnLedger(parts: parts, warrant: warrant)
            let identity = try await identity()
            let leave = try await ledger.beginLogin(account, identity: identity, version: current).leave
            guard case .granted(let grant) = leave else {
                guard case .spent(let until) = leave else { throw Stop(.skipped, .noLoginLeft) }
                throw Stop(.skipped, .noLoginLeft, until: until)
            }
            await parts.probe.reached(.attempt, account)
            let (outcome, ends) = await connect(ground, current, ControlLogin(ledger, after: grant), grant.id)
            let reason = outcome.reason == .proven ? nil : outcome.reason
            report.steps.append(StepEntry(step: .verify, date: parts.clock.now(), reason: reason, words: outcome.words))
            report.outcome = outcome
            if outcome.reason == .rejected, version == nil, ground.account.stages.pending == nil {
                if let found = try await recover(report, ends) { return found }
            }
            try await store(outcome, current, ends, report)
        } catch {
            report.outcome = Stop(error).outcome
        }
        return report
    }

    func connect(
        _ ground: Ground, _ version: Int64, _ control: ControlLogin, _ id: LoginAttempts.ID
    ) async -> (RecordOutcome, [LoginEnd]) {
        var lent = LentSecrets(ground)
        do {
            let way = try await kept(version)
            lent = LentSecrets(ground, way)
            let target = control.applied(to: ground.target)
            let verdict = try await parts.threads.run { try ground.connector.verify(way, on: target, by: ground.plan) }
            let outcome: RecordOutcome =
                switch verdict {
                case .proven: RecordOutcome(.success, .proven)
                case .rejected(let words):
                    await isLocked(ground)
                        ? RecordOutcome(.failed, .lockedOut, words: words) : RecordOutcome(.failed, .rejected, words: words)
                case .lockedOut(let words): RecordOutcome(.failed, .lockedOut, words: words)
                case .unverifiable(let words): RecordOutcome(.unverifiable, .noProof, words: words)
                }
            return (lent.hidden(in: outcome), [LoginEnd(id: id, outcome: TurnRun.outcome(of: verdict))] + control.ends(verdict))
        } catch {
            let fault = lent.hidden(in: TurnFault(error))
            return (
                RecordOutcome(.failed, fault.reason, words: fault.words),
                [LoginEnd(id: id, outcome: TurnRun.outcome(of: error))] + control.ends(nil)
            )
        }
    }

    /// Databases say "wrong" of an account that is off or expired too: where there is a worker, it looks.
    private func isLocked(_ ground: Ground) async -> Bool {
        guard ground.account.secretType == .password else { return false }
        let run = TurnRun(parts, warrant, account: account, order: order, purpose: .look)
        return await run.look()?.isLocked ?? false
    }

    private func store(_ outcome: RecordOutcome, _ version: Int64, _ ends: [LoginEnd], _ report: TurnReport) async throws {
        try await TurnLedger(parts: parts, warrant: warrant).write { [parts, warrant, account] page in
            try page.settle(ends)
            var row = try page.account(account)
            switch outcome.reason {
            // Only if it is still the one that was tried.
            case .proven where row.stages.current == version:
                try parts.secrets.confirm(version, of: &row, by: warrant, now: page.now, in: page.db)
            case .rejected: row.connectivity = .passwordError
            case .lockedOut: row.connectivity = .authenticationError
            case .unreachable, .timedOut, .cut, .hostKeyChanged, .noSafeChannel, .brokenProtocol: row.connectivity = .error
            default: break
            }
            try page.store(row)
            try parts.record(report, warrant.organization, page.db)
        }
    }

    // MARK: - Rows

    func ground(_ demands: GroundReader.Demands) async throws -> Ground {
        let keys = try parts.keyring.keys()
        return try await parts.database.read { [parts, warrant, account] db in
            try GroundReader(parts: parts, warrant: warrant, keys: keys, db: db).read(account, demands)
        }
    }

    func identity() async throws -> [UInt8] {
        try await parts.database.read { [account, warrant] db in
            try TargetIdentities.get(account, in: warrant.organization, on: db) ?? account.bytes
        }
    }

    private func kept(_ version: Int64) async throws -> TargetLogin {
        let keys = try parts.keyring.keys()
        return try await parts.database.read { [parts, warrant, account] db in
            let row = try keys.verified(Accounts.get(account, in: warrant.organization, on: db))
            return try GroundReader(parts: parts, warrant: warrant, keys: keys, db: db)
                .credential(version, of: row, named: row.username)
        }
    }
}

extension TurnRun {
    /// The account as the worker sees it; nil where nobody can look, or it is not there.
    func look() async -> RemoteAccount? {
        let remote: RemoteAccount?
        do {
            remote = try await meet(try await stand()).remote
        } catch {
            remote = nil
        }
        try? await ledger.end(taken())
        await closeSession()
        return remote
    }
}
