internal import Access
internal import Connectors
internal import Domain

// MARK: - Taking an account away

extension TurnRun {
    /// Throws only where the turn's own state could not be stored: then nothing further may be done.
    func performRemoval(_ action: TurnAction) async throws -> TurnEvent {
        switch action {
        case .check: return await done(.check) { try await self.check() }
        case .preflight: return await done(.preflight) { try await self.preflightRemoval() }
        case .remember: return await done(.remember) { try await self.rememberRemoval() }
        case .install: return await done(.install) { try await self.takeAway() }
        case .promote: return await done(.promote) { try await self.storeRemoval() }
        case .inspect:
            try await store(.doubt)
            return await done(.inspect) { try await self.isStillThere() }
        case .reapply:
            try await store(nil)
            return await done(.reapply) { try await self.takeAway() }
        case .verify, .retire, .guess, .wait, .close: return .resumed
        }
    }

    private func preflightRemoval() async throws -> TurnEvent {
        guard let ground else { throw Stop(.failed, .interrupted) }
        let (session, remote) = try await meet(ground)
        guard session is any AccountRemoving else { throw TurnFault(.unsupported) }
        // One that is not there is taken away already.
        guard let remote else { return .found(isThere: false) }
        guard !remote.isSystem else { throw Stop(.skipped, .systemAccount) }
        guard !Task.isCancelled else { throw Stop(.skipped, .cancelled) }
        return .ready
    }

    private func rememberRemoval() async throws -> TurnEvent {
        guard let ground, let remote else { throw Stop(.failed, .interrupted) }
        let request = OpenChange.Request(
            username: remote.username, secretType: ground.account.secretType, keyStrategy: order.keyStrategy.rawValue,
            parameters: order.parameters, worker: ground.worker?.account.id ?? ground.account.id)
        change = try await ledger.rememberRemoval(
            TurnLedger.Remembering(
                id: order.id, account: ground.account, endpoint: ground.asset.endpoint, identity: identityBytes, kind: .remove,
                request: request, turn: turn, secret: nil, saved: nil, change: nil, attempts: taken()))
        return .remembered(0)
    }

    private func takeAway() async throws -> TurnEvent {
        guard let change, let removing = session as? any AccountRemoving else { throw TurnFault(.unsupported) }
        let request = change.request
        try await parts.threads.run { try removing.remove(request.username, parameters: request.parameters) }
        return .installed
    }

    private func isStillThere() async throws -> TurnEvent {
        do {
            let (_, remote) = try await meet(try await standing())
            return .found(isThere: remote != nil)
        } catch let stop as Stop {
            throw TurnFault(stop.outcome.reason, words: stop.outcome.words)
        }
    }

    private func storeRemoval() async throws -> TurnEvent {
        var report = report
        var next = turn
        if case .close(let outcome, _) = next.handle(.promoted, at: now) { report.outcome = outcome }
        do {
            try await ledger.storeRemoval(of: account, change, taken(), record: report)
        } catch {
            throw TurnFault(.notStored, words: Stop(error).outcome.words)
        }
        change = nil
        isOver = true
        return .promoted
    }
}
