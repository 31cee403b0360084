package import Domain
internal import Access
internal import Logging
internal import Storage

/// Starts tasks when their time has come. Rows say what is due, so that nothing is forgotten in a restart.
package struct Scheduler: Sendable {
    private let parts: AutomationParts
    private let submit: @Sendable (ExecutionID, OrganizationID) -> Void
    private let damage: DamageLog
    private let setbacks = Setbacks()

    /// Tasks that one transaction starts, and one entry of the audit names.
    private static let chunk = 64
    /// Chunks at the same time, so that their entries share the audit's commits.
    private static let width = 16
    /// Due tasks that are read at once, while those before them are being started.
    private static let page: Int64 = 512

    /// - Parameter submit: has a stored execution carried out.
    package init(_ parts: AutomationParts, submit: @escaping @Sendable (ExecutionID, OrganizationID) -> Void) {
        self.parts = parts
        self.submit = submit
        damage = DamageLog(parts.logger)
    }

    /// Until it is cancelled. A failure is logged, and the next look comes all the same.
    package func run() async throws {
        var reviewed: Timestamp?
        while !Task.isCancelled {
            if !parts.keys.isSealed {
                do {
                    let now = parts.clock.now()
                    // Also when the clock was put back: what was planned by a clock that was ahead is to be planned anew.
                    if reviewed.map({ now < $0 || now >= $0.adding(seconds: 60) }) ?? true {
                        try await review()
                        reviewed = parts.clock.now()
                    }
                    try await startDue()
                } catch {
                    parts.logger.error("scheduling failed", metadata: ["fault": "\(error)"])
                }
            }
            try await parts.pause.sleep(await untilNextLook())
        }
    }

    /// A second, so that changed tasks are seen, or less where a run begins before.
    private func untilNextLook() async -> Duration {
        let begin = try? await parts.database.read { db in try TaskStates.nextBegin(on: db) }
        guard let begin = begin.flatMap({ $0 }) else { return .seconds(1) }
        let (now, begins) = (parts.clock.now().milliseconds, begin.milliseconds)
        return begins > now && begins - now < 1000 ? .milliseconds(begins - now) : .seconds(1)
    }

    // MARK: - Starting what is due

    private typealias Found = (task: Authenticated<AutomationTask>, state: TaskState)
    private typealias Page = FoundPage<Found, AutomationTasks.DuePlace>

    private struct Due: Sendable {
        let task: AutomationTask
        /// The code that its row was verified by.
        let code: [UInt8]
    }

    /// Starts every task whose time has come, and returns how many executions that made. Each is looked at once: one that is still running
    /// stays due, and waits for the next look. What cannot be started, or read, keeps none of the others from it.
    @discardableResult
    package func startDue() async throws -> Int {
        let now = parts.clock.now()
        return try await withThrowingTaskGroup(of: Int.self) { group in
            var (started, underWay) = (0, 0)
            var place: AutomationTasks.DuePlace?
            repeat {
                let last = place
                let page: Page = try await parts.database.read { db in
                    try AutomationTasks.due(at: now, after: last, limit: Self.page, on: db)
                }
                for (organization, found) in Self.chunks(of: readable(page.rows)) {
                    if underWay >= Self.width, let count = try await group.next() {
                        (started, underWay) = (started + count, underWay - 1)
                    }
                    group.addTask { try await startOrTell(found, in: organization, at: now) }
                    underWay += 1
                }
                place = page.next
            } while place != nil
            for try await count in group { started += count }
            return started
        }
    }

    private func readable<Row>(_ rows: [FoundRow<Row>]) -> [Row] {
        rows.compactMap { row in
            switch row {
            case .success(let row): return row
            case .failure(let damaged):
                damage.tell("task", damaged.name, damaged.what)
                return nil
            }
        }
    }

    private static func chunks(of page: [Found]) -> [(organization: OrganizationID, found: [Found])] {
        Dictionary(grouping: page) { $0.task.value.organization }.flatMap { organization, found in
            stride(from: 0, to: found.count, by: chunk).map {
                (organization: organization, found: Array(found[$0..<min(found.count, $0 + chunk)]))
            }
        }
    }

    /// What fails is tried again at the next look.
    private func startOrTell(_ found: [Found], in organization: OrganizationID, at now: Timestamp) async throws -> Int {
        do {
            return try await start(found, in: organization, at: now)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            parts.logger.error(
                "due tasks were not started, or not written down as started",
                metadata: ["tasks": "\(found.count)", "fault": "\(error)"])
            return 0
        }
    }

    /// One act of the scheduler: by the same door as everybody, under its own name.
    private func start(_ found: [Found], in organization: OrganizationID, at now: Timestamp) async throws -> Int {
        let due = try verified(found).filter { setbacks.allow($0.task.id, at: now) }
        if due.isEmpty { return 0 }
        let objects = due.map { AuditObject(kind: "automation", id: $0.task.id.description, name: $0.task.name) }
        let principal = Principal.system("scheduler", permissions: [.runAutomation])
        let executions = try await parts.gate.change(
            .runAutomation, as: principal, in: organization, from: .internal(now: now), objects: objects
        ) { permit in
            let executions = try await start(due, by: permit.warrant(), at: now)
            // They are stored, and so they are carried out, whether or not the outcome can be written down.
            for id in executions { submit(id, organization) }
            return .init(executions, objects: objects, reason: "started \(executions.count) of \(due.count)")
        }
        return executions.count
    }

    /// Those whose rows authenticate.
    private func verified(_ found: [Found]) throws -> [Due] {
        let keys = try parts.keys.keys()
        return found.compactMap { row in
            do {
                return Due(task: try keys.verified(row.task), code: row.task.mac)
            } catch {
                damage.tell("task", "\(row.task.value.id)", "its row does not authenticate")
                return nil
            }
        }
    }

    private func start(_ due: [Due], by warrant: Warrant, at now: Timestamp) async throws -> [ExecutionID] {
        let (keys, agenda) = (try parts.keys.keys(), parts.agenda)
        // Made before the transaction, so that other writers do not wait for it.
        let works = try due.map { one in
            (
                due: one,
                execution: try keys.authenticated(ExecutionStart.prepared(one.task, trigger: .timing, by: warrant, at: now))
            )
        }
        do {
            return try await store(works, agenda, warrant, now)
        } catch let fault as StorageFault where fault.isOfOneRow {
            return try await storeEach(works, agenda, warrant, now)
        }
    }

    private typealias Prepared = (due: Due, execution: Authenticated<Execution>)

    private func store(
        _ works: [Prepared], _ agenda: Agenda, _ warrant: Warrant, _ now: Timestamp
    ) async throws -> [ExecutionID] {
        try await parts.database.write { db in
            var started: [ExecutionID] = []
            for work in works where try Self.start(work.due, as: work.execution, at: now, agenda, db) {
                started.append(work.execution.value.id)
            }
            try ChangeMarks.insert(warrant.origin.request, at: now, on: db)
            return started
        }
    }

    /// One of them cannot be stored, or read: the others do not wait for it.
    private func storeEach(
        _ works: [Prepared], _ agenda: Agenda, _ warrant: Warrant, _ now: Timestamp
    ) async throws -> [ExecutionID] {
        var started: [ExecutionID] = []
        for work in works {
            do {
                started += try await store([work], agenda, warrant, now)
            } catch let fault as StorageFault where fault.isOfOneRow {
                parts.logger.error(
                    "a due task was not started", metadata: ["task": "\(work.due.task.id)", "fault": "\(fault)"])
                setbacks.note(work.due.task.id, at: now)
            }
        }
        return started
    }

    /// Starts one task and plans its next run. One that is still running stays due, unless it leaves what it missed.
    private static func start(
        _ due: Due, as execution: Authenticated<Execution>, at now: Timestamp, _ agenda: Agenda, _ db: any SQLConnection
    ) throws -> Bool {
        let task = due.task
        // Somebody may have changed it since; then the next look finds it as it is by then.
        guard let standing = try AutomationTasks.standing(of: task.id, in: task.organization, on: db), standing.code == due.code,
            let begins = standing.state.begins, begins <= now
        else { return false }
        guard task.isActive, let schedule = task.timing.schedule else {
            try TaskStates.put(agenda.planned(task, standing.state, after: now), on: db)
            return false
        }
        if standing.isRunning, schedule.missed == .catchUp { return false }
        // However many runs were missed, what comes next is the first after now.
        var next = agenda.planned(task, standing.state, after: now)
        guard !standing.isRunning, schedule.decision(for: begins, at: now) == .run else {
            try TaskStates.put(next, on: db)
            return false
        }
        try Executions.insert(execution, on: db)
        next.lastRun = now
        next.lastExecution = execution.value.id
        try TaskStates.put(next, on: db)
        return true
    }
}

// MARK: - Reviewing

extension Scheduler {
    /// Looks through all periodic tasks: plans those without a next run or with another one than their schedule says (a zone's rules have
    /// changed, a state was lost), and counts what is overdue, what is damaged and what is in doubt. Executions that wait are carried out.
    package func review() async throws {
        let now = parts.clock.now()
        let keys = try parts.keys.keys()
        var last: [UInt8]?
        var (overdue, damaged): (Int64, Int64) = (0, 0)
        repeat {
            let after = last
            let page = try await parts.database.read { db in try AutomationTasks.periodic(after: after, limit: 500, on: db) }
            var changed: [TaskState] = []
            for row in page.rows {
                guard let (task, stored) = standing(row, keys) else {
                    // It cannot be run; that is a run that does not come.
                    (overdue, damaged) = (overdue + 1, damaged + 1)
                    continue
                }
                if parts.agenda.overdue(task, lastRun: stored?.lastRun, at: now) != nil { overdue += 1 }
                if let state = revised(task, stored, at: now) { changed.append(state) }
            }
            let states = changed
            if !states.isEmpty {
                try await parts.database.write { db in for state in states { try TaskStates.put(state, on: db) } }
            }
            last = page.next
        } while last != nil
        parts.meter.set(overdue: overdue)
        parts.meter.set(damaged: try await takeUp(keys) + damaged)
        parts.meter.set(uncertain: try await parts.database.read { db in try Records.uncertainAccounts(on: db) })
    }

    private typealias Periodic = (task: Authenticated<AutomationTask>, state: TaskState?)

    /// Nil, and told of, where the row is damaged.
    private func standing(_ row: FoundRow<Periodic>, _ keys: RowKeys) -> (AutomationTask, TaskState?)? {
        switch row {
        case .failure(let damaged):
            damage.tell("task", damaged.name, damaged.what)
            return nil
        case .success(let found):
            guard let task = try? keys.verified(found.task) else {
                damage.tell("task", "\(found.task.value.id)", "its row does not authenticate")
                return nil
            }
            return (task, found.state)
        }
    }

    /// Has every execution that is stored and waits carried out, should nobody have been told of it, and returns how many open ones are
    /// damaged. To be told twice does nothing.
    private func takeUp(_ keys: RowKeys) async throws -> Int64 {
        var damaged: Int64 = 0
        for row in try await parts.database.read({ db in try Executions.open(limit: 100_000, on: db) }) {
            switch row {
            case .failure(let fault):
                damaged += 1
                damage.tell("execution", fault.name, fault.what)
            case .success(let row):
                guard let execution = try? keys.verified(row) else {
                    damaged += 1
                    damage.tell("execution", "\(row.value.id)", "its row does not authenticate")
                    continue
                }
                if execution.status == .pending { submit(execution.id, execution.organization) }
            }
        }
        return damaged
    }

    /// The state as it ought to be; nil where it is.
    private func revised(_ task: AutomationTask, _ state: TaskState?, at now: Timestamp) -> TaskState? {
        // What is due is the next look's to start.
        if let begins = state?.begins, begins <= now { return nil }
        // A run whose time has come and that waits for its jitter is planned already.
        if let planned = state?.planned, planned <= now, state?.begins != nil { return nil }
        let right = parts.agenda.planned(task, state, after: now)
        return right == state ? nil : right
    }
}
