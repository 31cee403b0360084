internal import Access
internal import Domain
internal import Logging
internal import Storage

/// One execution from its plan to its end: every account once, as many at a time as the limits allow.
struct ExecutionRun: Sendable {
    let parts: AutomationParts
    let slots: WorkSlots
    let id: ExecutionID
    let organization: OrganizationID
    /// Why no more is begun; nil as long as it goes on.
    let halt: @Sendable () -> Halt?

    enum Halt: Sendable {
        /// Somebody canceled it.
        case canceled
        /// The server stops.
        case stopping
    }

    /// Records that one transaction writes.
    private static let chunk = 200

    /// How a run is left.
    enum Rest: Sendable {
        /// Its work has ended. Where it is still open some of its records are, for the reason given.
        case ended(String?)
        /// It could not be begun, for something that passes: it waits as before.
        case waiting
    }

    func run() async -> Rest {
        do {
            guard let execution = try await begin() else { return .ended(nil) }
            return .ended(await carryOut(execution))
        } catch  where Interruption.isPassing(error) {
            return .waiting
        } catch {
            return .ended(await failed(error))
        }
    }

    private func carryOut(_ execution: Execution) async -> String? {
        do {
            let works = try await enter(execution)
            await perform(works, of: execution)
            return try await finish(execution) ? nil : "What became of some accounts could not be written down at once."
        } catch {
            return await failed(error)
        }
    }

    private func failed(_ error: any Error) async -> String? {
        parts.logger.error("an execution failed", metadata: ["execution": "\(id)", "fault": "\(type(of: error))"])
        return await abandon(Self.words(error))
    }

    // MARK: - Beginning

    /// Marks it as running; nil where it is not waiting any more. One that the server has no time for waits for its next start.
    private func begin() async throws -> Execution? {
        let halt = halt()
        if halt == .stopping { return nil }
        let (organization, id, now, isCanceled) = (organization, id, parts.clock.now(), halt == .canceled)
        let keys = try parts.keys.keys()
        return try await parts.database.write { db in
            var execution = try keys.verified(Executions.get(id, in: organization, on: db))
            guard execution.status == .pending else { return nil }
            execution.status = isCanceled ? .canceled : .running
            execution.dateStart = now
            if isCanceled { execution.dateFinished = now }
            _ = try Executions.update(keys.authenticated(execution), on: db)
            return isCanceled ? nil : execution
        }
    }

    /// A piece of work with the record that tells of it.
    private struct Entered: Sendable {
        let work: PlannedWork
        let record: RecordID
    }

    /// Plans, and writes a record for each account; what the plan refuses is done with at once.
    private func enter(_ execution: Execution) async throws -> [Entered] {
        let keys = try parts.keys.keys()
        let scope = TaskScope(execution.order, in: organization, abilities: parts.abilities)
        let plan = try await parts.database.read { db in try scope.plan(with: keys, on: db) }
        let now = parts.clock.now()
        let entered = plan.works.map { Entered(work: $0, record: .random()) }
        // The keys anew for each: while many records are written they may be replaced, and rows with a code of the former ones are damaged.
        try await parts.database.writeInChunks(of: entered, limit: Self.chunk) { [parts] db, entry in
            try Records.insert(parts.keys.keys().authenticated(Self.record(entry, of: execution, at: now)), on: db)
        }
        let refused = Int64(plan.works.count - plan.ready)
        let (organization, id) = (organization, id)
        try await parts.database.write { [parts] db in
            let keys = try parts.keys.keys()
            var running = try keys.verified(Executions.get(id, in: organization, on: db))
            running.progress = Execution.Progress(total: Int64(plan.works.count), done: refused)
            _ = try Executions.update(keys.authenticated(running), on: db)
        }
        for _ in 0..<refused { parts.meter.count(execution.kind, .skipped) }
        return entered.filter { $0.work.refusal == nil }
    }

    private static func record(_ entry: Entered, of execution: Execution, at now: Timestamp) -> Record {
        let work = entry.work
        return Record(
            id: entry.record, organization: execution.organization, execution: execution.id, kind: execution.kind,
            asset: work.asset, assetName: work.assetName, account: work.account, username: work.username,
            secretType: work.secretType, status: work.refusal == nil ? .pending : .skipped, reason: work.refusal,
            dateCreated: now, dateFinished: work.refusal == nil ? nil : now)
    }

    // MARK: - Working

    private func perform(_ works: [Entered], of execution: Execution) async {
        // No more tasks than can be under way, so that memory does not grow with the number of accounts.
        let width = parts.limits.overall
        await withTaskGroup(of: Void.self) { group in
            for (place, entry) in works.enumerated() {
                if place >= width { await group.next() }
                group.addTask { await perform(entry, of: execution) }
            }
        }
    }

    private func perform(_ entry: Entered, of execution: Execution) async {
        let order = parts.order(for: entry.work, record: entry.record, of: execution)
        let account = AccountEntry(parts: parts, order: order, objects: parts.objects(of: entry.work, in: execution))
        await slots.run(at: WorkSlots.Place(host: entry.work.host, gateway: entry.work.gateway)) {
            let start = Stopwatch.started
            do {
                switch halt() {
                case .canceled: try await account.close(with: WorkReport(.skipped, reason: .canceled))
                case .stopping: try await account.close(with: WorkReport(.skipped, reason: .interrupted))
                case nil: try await work(account, of: execution)
                }
            } catch {
                // What was begun stays open in its record, and is settled before the execution ends.
                parts.logger.error(
                    "an account's work failed", metadata: ["record": "\(order.record)", "fault": "\(type(of: error))"])
            }
            parts.meter.measure(execution.kind, since: start)
        }
    }

    /// Enters by the gate like everybody else, so that each account stands in the audit by its name.
    private func work(_ account: AccountEntry, of execution: Execution) async throws {
        try await start(account.order)
        try await account.enter(as: execution.author.actor) { await parts.work.perform(account.order, by: $0) }
    }

    /// From here on a crash leaves work that has to be settled.
    private func start(_ order: WorkOrder) async throws {
        let (organization, now) = (organization, parts.clock.now())
        let keys = try parts.keys.keys()
        try await parts.database.write { db in
            var record = try keys.verified(Records.get(order.record, in: organization, on: db))
            record.dateStart = now
            _ = try Records.update(keys.authenticated(record), on: db)
        }
    }

    // MARK: - Ending

    private func finish(_ execution: Execution) async throws -> Bool {
        let ending = ExecutionEnding(parts: parts, execution: execution.id, organization: organization)
        return switch halt() {
        case .canceled: try await ending.finish(canceled: "")
        case .stopping: try await ending.finish(canceled: Record.Reason.interrupted.words)
        case nil: try await ending.finish(canceled: nil)
        }
    }

    /// The reason, where records keep it open.
    private func abandon(_ reason: String) async -> String? {
        do {
            let ending = ExecutionEnding(parts: parts, execution: id, organization: organization)
            return try await ending.abandon(reason) ? nil : reason
        } catch {
            parts.logger.error("an execution was not closed", metadata: ["execution": "\(id)", "fault": "\(error)"])
            return nil
        }
    }

    /// Only what is safe to show.
    private static func words(_ error: any Error) -> String {
        (error as? Refusal)?.auditReason ?? "\(type(of: error))"
    }
}
