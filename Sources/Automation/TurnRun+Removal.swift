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
            return await done(.reapply) {
                try await self.requireSame()
                return try await self.takeAway()
            }
        case .verify, .retire, .guess, .wait, .close: return .resumed
        }
    }

    private func preflightRemoval() async throws -> TurnEvent {
        guard let ground else { throw Stop(.failed, .interrupted) }
        let (session, remote) = try await meet(ground)
        guard let removing = session as? any AccountRemoving else { throw TurnFault(.unsupported) }
        // One that is not there is taken away already.
        guard let remote else {
            let (name, parameters) = (ground.account.username, order.parameters)
            try await parts.threads.run { try removing.confirmAbsence(of: name, parameters: parameters, mark: nil) }
            return .found(isThere: false)
        }
        guard !remote.isSystem else { throw Stop(.skipped, .systemAccount) }
        let (name, parameters) = (remote.username, order.parameters)
        let text = try await parts.threads.run { try removing.mark(name, parameters: parameters) }
        mark = (text, await match(with: ground.account.stages.current, request(ground)) == .same)
        guard !Task.isCancelled else { throw Stop(.skipped, .cancelled) }
        return .ready
    }

    private func rememberRemoval() async throws -> TurnEvent {
        guard let ground, let remote, let mark else { throw Stop(.failed, .interrupted) }
        let request = OpenChange.Request(
            username: remote.username, secretType: ground.account.secretType, keyStrategy: order.keyStrategy.rawValue,
            parameters: order.parameters, worker: ground.worker?.account.id ?? ground.account.id, mark: mark.text,
            isSecretSeen: mark.isSecretSeen)
        change = try await ledger.rememberRemoval(
            TurnLedger.Remembering(
                id: order.id, account: ground.account, endpoint: ground.asset.endpoint, identity: identityBytes, kind: .remove,
                request: request, turn: turn, secret: nil, saved: nil, change: nil, attempts: taken()))
        return .remembered(0)
    }

    private func takeAway() async throws -> TurnEvent {
        let (removing, removal) = try marked()
        do {
            try await parts.threads.run { try removing.remove(removal) }
        } catch let fault as ConnectorFault where fault.kind == .noSuchAccount {
            await noteRemains(removing, removal)
            throw fault
        }
        await noteRemains(removing, removal)
        return .installed
    }

    /// What cannot be seen any more is not worth a removal that went well.
    private func noteRemains(_ removing: any AccountRemoving, _ removal: AccountRemoval) async {
        let words = try? await parts.threads.run { try removing.remains(of: removal) }
        if let words = words ?? nil { remains = LentSecrets(ground).hidden(in: words) }
    }

    private func marked() throws -> (any AccountRemoving, AccountRemoval) {
        guard let change, let removing = session as? any AccountRemoving else { throw TurnFault(.unsupported) }
        // Without one, nothing tells whether it is still the account that was meant.
        guard let mark = change.request.mark else { throw TurnFault(.replaced, words: "It was not marked.") }
        return (removing, AccountRemoval(username: change.request.username, parameters: change.request.parameters, mark: mark))
    }

    /// Before it is asked for once more: an account that stored the secret that is kept, and stores another by now, may be another account.
    /// The connector knows more of it, and looks for itself.
    private func requireSame() async throws {
        guard let change, let ground, change.request.isSecretSeen else { return }
        guard await match(with: change.old, request(ground)) != .different else {
            throw TurnFault(.replaced, words: "It has another password than the one that was to be removed.")
        }
    }

    /// What the target stores, compared with a kept password; unknown where that cannot be seen. Keys lie in the home, which may be put
    /// aside already.
    private func match(with version: Int64?, _ request: ChangeRequest) async -> StoredMatch {
        guard let version, request.secretType == .password, let reading = session as? any VerifierReading,
            let way = try? await kept(version)
        else { return .unknown }
        let match = try? await parts.threads.run { try way.withSecret { try reading.compare(request, with: $0) } }
        return match ?? .unknown
    }

    private func isStillThere() async throws -> TurnEvent {
        do {
            let (_, remote) = try await meet(try await standing())
            if remote == nil {
                try await confirmAbsence()
                try await clearUp()
            }
            return .found(isThere: remote != nil)
        } catch let stop as Stop {
            throw TurnFault(stop.outcome.reason, words: stop.outcome.words)
        }
    }

    private func confirmAbsence() async throws {
        guard let request = change?.request, let removing = session as? any AccountRemoving else { return }
        try await parts.threads.run {
            try removing.confirmAbsence(of: request.username, parameters: request.parameters, mark: request.mark)
        }
    }

    /// Takes away what is left of an account that is gone: somebody else may have deleted it in the middle.
    private func clearUp() async throws {
        guard let (removing, removal) = try? marked() else { return }
        do {
            try await parts.threads.run { try removing.remove(removal) }
        } catch let fault as ConnectorFault {
            let told = TurnFault(fault)
            guard told.isPassing || told.mayHaveChanged else {
                // That nothing is left is what was wanted; a plain no will not become another.
                if fault.kind != .noSuchAccount {
                    note(.inspect, "what is left of it stays: " + LentSecrets(ground).hidden(in: told.words))
                }
                await noteRemains(removing, removal)
                return
            }
            throw fault
        }
    }

    private func storeRemoval() async throws -> TurnEvent {
        var next = turn
        let report = promoted(next.handle(.promoted, at: now))
        do {
            try await ledger.storeRemoval(of: account, change, taken(), record: report)
            self.report.steps = report.steps
        } catch {
            throw TurnFault(.notStored, words: Stop(error).outcome.words)
        }
        change = nil
        isOver = true
        return .promoted
    }

    /// The same with what is left on the target for people to look at.
    func withRemains(_ outcome: RecordOutcome) -> RecordOutcome {
        guard let remains else { return outcome }
        let words = outcome.words.isEmpty ? remains : outcome.words + " " + remains
        return RecordOutcome(outcome.status, outcome.reason, words: words, until: outcome.until)
    }
}
