internal import Access
internal import Connectors
internal import Cryptography
internal import Domain
internal import Storage
internal import Vault

/// What a piece of work stands on: verified rows, who does the work and by what way, read in one transaction.
struct Ground: Sendable {
    var account: Account
    let asset: Asset
    let trust: AssetTrust?
    let connector: any Connector
    let target: Target
    /// Nil where the work needs none: a login with the account's own secret.
    let worker: Workforce?
    /// The unprivileged account from which the account is switched to; nil for a login of its own.
    let source: TargetLogin?

    /// Who does the work on the target.
    struct Workforce: Sendable {
        let account: Account
        let login: Account
        let worker: Worker
    }

    var plan: VerificationPlan { source.map { .su(from: $0) } ?? .direct }
}

/// Reads grounds: everything that can be checked without the target.
struct GroundReader {
    let parts: TurnParts
    let warrant: Warrant
    let keys: RowKeys
    let db: any SQLConnection

    /// What is asked of the rows.
    struct Demands: Sendable {
        var needsWorker = true
        /// The named worker.
        var worker: AccountID?
        var isChange = true
        var allowsPrivileged = false
        /// In doubt the work goes on although an account was switched off meanwhile.
        var isSettling = false
    }

    func read(_ id: AccountID, _ demands: Demands) throws -> Ground {
        let account = try keys.verified(Accounts.get(id, in: warrant.organization, on: db))
        let asset = try keys.verified(Assets.get(account.asset, in: warrant.organization, on: db))
        let trust = try AssetTrusts.get(asset.id, in: warrant.organization, on: db).map { try keys.verified($0) }
        guard demands.isSettling || (account.isActive && asset.isActive) else { throw Stop(.skipped, .inactive) }
        if !demands.isSettling { try requireOrganization() }
        if let trust, trust.endpoint != asset.endpoint {
            throw Stop(.skipped, .paused, "The asset's endpoint was edited: somebody who may reveal its secrets must confirm it.")
        }
        guard let platform = Platform.named(asset.platform), let connector = parts.connector(platform.type) else {
            throw Stop(.skipped, .noConnector)
        }
        if demands.isChange, !demands.isSettling { try checkChange(account, connector, demands) }
        let gateway = try gateway(to: asset)
        let worker = demands.needsWorker ? try workforce(for: account, on: asset, platform, demands) : nil
        return Ground(
            account: account, asset: asset, trust: trust, connector: connector,
            target: try target(asset, platform, connector, trust, gateway), worker: worker,
            source: try account.suFrom.map { try credential(of: $0) })
    }

    /// Nothing is begun in an organization that is switched off: it may be about to be deleted, with the keys of every secret that would be set.
    func requireOrganization() throws {
        let organization = try keys.verified(Organizations.get(warrant.organization, on: db))
        guard organization.isActive else { throw Stop(.skipped, .inactive, "The organization is switched off.") }
    }

    private func checkChange(_ account: Account, _ connector: any Connector, _ demands: Demands) throws {
        guard account.secretReset else { throw Stop(.skipped, .excluded) }
        guard connector.secretTypes.contains(account.secretType) else { throw Stop(.skipped, .secretType) }
        guard demands.allowsPrivileged || !Self.isGuarded(account) else {
            throw Stop(.skipped, .secureMode, "A privileged account is changed only when a person has confirmed it.")
        }
        if let open = try SecretChanges.of(account.id, in: account.organization, on: db) {
            throw Stop(.skipped, .changeOpen, "Change \(open.value.id) is open.")
        }
    }

    /// What no task changes by itself.
    static func isGuarded(_ account: Account) -> Bool {
        account.privileged || ["root", "administrator"].contains(account.username.lowercased())
    }

    private func target(
        _ asset: Asset, _ platform: Platform, _ connector: any Connector, _ trust: AssetTrust?, _ gateway: Gateway?
    ) throws -> Target {
        let policy = HostKeyPin.Policy(rawValue: trust?.policy ?? "") ?? .acceptNew
        return Target(
            asset: asset.id, type: platform.type, address: asset.address, port: try port(of: asset, connector),
            specific: asset.specific,
            hostKeys: HostKeyPin(policy: policy, fingerprints: trust?.hostKeys ?? []), gateway: gateway,
            stepLimit: parts.stepLimit, conversationLimit: parts.conversationLimit)
    }

    /// The port that the asset has for the connector's protocol. The usual one is taken only for an asset that names no protocol at all: behind
    /// another port there may be another server, which must not see the secret.
    private func port(of asset: Asset, _ connector: any Connector) throws -> Int {
        if let named = asset.protocols.first(where: { connector.protocolNames.contains($0.name) }) { return named.port }
        guard asset.protocols.isEmpty, let usual = connector.protocolNames.first.flatMap({ Platform.defaultPorts[$0] }) else {
            throw Stop(.skipped, .unsupported, "The asset has no port for \(connector.protocolNames.joined(separator: " or ")).")
        }
        return usual
    }

    /// The gateway of the asset's zone, ready to be logged in to. Where none can be used there is no way: nothing goes straight instead.
    private func gateway(to asset: Asset) throws -> Gateway? {
        var lookup = GatewayLookup(keys, db)
        switch try lookup.choice(for: asset) {
        case .direct: return nil
        case .blocked(let words): throw Stop(.skipped, .noGateway, words)
        case .through(let gateway):
            // While its own secret is being changed nobody knows which one it takes, and wrong ones would use up its logins.
            if gateway.account.stages.pending != nil {
                throw Stop(.skipped, .noGateway, "The secret of the gateway's account is being changed.")
            }
            return Gateway(
                asset: gateway.asset.id, address: gateway.asset.address, port: gateway.port,
                hostKeys: HostKeyPin(policy: .strict, fingerprints: gateway.hostKeys),
                credential: try credential(gateway.account))
        }
    }

    // MARK: - Who does the work

    private func workforce(
        for account: Account, on asset: Asset, _ platform: Platform, _ demands: Demands
    ) throws -> Ground.Workforce {
        guard let chosen = try chosenWorker(for: account, on: asset, demands), chosen.isActive, chosen.stages.current != nil
        else {
            throw Stop(.skipped, .noWorker)
        }
        let own = try credential(chosen)
        guard let source = chosen.suFrom, let login = try self.account(source, on: asset) else {
            let needsSudo = platform.category == .host && chosen.username != "root"
            return Ground.Workforce(
                account: chosen, login: chosen, worker: Worker(credential: own, power: needsSudo ? .sudo : .own))
        }
        return Ground.Workforce(account: chosen, login: login, worker: Worker(credential: try credential(login), power: .su(own)))
    }

    /// The named worker, or the first privileged account by name that is another one and has a secret. Nothing is picked at random.
    private func chosenWorker(for account: Account, on asset: Asset, _ demands: Demands) throws -> Account? {
        if let named = demands.worker {
            guard named != account.id else {
                throw Stop(.skipped, .secureMode, "The account that does the work is not changed by it.")
            }
            return try self.account(named, on: asset)
        }
        let all = try keys.verified(Accounts.all(of: asset.id, in: warrant.organization, on: db))
        return all.first { $0.privileged && $0.id != account.id && $0.isActive && $0.stages.current != nil }
    }

    /// One account of the asset by its id, whatever others it has; nil if it is not there.
    private func account(_ id: AccountID, on asset: Asset) throws -> Account? {
        guard let row = try Accounts.get(id, in: warrant.organization, on: db) else { return nil }
        let account = try keys.verified(row)
        return account.asset == asset.id ? account : nil
    }

    private func credential(of id: AccountID) throws -> TargetLogin {
        try credential(keys.verified(Accounts.get(id, in: warrant.organization, on: db)))
    }

    /// Of an account by which others are worked on: its logins are counted as they are made.
    private func credential(_ account: Account) throws -> TargetLogin {
        guard let current = account.stages.current else { throw Stop(.skipped, .noSecret, account.name) }
        let admission = CountedLogins.admission(to: account, by: TurnLedger(parts: parts, warrant: warrant))
        return try credential(current, of: account, named: account.username, admission)
    }

    /// A kept version as something to log in with.
    func credential(
        _ version: Int64, of account: Account, named username: String, _ admission: Admission = .always
    ) throws -> TargetLogin {
        let handoff = try parts.secrets.revealForChange(version: version, of: account, by: warrant, in: db)
        guard let secret = handoff.take() else { throw Stop(.failed, .noSecret) }
        return TargetLogin(username: username, secretType: account.secretType, secret: secret, admission: admission)
    }
}

/// A check that says no.
struct Stop: Error, Sendable {
    let outcome: RecordOutcome

    init(_ status: RecordOutcome.Status, _ reason: TurnReason, _ words: String = "", until: Timestamp? = nil) {
        outcome = RecordOutcome(status, reason, words: words, until: until)
    }

    init(_ outcome: RecordOutcome) { self.outcome = outcome }

    /// Whatever was thrown before anything was sent.
    init(_ error: any Error) {
        switch error {
        case let stop as Stop: self = stop
        case Refusal.notFound: self.init(.skipped, .notFound)
        case let refusal as Refusal: self.init(.failed, .notStored, refusal.code)
        default: self.init(.failed, .notStored, TurnFault(error).words)
        }
    }
}
