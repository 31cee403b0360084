internal import Access
internal import Connectors
internal import Domain
internal import Storage
internal import Vault

// MARK: - When what is current is not what is live

extension AccountCheck {
    /// Finds the kept version that is live after the current one was rejected: a command that was given up may have landed since.
    ///
    /// The worker reads it off the target, at no login's cost. What it finds is current from then on, so that what is served is what is
    /// live. Nil where nothing is found; the rejected login's end is stored in any case.
    func recover(_ report: TurnReport, _ ends: [LoginEnd]) async throws -> TurnReport? {
        let ledger = TurnLedger(parts: parts, warrant: warrant)
        // Before anything else: it was made, and must count whatever comes.
        try await ledger.end(ends)
        let run = TurnRun(parts, warrant, account: account, order: order, purpose: .look)
        guard let live = await run.stored(), let rejected = report.oldVersion, live != rejected else { return nil }
        let (proof, more) = try await proof(of: live, ledger)
        // What the target stores is what is live only as long as the door does not say otherwise: it may ask somebody else.
        guard [.proven, .noLoginLeft, .noProof].contains(proof.reason) else {
            try await ledger.end(more)
            return nil
        }
        var found = report
        found.newVersion = live
        found.steps.append(StepEntry(step: .inspect, date: parts.clock.now(), words: "version \(live): same"))
        let seen = proof.reason == .proven ? "is live" : "is what the target stores"
        let words = "Version \(rejected) was rejected. Version \(live) \(seen), and was made current."
        found.outcome = RecordOutcome(proof.status, proof.reason, words: words, until: proof.until)
        let told = found
        let isMade = try await ledger.write { [parts, warrant, account] page in
            try page.settle(more)
            var row = try page.account(account)
            // A change that is open knows better, also one that only has the old value left to take away.
            guard row.stages.pending == nil, row.stages.current == rejected,
                try SecretChanges.found(of: account, in: warrant.organization, on: page.db) == nil
            else { return false }
            try parts.secrets.recover(live, of: &row, by: warrant)
            if proof.reason == .proven { try parts.secrets.confirm(live, of: &row, by: warrant, now: page.now, in: page.db) }
            try page.store(row)
            try ChangeMarks.insert(warrant.origin.request, at: page.now, on: page.db)
            try parts.record(told, warrant.organization, page.db)
            return true
        }
        return isMade ? told : nil
    }

    /// A login with the version, where the account has one left. Without one, what the target stores is no proof, but is what is live.
    private func proof(of version: Int64, _ ledger: TurnLedger) async throws -> (RecordOutcome, [LoginEnd]) {
        let ground = try await ground(.init(needsWorker: false, isChange: false))
        switch try await ledger.beginLogin(account, identity: try await identity(), version: version).leave {
        case .spent(let until): return (RecordOutcome(.unverifiable, .noLoginLeft, until: until), [])
        case .granted(let grant):
            let (outcome, ends) = await connect(ground, version, ControlLogin(ledger, after: grant), grant.id)
            return (outcome.reason == .proven ? outcome : RecordOutcome(.unverifiable, outcome.reason), ends)
        }
    }
}

extension TurnRun {
    /// The kept version whose verifier the target stores; nil where that cannot be seen, or is none of them.
    func stored() async -> Int64? {
        let event = try? await inspect()
        try? await ledger.end(taken())
        await closeSession()
        guard case .inspected(let findings) = event else { return nil }
        return findings.first { $0.match == .same }?.version
    }
}
