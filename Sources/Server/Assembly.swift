package import API
package import Access
package import Audit
package import Automation
package import Connectors
package import Domain
package import HTTPServer
package import Logging
package import Notifications
package import Sealing
package import Storage
internal import Glibc
internal import Synchronization
internal import Vault

/// The composition root: opens what a server needs and puts it together, the same way in tests.
package final class Assembly: Sendable {
    package let layout: Installation.Layout
    package let directory: DataDirectory
    package let database: Database
    package let audit: AuditLog
    package let keyring: Keyring
    package let policies: PolicyStore
    package let usage = CredentialUses()
    package let settings = LiveSettings()
    package let backend: Backend
    package let automation: AutomationServices
    package let listener: Listener
    private let applications: ApplicationsAPI
    package let auditDatabase: Database
    package let health: Health
    package let operational: OperationalAnswers
    private let clock: WallClock
    private let logger: Logger
    private let settlement: IntentSettlement
    private let isSettled = Atomic(false)
    private let checkpointFile: String?
    /// When every row, assets and accounts too, was last counted; nil since the last unsealing.
    private let rowsCounted = Mutex<ContinuousClock.Instant?>(nil)

    /// Opens everything and binds the listener without starting it. Blocks.
    package init(_ options: AssemblyOptions, logger: Logger) throws {
        let clock = options.clock
        layout = options.layout
        checkpointFile = options.audit.checkpointFile
        self.clock = clock
        self.logger = logger
        directory = try DataDirectory.open(at: options.layout.data, reserve: options.diskReserve)
        // Opening makes what is not there, and an empty file in its place would look like a vault to whoever comes next.
        for path in [directory.database, directory.auditDatabase] where access(path, F_OK) != 0 {
            throw StorageFault.missing(path)
        }
        database = try Database.open(at: directory.database)
        try database.requireSchema(Migration.main)
        auditDatabase = try Database.open(at: directory.auditDatabase)
        try auditDatabase.requireSchema(Migration.audit)
        let reserve = directory.reserve
        var auditOptions = options.audit
        auditOptions.releaseReserve = { reserve.release() }
        auditOptions.clock = clock
        let audit = try AuditLog.open(auditDatabase, options: auditOptions, logger: logger)
        self.audit = audit
        settlement = IntentSettlement(
            audit: audit, database: database, clock: clock, lastBefore: audit.status.head.seq, started: clock.now())
        keyring = Keyring(database: database)
        policies = PolicyStore(database: database, keyring: keyring) { fault in
            logger.error("a policy was left out", metadata: ["fault": "\(fault)"])
            audit.appendSoon(
                Self.entry(AuditAction(rawValue: "policy.load"), .system("policies"), .failed, fault, at: clock.now()))
        }
        let keepsReserve = options.diskReserve > 0
        let gate = Gate(
            audit: audit, clock: clock,
            hasRoom: {
                if !keepsReserve || reserve.isHeld { return true }
                return (try? await Blocking.run { reserve.restore() }) ?? false
            },
            isMade: { [database] request in try await database.read { db in try ChangeMarks.exists(request, on: db) } })
        let logins = Logins(database: database, keyring: keyring, gate: gate, rules: options.logins, clock: clock)
        let addresses = ClientAddressRule(trustedProxies: options.trustedProxies, clock: clock)
        let taskSecrets = TaskSecrets(keyring: keyring)
        automation = AutomationServices(options, database, keyring, gate, settings, taskSecrets, logger)
        backend = Backend(
            database: database, keyring: RowKeeper(keyring: keyring), gate: gate, audit: audit, logins: logins,
            policies: policies,
            secrets: AccountSecrets(keyring: keyring), taskSecrets: taskSecrets,
            tasks: automation.desk, settings: settings, clock: clock, logger: logger)
        applications = try Self.applications(options, database, keyring, policies, audit, usage, addresses, settings)
        health = Health(
            directory: directory, hasReserve: options.diskReserve > 0, isSealed: { [keyring] in keyring.isSealed },
            audit: { [audit] in audit.status })
        operational = OperationalAnswers(health: health, metrics: options.metrics)
        let router = Router(Catalog.routes(backend, operational))
        let admin = MeteredHandler(
            AdminAPI(backend: backend, router: router, addresses: addresses, jsonDepth: options.jsonDepth), router: router)
        var listening = options.listener
        listening.limits.isExempt = { addresses.isTrusted($0) }
        listener = try Listener(
            configuration: listening,
            handler: Edge(applications: applications, admin: admin, logins: logins, limits: options.edge),
            logger: logger)
        applications.attach(listener)
    }

    private static func applications(
        _ options: AssemblyOptions, _ database: Database, _ keyring: Keyring, _ policies: PolicyStore, _ audit: AuditLog,
        _ usage: CredentialUses, _ addresses: ClientAddressRule, _ settings: LiveSettings
    ) throws -> ApplicationsAPI {
        let gate = try ApplicationGate(
            rules: options.signatures,
            replay: ReplayMemory(windowSeconds: options.signatures.windowSeconds, bounds: options.replay),
            limits: FetchLimits(options.rates),
            throttle: SignatureThrottle(failuresPerMinute: options.badSignaturesPerMinute),
            abandoned: AbandonedToAudit(audit: audit), started: options.clock.now())
        return try ApplicationsAPI(
            parts: ApplicationsAPI.Parts(
                gate: gate, policies: policies, audit: audit, usage: usage, addresses: addresses, meter: FetchMeter(),
                settings: settings, clock: options.clock), loops: options.listener.loops
        ) { try SecretFetch(reader: database.makeFetchReader(), keyring: keyring) }
    }

    // MARK: - Unsealing

    /// Opens the vault and takes up what was waiting for its keys. A vault that is open stays as it is, whatever is tried on it.
    package func unseal(with unsealer: any Unsealer, by actor: Actor) async throws {
        guard keyring.isSealed else { return }
        do {
            try await Blocking.run { [keyring] in try keyring.unseal(with: unsealer) }
            let keyring = keyring
            let key = try await database.read { db in try AuditKey.load(keyring: keyring, in: db) }
            try await Blocking.run { [auditDatabase, checkpointFile] in
                try RowGeneration.require(keyring, audit: auditDatabase, checkpointFile: checkpointFile, key: key)
            }
            rowsCounted.withLock { $0 = nil }
            try await SettingsResource.load(into: settings, database: database, keyring: RowKeeper(keyring: keyring))
            try await policies.reload()
            keyring.ledger.observe { [audit] in audit.note(rows: $0) }
            try await backend.logins.reloadLive()
            audit.setSigningKey(key)
            try await record(.unseal, actor, .granted, "")
        } catch {
            forgetKeys()
            try await record(.unseal, actor, .failed, "\(error)")
            throw error
        }
        guard !isSettled.load(ordering: .acquiring) else { return }
        try await settlement.run()
        isSettled.store(true, ordering: .releasing)
    }

    /// Forgets the keys and everything opened with them, even if the audit cannot be written: sealing is what one does in an emergency.
    /// Throws afterwards where it was not written down.
    package func seal(by actor: Actor) async throws {
        // Nothing is served from here on; the signing key goes last, so that the entry is signed too.
        keyring.seal()
        policies.clear()
        backend.logins.forgetLive()
        defer { audit.clearSigningKey() }
        try await record(.seal, actor, .granted, "")
        try await audit.settle()
    }

    /// Counts the rows and seals the vault if they are not the newest: now and then, since whoever can write the files can do it any time.
    ///
    /// - Parameter interval: how often assets and accounts are counted too, which takes seconds where there are very many.
    package func checkRows(everythingEvery interval: Duration = .seconds(86_400)) async throws {
        guard !keyring.isSealed else { return }
        let isAll = rowsCounted.withLock { last in last.map { ContinuousClock.now - $0 >= interval } ?? true }
        do {
            try await Blocking.run { [keyring] in try keyring.checkRows(isAll ? .all : .small) }
            if isAll { rowsCounted.withLock { $0 = .now } }
        } catch SealingFault.rowLedger(let what) {
            logger.critical("the rows are not the newest: the vault is sealed", metadata: ["fault": "\(what)"])
            let actor = Actor.system("rows")
            keyring.seal()
            try? await record(AuditAction(rawValue: "vault.check-rows"), actor, .failed, what)
            try await seal(by: actor)
        }
    }

    private func forgetKeys() {
        // The keys first: a policy that is being built at this moment is kept only while there are keys.
        keyring.seal()
        policies.clear()
        backend.logins.forgetLive()
        audit.clearSigningKey()
    }

    private func record(_ action: AuditAction, _ actor: Actor, _ outcome: AuditOutcome, _ reason: String) async throws {
        try await audit.append(Self.entry(action, actor, outcome, reason, at: clock.now()))
    }

    private static func entry(
        _ action: AuditAction, _ actor: Actor, _ outcome: AuditOutcome, _ reason: String, at time: Timestamp
    ) -> AuditEntry {
        AuditEntry(
            time: time, actor: actor, address: "", organization: nil, action: action, outcome: outcome, reason: reason,
            request: .random())
    }

    /// Ends everything in order. Blocks; after the listener has been drained.
    package func close() {
        listener.stop()
        applications.detach()
        audit.close()
        auditDatabase.close()
        database.close()
        keyring.seal()
        directory.unlock()
    }
}

/// What an assembly is made from.
package struct AssemblyOptions: Sendable {
    package var layout: Installation.Layout
    package var listener: ListenerConfiguration
    package var edge = Edge.Limits()
    package var signatures = ApplicationGate.Rules()
    package var replay = ReplayMemory.Bounds()
    package var rates = FetchLimits.Rates()
    package var audit = AuditOptions()
    package var logins = Logins.Rules()
    /// Bad signatures from one address in a minute before it is slowed down.
    package var badSignaturesPerMinute = 60
    /// The greatest nesting of an administrator's JSON body.
    package var jsonDepth = 16
    package var trustedProxies = AddressPolicy.nowhere
    /// Bytes on the disk that are kept back for what must still be written when it is full.
    package var diskReserve: Int64 = 16 << 20
    /// Where the numbers are kept that `/metrics` shows.
    package var metrics = MetricRegistry()
    package var clock = WallClock.system
    /// What does the work on targets, how much of it at the same time, and how.
    package var connectors = Catalog.connectors
    package var limits = WorkLimits()
    package var turns = Turns()
    /// By which ways is told what happened.
    package var channels: [any Channel] = []

    package init(layout: Installation.Layout, listener: ListenerConfiguration) {
        self.layout = layout
        self.listener = listener
        audit.checkpointFile = layout.checkpoints
    }
}

/// Writes down fetch permits that were dropped.
private struct AbandonedToAudit: AbandonedFetches {
    let audit: AuditLog

    func append(_ entry: AuditEntry) { audit.appendSoon(entry) }
}
