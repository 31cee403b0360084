internal import Access
internal import Connectors
internal import Cryptography
internal import Domain
internal import Storage
internal import Vault

// MARK: - Meeting the target

extension TurnRun {
    /// The identity that changes and logins are counted by; before the first contact the account stands for itself.
    var identityBytes: [UInt8] { change?.identity ?? identity?.canonical.bytes ?? account.bytes }

    /// Reads the ground anew in doubt, where a check that says no is a hindrance and not an end.
    func standing(needsWorker: Bool = true) async throws -> Ground {
        do {
            return try await stand(needsWorker: needsWorker)
        } catch let stop as Stop {
            throw TurnFault(stop.outcome.reason, words: stop.outcome.words)
        }
    }

    func request(_ ground: Ground) -> ChangeRequest {
        if let stored = change?.request {
            return ChangeRequest(
                username: stored.username, secretType: stored.secretType,
                keyStrategy: ChangeRequest.KeyStrategy(rawValue: stored.keyStrategy) ?? .replaceOurs,
                parameters: stored.parameters)
        }
        return ChangeRequest(
            username: remote?.username ?? ground.account.username, secretType: ground.account.secretType,
            keyStrategy: order.keyStrategy, parameters: order.parameters)
    }

    /// Logs the worker in and reads back that system and user are the ones meant.
    func meet(_ ground: Ground) async throws -> (session: any WorkSession, remote: RemoteAccount?) {
        await closeSession()
        let session = try await openSession(ground)
        self.session = session
        try await recognize(session.system, ground)
        let name = change?.request.username ?? ground.account.username
        // What tells accounts of one name apart is among the parameters.
        let parameters = change?.request.parameters ?? order.parameters
        let remote = try await parts.threads.run { try session.find(name, parameters: parameters) }
        self.remote = remote
        if let remote, remote.isWorker || remote.username == session.workerName {
            throw Stop(.skipped, .secureMode, "The account that does the work is not changed by it.")
        }
        let identity = TargetIdentity(
            system: session.system, user: remote?.identity ?? session.identity(ofNew: name, parameters: parameters))
        self.identity = identity
        if let change {
            guard isSame(identity, as: change, ground) else { throw TurnFault(.wrongTarget) }
            // Under the old key it would keep nobody away from the user that it is about.
            if !identity.isOnSystem(of: change.identity), let moved = identity.system.moved(userOf: change.identity) {
                self.change = try await ledger.move(change, to: moved)
            }
        }
        return (session, remote)
    }

    private func isSame(_ identity: TargetIdentity, as change: OpenChange, _ ground: Ground) -> Bool {
        guard identity.isOnSystem(of: change.identity) || isVouchedFor(identity.system, since: change, ground) else {
            return false
        }
        // Of one that is not there, nothing but the system can be compared.
        if remote == nil || identity.isUser(of: change.identity) { return true }
        // Of several hosts' accounts some may be removed already; the mark tells whether the rest is what was meant.
        if change.kind == .remove, change.request.mark != nil { return remote?.username == change.request.username }
        guard change.kind == .create else { return false }
        // Before it was created it had but its name, or its host as it was asked for; now it may be told apart by more.
        let bare = TargetIdentity(system: identity.system, user: change.request.username)
        if bare.isUser(of: change.identity) { return true }
        let asked = identity.system.moved(userOf: change.identity).flatMap { NamesakeIdentity($0) }
        return asked.map { NamesakeIdentity(identity.canonical.bytes)?.hasOneInCommon(with: $0) ?? false } ?? false
    }

    /// Whether a person has said, since the change was opened, that the system with the new key is the one that is meant. That the pins were
    /// cleared says nothing of who answers next: its key has to be pinned before this turn, and a person has to have spoken since.
    private func isVouchedFor(_ system: TargetIdentity.System, since change: OpenChange, _ ground: Ground) -> Bool {
        guard let trust = ground.trust, trust.systems.contains(system.text) else { return false }
        return trust.isConfirmedByPerson && trust.dateConfirmed >= change.dateOpened
    }

    /// A system that is not the pinned one gets nothing; a first one is pinned before anything is done.
    private func recognize(_ system: TargetIdentity.System, _ ground: Ground) async throws {
        let isPinned = ground.trust?.systems.contains(system.text) ?? false
        guard !isPinned else { return }
        let isFirst = ground.trust?.accepts(system) ?? true
        guard isFirst else {
            if case .sshHostKey(let seen) = system { throw TurnFault(.hostKeyChanged, words: seen) }
            throw TurnFault(.wrongTarget, words: system.text)
        }
        try await ledger.pin(system, of: ground.asset)
    }

    private func openSession(_ ground: Ground) async throws -> any WorkSession {
        guard let force = ground.worker else { throw TurnFault(.notPermitted) }
        let (connector, target, worker) = (ground.connector, ground.target, force.worker)
        do {
            return try await parts.threads.run { try connector.open(target, as: worker) }
        } catch let fault as ConnectorFault where fault.kind == .loginsSpent {
            let until = try? await ledger.nextLogin(force.login.id, force.login.id.bytes)
            throw TurnFault(.workerRejected, words: fault.words, until: until)
        } catch {
            throw TurnFault(error, ofWorker: true)
        }
    }

    // MARK: - Logins of the account

    /// A login with a version of the account's secret, written down before it is made.
    func login(_ version: Int64, as step: TurnStep) async throws -> TurnEvent {
        if ground == nil {
            do {
                // A login of the account's own needs nobody to work for it: there may be no worker any more.
                ground = try await standing(needsWorker: false)
            } catch {
                return .failed(TurnFault(error))
            }
        }
        let way: TargetLogin
        if version == turn.memory.candidate, let candidate { way = candidate } else { way = try await kept(version) }
        let (leave, stored) = try await ledger.beginLogin(
            account, identity: identityBytes, version: version, change: change, turn: turn, taken())
        change = stored
        var event: TurnEvent
        switch leave {
        case .spent(let until): event = .noLoginLeft(until: until)
        case .granted(let grant):
            note(.attempt, "version \(version)")
            await parts.probe.reached(.attempt, account)
            do {
                event = .verdict(await believed(try await connect(way, grant)))
            } catch {
                event = .failed(TurnFault(error))
            }
        }
        event = LentSecrets(ground, candidate, way).hidden(in: event)
        note(step, event)
        await parts.probe.reached(step, account)
        return event
    }

    /// Databases say "wrong" of an account that is off or expired too: the worker looks before that is believed. Of keys nothing is said,
    /// since an account without a password looks locked.
    private func believed(_ verdict: TurnVerdict) async -> TurnVerdict {
        guard case .rejected(let words) = verdict, let session, let ground, ground.account.secretType == .password else {
            return verdict
        }
        let request = request(ground)
        let seen = try? await parts.threads.run { try session.find(request.username, parameters: request.parameters) }
        guard seen.flatMap({ $0 })?.isLocked == true else { return verdict }
        return .lockedOut(words: words.isEmpty ? "The account is switched off or expired." : words)
    }

    /// Makes a login that was written down.
    func connect(_ way: TargetLogin, _ grant: LoginGrant) async throws -> TurnVerdict {
        guard let ground else { throw TurnFault(.brokenProtocol) }
        // What was pinned at this very contact is in the row and not yet in the ground.
        let control = ControlLogin(ledger, after: grant)
        let (connector, target, plan) = (ground.connector, control.applied(to: pinned(ground)), ground.plan)
        do {
            let verdict = try await parts.threads.run { try connector.verify(way, on: target, by: plan) }
            ended += [LoginEnd(id: grant.id, outcome: Self.outcome(of: verdict))] + control.ends(verdict)
            return TurnVerdict(verdict)
        } catch {
            ended += [LoginEnd(id: grant.id, outcome: Self.outcome(of: error))] + control.ends(nil)
            throw error
        }
    }

    private func pinned(_ ground: Ground) -> Target {
        let target = ground.target
        guard target.hostKeys.fingerprints.isEmpty, let seen = session?.hostKey else { return target }
        return target.pinned(to: seen)
    }

    static func outcome(of verdict: Verdict) -> LoginAttempts.Outcome? {
        switch verdict {
        // Let in without the secret is let in.
        case .proven, .unverifiable: nil
        case .rejected: .rejected
        case .lockedOut: .lockedOut
        }
    }

    /// Nil where no login can have come to the door.
    static func outcome(of error: any Error) -> LoginAttempts.Outcome? {
        guard let fault = error as? ConnectorFault else { return .unclear }
        switch fault.kind {
        case .unreachable, .hostKeyChanged, .noSafeChannel, .unsupported, .gatewayLoginsSpent, .loginsSpent: return nil
        case .loginRejected: return .rejected
        case .lockedOut: return .lockedOut
        // It was let in, and something later was refused.
        case .notPermitted, .noSuchAccount, .accountExists, .forbidden, .replaced, .ownsObjects, .refusedByPolicy: return nil
        case .brokenProtocol, .timedOut, .cut: return .unclear
        }
    }

    /// A kept version of the account's secret as something to log in with or to send.
    func kept(_ version: Int64) async throws -> TargetLogin {
        let keys = try parts.keyring.keys()
        let (parts, warrant, account) = (parts, warrant, account)
        let username = change?.request.username ?? remote?.username
        return try await parts.database.read { db in
            let row = try keys.verified(Accounts.get(account, in: warrant.organization, on: db))
            return try GroundReader(parts: parts, warrant: warrant, keys: keys, db: db)
                .credential(version, of: row, named: username ?? row.username)
        }
    }

    // MARK: - In doubt

    func inspect() async throws -> TurnEvent {
        do {
            turn.values = try await values()
            let ground = try await standing()
            let (session, _) = try await meet(ground)
            if remote == nil {
                // An account to be created is created again; one that is gone has no secret to be found.
                guard kind == .create else { throw TurnFault(.noSuchAccount) }
                return .inspected([])
            }
            guard let reading = session as? any VerifierReading else { return .inspected([]) }
            var findings: [StoredFinding] = []
            let request = request(ground)
            for version in turn.values {
                let way = try await kept(version)
                let match = try await parts.threads.run { try way.withSecret { try reading.compare(request, with: $0) } }
                findings.append(StoredFinding(version, StoredFinding.Match(match)))
                if match == .same { break }
            }
            try await saveFound(findings, session)
            return .inspected(findings)
        } catch let stop as Stop {
            throw TurnFault(stop.outcome.reason, words: stop.outcome.words)
        }
    }

    /// What was cut off may be on the target, and not where it looks at its next start.
    private func saveFound(_ findings: [StoredFinding], _ session: any WorkSession) async throws {
        guard change != nil, findings.contains(where: { $0.match == .same }), let saving = session as? any MemorySaving else {
            return
        }
        try await parts.threads.run { try saving.save() }
    }

    private func values() async throws -> [Int64] {
        let keys = try parts.keyring.keys()
        let (parts, warrant, account) = (parts, warrant, account)
        return try await parts.database.read { db in
            let row = try keys.verified(Accounts.get(account, in: warrant.organization, on: db))
            return try parts.secrets.valuesToTry(of: row, now: parts.clock.now(), in: db)
        }
    }

    func reapply() async throws -> TurnEvent {
        guard let ground, let session, let number = turn.memory.candidate else { throw TurnFault(.unsupported) }
        if candidate == nil { candidate = try await kept(number) }
        guard let candidate else { throw TurnFault(.unsupported) }
        // Not prepared: what is asked there, such as the minimum age, is answered by the very change that is in doubt.
        try await put(candidate, session, request(ground))
        return .installed
    }
}
