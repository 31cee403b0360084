internal import Access
package import Domain
internal import Logging
internal import Storage
internal import Synchronization

/// Goes on with every change that is open and due: at start-up or unsealing, and whenever one's pause is over.
///
/// Each asset with something due has a lane, in which its changes are taken up one after the other as long as there are any. So what is new is
/// seen whatever is under way, and a host that does not answer keeps back its own changes and no others: after each change its lane lines
/// up anew, behind those of the others.
package final class Settlement: Sendable {
    private let turning: SecretTurning
    private let principal: Principal
    /// The limits that hold for all work on targets together.
    private let slots: WorkSlots
    /// What settling may have of them.
    private let portion: WorkSlots.Portion
    /// The same for changes that were tried before, so that many of those leave room for new ones.
    private let further: WorkSlots.Portion
    private let lanesOfAsset: Int
    private let meter: AutomationMeter?
    /// Damaged changes of which this process has told.
    private let told = Mutex<Set<DamagedChange>>([])
    private let lanes = Mutex<[AssetID: Lanes]>([:])
    /// Whether something ended since the meter was set.
    private let hasEnded = Mutex(false)

    package static let usualWidth = 8
    /// Changes that one look at an asset sees, besides those that it has seen.
    private static let most: Int64 = 64

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
        self.slots = slots ?? WorkSlots(WorkLimits(overall: width, perGateway: width, perHost: perHost))
        portion = WorkSlots.Portion("settlement", width: width)
        further = WorkSlots.Portion("settlement again", width: width * 3 / 4)
        // However many a host may have, one that is slow has no more than its own share of the width.
        lanesOfAsset = max(1, min(perHost, width / 2))
        principal = .system("settlement", permissions: [.rotateAccount, .removeAccount])
    }

    /// Runs until its task is cancelled; what is under way then comes to its end. A sealed vault is waited for.
    package func run(every interval: Duration = .seconds(5)) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    for lane in try await opened() { group.addTask { [self] in await walk(lane) } }
                    try await measure()
                } catch {
                    turning.parts.logger.error("open changes cannot be settled", metadata: ["fault": "\(type(of: error))"])
                }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }

    /// Goes on once with everything that is due; returns what came of each.
    @discardableResult
    package func pass() async throws -> [TurnReport] {
        let heard = Heard()
        let lanes = try await opened()
        await withTaskGroup(of: Void.self) { group in
            for lane in lanes { group.addTask { [self] in await walk(lane, heard) } }
        }
        try await measure()
        return heard.reports.withLock { $0 }
    }

    /// What came of a pass.
    private final class Heard: Sendable {
        let reports = Mutex<[TurnReport]>([])
    }

    private func measure() async throws {
        guard let meter, hasEnded.withLock({ $0 }) else { return }
        hasEnded.withLock { $0 = false }
        meter.set(uncertain: try await turning.parts.database.read { db in try Records.uncertainAccounts(on: db) })
    }

    // MARK: - Lanes

    /// The lanes of one asset.
    private final class Lanes: Sendable {
        let asset: AssetID
        /// A change as it was when it was taken up.
        struct Seen: Hashable, Sendable {
            let id: ChangeID
            let date: Timestamp
        }

        /// How many are walked, and what was taken up in them: what could not even be written down then is not taken up again at once.
        let state: Mutex<(count: Int, seen: Set<Seen>)>

        init(_ asset: AssetID, count: Int) {
            self.asset = asset
            state = Mutex((count, []))
        }
    }

    /// Lanes for assets that have none and have something due; each is to be walked.
    private func opened() async throws -> [Lanes] {
        guard !turning.parts.keyring.isSealed else { return [] }
        let now = turning.parts.clock.now()
        let due = try await turning.parts.database.read { db in try SecretChanges.assetsDue(at: now, on: db) }
        if due.contains(nil) { try await tellOfPlaceless(now) }
        let new = lanes.withLock { lanes in
            due.compactMap { $0 }.filter { lanes[$0] == nil }.map { asset in
                let opened = Lanes(asset, count: lanesOfAsset)
                lanes[asset] = opened
                return opened
            }
        }
        return new.flatMap { Array(repeating: $0, count: lanesOfAsset) }
    }

    private func walk(_ lane: Lanes, _ heard: Heard? = nil) async {
        do {
            while !Task.isCancelled, let due = try await next(of: lane) {
                let portions = due.change.memory.rounds > 1 ? [portion, further] : [portion]
                let report = await slots.run(at: due.place, within: portions) { await settle(due.change) }
                guard let report else { continue }
                if report.outcome.status != .uncertain {
                    meter?.countSettled(report.outcome.status)
                    hasEnded.withLock { $0 = true }
                }
                heard?.reports.withLock { $0.append(report) }
            }
        } catch {
            turning.parts.logger.error("open changes cannot be settled", metadata: ["fault": "\(type(of: error))"])
        }
        let isLast = lane.state.withLock { state in
            state.count -= 1
            return state.count == 0
        }
        if isLast { lanes.withLock { $0[lane.asset] = nil } }
    }

    private struct Due: Sendable {
        let change: OpenChange
        let place: WorkSlots.Place
    }

    /// The next change of the asset that is due, was not taken up yet and is what was stored: nothing is sent because of one that is not.
    private func next(of lane: Lanes) async throws -> Due? {
        let parts = turning.parts
        guard !parts.keyring.isSealed else { return nil }
        let keys = try parts.keyring.keys()
        let (now, seen) = (parts.clock.now(), lane.state.withLock { $0.seen.count })
        let limit = Self.most + Int64(seen + told.withLock { $0.count })
        let (due, damaged) = try await parts.database.read { db in
            var (due, damaged): ([Due], [DamagedChange]) = ([], [])
            var lookup = GatewayLookup(keys, db)
            for found in try SecretChanges.due(on: lane.asset, at: now, limit: limit, on: db) {
                switch found {
                case .failure(let damage): damaged.append(damage)
                case .success(let row):
                    guard let change = try? keys.verified(row) else {
                        damaged.append(DamagedChange(row.value))
                        continue
                    }
                    // Somebody is at it, and it waits for nobody: what has no pause looks due while it is under way.
                    if parts.active.isClaimed(change.account) { continue }
                    let isNew = lane.state.withLock { state in
                        if state.seen.count > 1000 { state.seen.removeAll() }
                        return state.seen.insert(Lanes.Seen(id: change.id, date: change.dateUpdated)).inserted
                    }
                    guard isNew else { continue }
                    due.append(Due(change: change, place: Self.place(of: change, keys, &lookup, db)))
                    return (due, damaged)
                }
            }
            return (due, damaged)
        }
        await tell(of: damaged)
        return due.first
    }

    /// For the limits alone: whoever does the work finds the way anew, and says what is wrong with it.
    private static func place(
        of change: OpenChange, _ keys: RowKeys, _ lookup: inout GatewayLookup, _ db: any SQLConnection
    ) -> WorkSlots.Place {
        let asset = try? keys.verified(Assets.get(change.asset, in: change.organization, on: db))
        let choice = asset.flatMap { try? lookup.choice(for: $0) }
        return WorkSlots.Place(host: asset?.address.lowercased() ?? "\(change.asset)", gateway: choice?.gateway?.asset.id)
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

    /// Of changes that say of no asset that they are of it: no lane leads there.
    private func tellOfPlaceless(_ now: Timestamp) async throws {
        let limit = Self.most + Int64(told.withLock { $0.count })
        let found = try await turning.parts.database.read { db in try SecretChanges.due(at: now, limit: limit, on: db) }
        await tell(
            of: found.compactMap { one in
                if case .failure(let damage) = one { damage } else { nil }
            })
    }

    /// Writes a change that cannot be gone on with down, once for each process; the others are settled all the same.
    private func tell(of damaged: [DamagedChange]) async {
        for change in damaged where told.withLock({ $0.insert(change).inserted }) {
            turning.parts.logger.error(
                "an open change is damaged: its account is left alone",
                metadata: ["change": "\(change.id.map(\.description) ?? "?")", "fault": "\(change.what)"])
            if await !isWritten(change) { told.withLock { _ = $0.remove(change) } }
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
