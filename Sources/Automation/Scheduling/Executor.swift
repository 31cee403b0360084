internal import Access
package import Domain
internal import Logging
internal import Storage
internal import Synchronization

/// Carries executions out: takes those that are waiting, a bounded number at a time, and stops those that somebody cancels.
///
/// What a crash left running is closed first, and the accounts that it was about are settled.
package final class Executor: Sendable {
    private let parts: AutomationParts
    private let state = Mutex(State())
    private let arrivals: AsyncStream<Waiting>
    private let announce: AsyncStream<Waiting>.Continuation

    private struct Waiting: Sendable {
        let id: ExecutionID
        let organization: OrganizationID
    }

    private struct State {
        /// Waiting or running here.
        var known: Set<ExecutionID> = []
        var canceled: Set<ExecutionID> = []
        var isStopping = false
    }

    package init(_ parts: AutomationParts) {
        self.parts = parts
        (arrivals, announce) = AsyncStream.makeStream()
    }

    /// Has a stored execution carried out as soon as there is room.
    package func submit(_ id: ExecutionID, in organization: OrganizationID) {
        let isNew = state.withLock { $0.known.insert(id).inserted }
        if isNew { announce.yield(Waiting(id: id, organization: organization)) }
    }

    /// Stops an execution: accounts that were not begun are left alone, those under way are finished, so that nothing is half known.
    ///
    /// False where it is not here: its row alone says how it stands.
    package func cancel(_ id: ExecutionID) -> Bool {
        state.withLock { state in
            guard state.known.contains(id) else { return false }
            state.canceled.insert(id)
            return true
        }
    }

    /// Until it is cancelled; what is under way then is finished.
    package func run() async throws {
        try await recover()
        // Cancelling the task ends the taking of more, and not the work that was begun.
        await withDiscardingTaskGroup { group in
            let executions = WorkSlots(WorkLimits(overall: parts.limits.executions, perHost: .max))
            for await next in arrivals {
                group.addTask {
                    await executions.run(at: WorkSlots.Place(host: "")) { await self.carryOut(next) }
                }
            }
            // No account is begun any more; those under way are finished.
            state.withLock { $0.isStopping = true }
        }
    }

    private func carryOut(_ next: Waiting) async {
        let halt: @Sendable () -> ExecutionRun.Halt? = { [self] in
            state.withLock { $0.canceled.contains(next.id) ? .canceled : $0.isStopping ? .stopping : nil }
        }
        let run = ExecutionRun(parts: parts, slots: parts.slots, id: next.id, organization: next.organization, halt: halt)
        var rest = await run.run()
        while case .waiting = rest, await mayBegin() { rest = await run.run() }
        if case .ended(let reason) = rest { await clearUp(next, reason) }
        state.withLock { state in
            state.known.remove(next.id)
            state.canceled.remove(next.id)
        }
    }

    /// Waits until what kept an execution from being begun may have passed; false where the server stops, which leaves it to the next start.
    private func mayBegin() async -> Bool {
        do {
            repeat {
                try await parts.pause.sleep(parts.keys.isSealed ? .seconds(1) : .seconds(5))
            } while parts.keys.isSealed && !state.withLock { $0.isStopping }
        } catch {
            return false
        }
        return !state.withLock { $0.isStopping }
    }

    /// Closes what could not be closed when its work ended, since the vault was sealed or the disk full meanwhile: its task would not run
    /// again before the next start of the server, and its records would not be settled.
    private func clearUp(_ next: Waiting, _ reason: String?) async {
        while !state.withLock({ $0.isStopping }) {
            do {
                guard !parts.keys.isSealed else {
                    try await parts.pause.sleep(.seconds(1))
                    continue
                }
                let keys = try parts.keys.keys()
                let execution = try await parts.database.read { db in
                    try keys.verified(Executions.get(next.id, in: next.organization, on: db))
                }
                guard execution.status.isOpen else { return }
                return try await Interruption(parts: parts, slots: parts.slots, execution: execution).settle(because: reason)
            } catch is CancellationError {
                return
            } catch {
                // Sealed once more in the middle, it is tried again; what else there may be is the next start's.
                if parts.keys.isSealed { continue }
                parts.logger.error(
                    "an execution was not closed", metadata: ["execution": "\(next.id)", "fault": "\(error)"])
                guard Interruption.isPassing(error) else { return }
                do { try await parts.pause.sleep(.seconds(5)) } catch { return }
            }
        }
    }

    // MARK: - After a crash

    /// Closes what the last run of the server left running, and takes up what was still waiting.
    private func recover() async throws {
        while parts.keys.isSealed { try await parts.pause.sleep(.seconds(1)) }
        for row in try await parts.database.read({ db in try Executions.open(limit: 100_000, on: db) }) {
            guard let row = readable(row, "execution"), !state.withLock({ $0.known.contains(row.value.id) }) else { continue }
            do {
                let execution = try parts.keys.keys().verified(row)
                if execution.status == .pending {
                    submit(execution.id, in: execution.organization)
                } else {
                    try await Interruption(parts: parts, slots: parts.slots, execution: execution).settle()
                }
            } catch {
                parts.logger.error(
                    "an interrupted execution was not settled", metadata: ["execution": "\(row.value.id)", "fault": "\(error)"])
                // It is not waited for here, so that the others are taken up.
                if Interruption.isPassing(error) { submit(row.value.id, in: row.value.organization) }
            }
        }
        try await recoverRecords()
    }

    private func readable<Row>(_ row: FoundRow<Row>, _ what: String) -> Row? {
        switch row {
        case .success(let row): return row
        case .failure(let damaged):
            DamageLog(parts.logger).tell(what, damaged.name, damaged.what)
            return nil
        }
    }

    /// Settles what was begun in executions that have ended since: on a full disk the work was done and could not be written down.
    private func recoverRecords() async throws {
        var last: [UInt8]?
        repeat {
            let after = last
            let page = try await parts.database.read { db in try Records.leftOpen(after: after, limit: 500, on: db) }
            let rows = page.rows.compactMap { readable($0, "record") }
            for (place, rows) in Dictionary(grouping: rows, by: { RecordPlace($0.value) }) {
                do {
                    let keys = try parts.keys.keys()
                    let execution = try await parts.database.read { db in
                        try keys.verified(Executions.get(place.execution, in: place.organization, on: db))
                    }
                    await Interruption(parts: parts, slots: parts.slots, execution: execution).settle(rows, keys)
                } catch {
                    parts.logger.error(
                        "records that were left open were not settled",
                        metadata: ["execution": "\(place.execution)", "fault": "\(error)"])
                }
            }
            last = page.next
        } while last != nil
    }

    private struct RecordPlace: Hashable {
        let execution: ExecutionID
        let organization: OrganizationID

        init(_ record: Record) {
            execution = record.execution
            organization = record.organization
        }
    }
}
