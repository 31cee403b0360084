internal import Access
internal import Connectors
internal import Cryptography
internal import Domain
internal import Storage
internal import Vault

// MARK: - The way as planned

extension TurnRun {
    var demands: GroundReader.Demands {
        .init(
            worker: change?.request.worker ?? order.worker, isChange: purpose != .look,
            allowsPrivileged: order.allowsPrivileged, isSettling: change != nil)
    }

    /// Reads the rows anew.
    func stand(needsWorker: Bool = true) async throws -> Ground {
        let keys = try parts.keyring.keys()
        var asked = demands
        asked.needsWorker = needsWorker
        let (parts, warrant, account, demands) = (parts, warrant, account, asked)
        let ground = try await parts.database.read { db in
            try GroundReader(parts: parts, warrant: warrant, keys: keys, db: db).read(account, demands)
        }
        self.ground = ground
        return ground
    }

    func check() async throws -> TurnEvent {
        do {
            let ground = try await stand()
            report.oldVersion = ground.account.stages.current
            try await requireLogin(ground)
            try Task.checkCancellation()
            return .checked
        } catch is CancellationError {
            throw Stop(.skipped, .cancelled)
        } catch {
            throw Stop(error)
        }
    }

    /// A change whose proof would have to wait a day is not begun.
    private func requireLogin(_ ground: Ground) async throws {
        guard order.checksConnection, !turn.plan.isRemoval else { return }
        let account = ground.account
        let identity = try await parts.database.read { db in
            try TargetIdentities.get(account.id, in: account.organization, on: db) ?? account.id.bytes
        }
        if let until = try await ledger.nextLogin(account.id, identity) { throw Stop(.skipped, .noLoginLeft, until: until) }
    }

    func preflight() async throws -> TurnEvent {
        guard let ground else { throw Stop(.failed, .interrupted) }
        let (session, remote) = try await meet(ground)
        try await requireOneUser(ground, session)
        switch purpose {
        case .push:
            if let end = try await decidePush(ground, session, remote) { return .turnedAway(end) }
        case .change, .settle, .look, .remove:
            guard remote != nil else { throw TurnFault(.noSuchAccount) }
        }
        if let remote, remote.isSystem, !order.allowsSystemAccounts, !order.allowsPrivileged {
            throw Stop(.skipped, .systemAccount, "It belongs to the target's system: a person must confirm it.")
        }
        if GroundReader.isGuarded(ground.account), kind == .change { try await requireSecondWay(ground) }
        let request = request(ground)
        if kind == .change {
            guard let changing = session as? any SecretChanging else { throw TurnFault(.unsupported) }
            try await parts.threads.run { try changing.prepare(request) }
        } else if !(session is any AccountPushing) {
            throw TurnFault(.unsupported)
        }
        guard !Task.isCancelled else { throw Stop(.skipped, .cancelled) }
        return .ready
    }

    /// A row keeps one secret. If it were given to another account of the name, the one that it stood for before would keep a secret that nobody
    /// knows any more once its history is over.
    private func requireOneUser(_ ground: Ground, _ session: any WorkSession) async throws {
        let (account, parameters) = (ground.account, order.parameters)
        let known = try await parts.database.read { db in
            try TargetIdentities.get(account.id, in: account.organization, on: db)
        }
        guard let known, let identity, identity.isOnSystem(of: known), !identity.isUser(of: known),
            let former = TargetIdentity.userText(of: known)
        else { return }
        let name = remote?.username ?? account.username
        let others = try await parts.threads.run { try session.others(name, foundAs: former, parameters: parameters) }
        guard others.isEmpty else {
            throw Stop(
                .skipped, .unsupported,
                "It has stood for \(others.joined(separator: ", ")) so far, with a secret that would be given up: mean that too, or keep "
                    + "another account for this one.")
        }
    }

    /// What the table of a push says; an end where there is nothing to set.
    private func decidePush(_ ground: Ground, _ session: any WorkSession, _ remote: RemoteAccount?) async throws -> RecordOutcome?
    {
        let inVault = PushTable.InVault(hasSecret: ground.account.stages.current != nil)
        let onTarget: PushTable.OnTarget = remote.map { $0.isSystem ? .system : .present } ?? .absent
        let act = PushTable.act(
            onTarget, inVault, existing: order.existing, includesSystem: order.allowsSystemAccounts || order.allowsPrivileged)
        switch act {
        case .create: kind = .create
        case .createWithStored: (kind, sendsCurrent) = (.create, true)
        case .adopt: break
        case .setStored: sendsCurrent = true
        case .nothing: return RecordOutcome(.success, .unchanged, words: "It is there already.")
        case .updateAttributes:
            guard let pushing = session as? any AccountPushing else { throw TurnFault(.unsupported) }
            let push = AccountPush(request: request(ground))
            try await parts.threads.run { try pushing.update(push) }
            return RecordOutcome(.success, .unchanged, words: "Its attributes were set; its secret was left.")
        case .refuseSystem:
            throw Stop(.skipped, .systemAccount, "It belongs to the target's system: a person must confirm it.")
        }
        return nil
    }

    /// A privileged account is changed only where, besides the worker, its own login is alive too.
    private func requireSecondWay(_ ground: Ground) async throws {
        guard let current = ground.account.stages.current else {
            throw Stop(.skipped, .secureMode, "There are no two live ways in: the account's own secret is not known.")
        }
        let way = try await kept(current)
        let (leave, _) = try await ledger.beginLogin(account, identity: identityBytes, version: current, taken())
        guard case .granted(let grant) = leave else { throw Stop(.skipped, .noLoginLeft) }
        let verdict = try await connect(way, grant)
        guard verdict == .proven else {
            throw Stop(.skipped, .secureMode, "There are no two live ways in: the account's own login is not proven.")
        }
    }

    func remember() async throws -> TurnEvent {
        guard let ground, !sendsCurrent || change == nil else { throw Stop(.failed, .interrupted) }
        let secret = sendsCurrent ? nil : try await newSecret(ground)
        let saved = change == nil ? try await saveRemoteState(ground) : nil
        let username = remote?.username ?? ground.account.username
        let request = OpenChange.Request(
            username: username, secretType: ground.account.secretType, keyStrategy: order.keyStrategy.rawValue,
            parameters: order.parameters, worker: ground.worker?.account.id ?? ground.account.id)
        let what = TurnLedger.Remembering(
            id: order.id, account: ground.account, endpoint: ground.asset.endpoint, identity: identityBytes, kind: kind,
            request: request, turn: turn, secret: secret?.handoff, saved: saved, change: change, attempts: taken())
        let (number, change) = try await ledger.remember(what)
        self.change = change
        report.newVersion = number
        if let secret { candidate = secret.credential } else { candidate = try await kept(number) }
        return .remembered(number)
    }

    /// The same new secret twice: to be sealed, and to be sent.
    private func newSecret(_ ground: Ground) async throws -> (handoff: SecretHandoff, credential: TargetLogin) {
        let secret: Secret
        switch order.strategy {
        case .random(let make):
            // A long RSA key takes a second.
            guard let made = try await parts.threads.run({ SecretHandoff(try make()) }).take() else {
                throw Stop(.failed, .noSecret)
            }
            secret = made
        case .specific(let handoff):
            guard let given = handoff.take() else { throw Stop(.failed, .noSecret) }
            secret = given
        case .kept(let version):
            secret = try await keptSecret(version)
        }
        let credential = TargetLogin(
            username: remote?.username ?? ground.account.username, secretType: ground.account.secretType,
            secret: secret.duplicate())
        return (SecretHandoff(secret), credential)
    }

    private func keptSecret(_ version: Int64) async throws -> Secret {
        do {
            return try await kept(version).withSecret { $0.duplicate() }
        } catch Refusal.notFound {
            throw Stop(.skipped, .noSecret, "Version \(version) is not kept any more.")
        }
    }

    private func saveRemoteState(_ ground: Ground) async throws -> SecretHandoff? {
        guard kind == .change, order.keyStrategy == .replaceAll, let saving = session as? any RemoteStateSaving else {
            return nil
        }
        let request = request(ground)
        return try await parts.threads.run {
            guard let bytes = try saving.saved(before: request) else { return nil }
            return SecretHandoff(bytes)
        }
    }

    func install() async throws -> TurnEvent {
        guard let ground, let session, let candidate else { throw TurnFault(.brokenProtocol) }
        try await put(candidate, session, request(ground))
        return .installed
    }

    /// Makes a secret live; an account that is to be created is created where it is not there.
    func put(_ candidate: TargetLogin, _ session: any WorkSession, _ request: ChangeRequest) async throws {
        let creates = kind == .create && remote == nil
        let completes = kind == .create && remote != nil
        try await parts.threads.run {
            if creates {
                guard let pushing = session as? any AccountPushing else { throw TurnFault(.unsupported) }
                try candidate.withSecret { try pushing.create(AccountPush(request: request), secret: $0) }
            } else {
                guard let changing = session as? any SecretChanging else { throw TurnFault(.unsupported) }
                // Its creation was cut short; the secret comes last there too.
                if completes { try (session as? any AccountPushing)?.complete(AccountPush(request: request)) }
                try candidate.withSecret { try changing.install(request, secret: $0) }
            }
        }
    }

    func promote(_ isProven: Bool) async throws -> TurnEvent {
        guard let change else { throw TurnFault(.interrupted) }
        var next = turn
        var report = promoted(next.handle(.promoted, at: now))
        if next.isOpen { report.outcome = RecordOutcome(.success, .proven) }
        do {
            let stored = try await ledger.promote(change, isProven: isProven, next: next, taken(), record: report)
            self.report.steps = report.steps
            self.change = next.isOpen ? stored : nil
            isOver = !next.isOpen
        } catch let stop as Stop {
            throw TurnFault(.notStored, words: stop.outcome.reason.rawValue)
        } catch {
            throw TurnFault(.notStored, words: Stop(error).outcome.words)
        }
        return .promoted
    }

    func retire() async throws -> TurnEvent {
        guard let change, let number = turn.memory.candidate else { return .retired }
        do {
            if session == nil { _ = try await meet(try await standing()) }
        } catch let stop as Stop {
            // The new secret is proven: what keeps the old one from being taken away ends the change.
            throw TurnFault(stop.outcome.reason, words: stop.outcome.words)
        }
        guard let changing = session as? any SecretChanging, let ground, change.kind == .change else { return .retired }
        if candidate == nil { candidate = try await kept(number) }
        var old: TargetLogin?
        if let version = change.old, version != number { old = try await kept(version) }
        let (request, candidate, former) = (request(ground), candidate, old)
        try await parts.threads.run {
            guard let candidate else { return }
            try candidate.withSecret { (new) throws(ConnectorFault) in
                if let former {
                    try former.withSecret { (old) throws(ConnectorFault) in
                        try changing.retire(request, keeping: new, old: old.duplicate())
                    }
                } else {
                    try changing.retire(request, keeping: new, old: nil)
                }
            }
        }
        return .retired
    }
}
