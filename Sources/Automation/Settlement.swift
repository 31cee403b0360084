internal import Access
package import Domain
internal import Logging
internal import Storage
internal import Synchronization

/// Goes on with every change that is open and due: at start-up or unsealing, and whenever one's pause is over.
package final class Settlement: Sendable {
    private let turning: SecretTurning
    private let principal: Principal
    /// Of the settlement alone: a slow host keeps no more than its own share of it.
    private let own: WorkSlots
    /// The limits that hold for all work on targets together.
    private let shared: WorkSlots?
    private let meter: AutomationMeter?
    /// Damaged changes of which this process has told.
    private let told = Mutex<Set<DamagedChange>>([])

    package static let usualWidth = 8
    /// Changes that one pass looks at, besides damaged ones.
    private static let most: Int64 = 256

    /// - Parameters:
    ///   - slots: what bounds the work on targets, shared with the executions.
    ///   - perHost: changes of one host at the same time.
    ///   - width: changes settled at the same time.
    package init(
        _ turning: SecretTurning, slots: WorkSlots? = nil, perHost: Int = 1, width: Int = Settlement.usualWidth,
        meter: AutomationMeter? = nil
    ) {
        self.turning = turning
        self.meter = meter
        shared = slots
        own = WorkSlots(WorkLimits(overall: width, perGateway: width, perHost: perHost))
        principal = .system("settlement", permissions: [.rotateAccount, .removeAccount])
    }

    /// Runs until its task is cancelled. A sealed vault is waited for.
    package func run(every interval: Duration = .seconds(5)) async {
        while !Task.isCancelled {
            do {
                _ = try await pass()
            } catch {
                turning.parts.logger.error("open changes cannot be settled", metadata: ["fault": "\(type(of: error))"])
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// Goes on once with everything that is due; returns what came of each.
    @discardableResult
    package func pass() async throws -> [TurnReport] {
        guard !turning.parts.keyring.isSealed else { return [] }
        let (due, damaged) = try await due()
        await tell(of: damaged)
        let reports = await withTaskGroup(of: TurnReport?.self) { group in
            for one in due { group.addTask { [self] in await own.run(at: one.place) { await settle(one) } } }
            return await group.reduce(into: [TurnReport]()) { reports, report in if let report { reports.append(report) } }
        }
        let ended = reports.filter { $0.outcome.status != .uncertain }
        guard let meter, !ended.isEmpty else { return reports }
        for report in ended { meter.countSettled(report.outcome.status) }
        meter.set(uncertain: try await turning.parts.database.read { db in try Records.uncertainAccounts(on: db) })
        return reports
    }

    private struct Due: Sendable {
        let change: OpenChange
        let place: WorkSlots.Place
    }

    /// What is due and is what was stored, and what is not: nothing is sent because of the latter.
    private func due() async throws -> ([Due], [DamagedChange]) {
        let parts = turning.parts
        let keys = try parts.keyring.keys()
        let (now, limit) = (parts.clock.now(), Self.most + Int64(told.withLock { $0.count }))
        return try await parts.database.read { db in
            var (due, damaged): ([Due], [DamagedChange]) = ([], [])
            var lookup = GatewayLookup(keys, db)
            for found in try SecretChanges.due(at: now, limit: limit, on: db) {
                switch found {
                case .failure(let damage): damaged.append(damage)
                case .success(let row):
                    guard let change = try? keys.verified(row) else {
                        damaged.append(DamagedChange(row.value))
                        continue
                    }
                    // Somebody is at it, and it waits for nobody: what has no pause looks due while it is under way.
                    if parts.active.isClaimed(change.account) { continue }
                    due.append(Due(change: change, place: Self.place(of: change, keys, &lookup, db)))
                }
            }
            return (due, damaged)
        }
    }

    /// For the limits alone: whoever does the work finds the way anew, and says what is wrong with it.
    private static func place(
        of change: OpenChange, _ keys: RowKeys, _ lookup: inout GatewayLookup, _ db: any SQLConnection
    ) -> WorkSlots.Place {
        let asset = try? keys.verified(Assets.get(change.asset, in: change.organization, on: db))
        let choice = asset.flatMap { try? lookup.choice(for: $0) }
        return WorkSlots.Place(host: asset?.address.lowercased() ?? "\(change.asset)", gateway: choice?.gateway?.asset.id)
    }

    private func settle(_ due: Due) async -> TurnReport? {
        guard let shared else { return await settle(due.change) }
        return await shared.run(at: due.place) { await settle(due.change) }
    }

    private func settle(_ change: OpenChange) async -> TurnReport? {
        if Task.isCancelled { return nil }
        // While this one waited for its turn it may have been ended or put off, and then nothing is announced.
        let now = turning.parts.clock.now()
        guard let change = await turning.still(change), change.memory.notBefore.map({ $0 <= now }) ?? true else { return nil }
        let report = await turning.settle(change, by: principal)
        // Somebody took it up in the meantime.
        return report.outcome.reason == .changeOpen ? nil : report
    }

    // MARK: - Damage

    /// Writes a change that cannot be gone on with down, once for each process; the others are settled all the same.
    private func tell(of damaged: [DamagedChange]) async {
        let new = told.withLock { told in
            told.formIntersection(damaged)
            return damaged.filter { !told.contains($0) }
        }
        for change in new {
            turning.parts.logger.error(
                "an open change is damaged: its account is left alone",
                metadata: ["change": "\(change.id.map(\.description) ?? "?")", "fault": "\(change.what)"])
            if await isWritten(change) { told.withLock { _ = $0.insert(change) } }
        }
    }

    /// By the gate, like any work on an account that fails for a row that is not what was stored. If that fails it is tried again.
    private func isWritten(_ change: DamagedChange) async -> Bool {
        var objects: [AuditObject] = []
        if let id = change.id { objects.append(AuditObject(kind: "change", id: id.description)) }
        if let account = change.account { objects.append(AuditObject(kind: "account", id: account.description)) }
        do {
            try await turning.parts.gate.view(
                .rotateAccount, as: principal, in: change.organization ?? .system,
                from: .internal(now: turning.parts.clock.now()), objects: objects
            ) { _ -> Gate.Outcome<Void> in throw Refusal.integrity("an open change is damaged: \(change.what)") }
        } catch Refusal.integrity {
            return true
        } catch {
            return false
        }
        return true
    }

    /// What is open, for metrics and alerts.
    package func figures() async throws -> (uncertain: Int64, since: Timestamp?) {
        let found = try await turning.parts.database.read { db in
            let found = try SecretChanges.uncertain(on: db)
            return [found.count, found.since?.milliseconds]
        }
        return (found[0] ?? 0, found[1].map { Timestamp(milliseconds: $0) })
    }

    /// Takes away what is remembered of logins of long ago.
    package func forgetOldLogins() async throws {
        let moment = turning.parts.clock.now().adding(seconds: -30 * 86_400)
        while try await turning.parts.database.write({ db in try LoginAttempts.delete(before: moment, on: db) }) > 0 {}
    }
}

extension DamagedChange {
    /// One that can be read and is not what was stored.
    init(_ change: OpenChange) {
        self.init(
            id: change.id, organization: change.organization, account: change.account, dateOpened: change.dateOpened,
            what: "its row does not authenticate")
    }
}
