package import Domain
internal import Access
internal import Logging
internal import Storage

/// Starts tasks when their time has come. Rows say what is due, so that nothing is forgotten in a restart.
package struct Scheduler: Sendable {
    private let parts: AutomationParts
    private let submit: @Sendable (ExecutionID, OrganizationID) -> Void

    /// Tasks that one transaction starts, and one entry of the audit names.
    private static let chunk = 64
    /// Chunks at the same time, so that their entries share the audit's commits.
    private static let width = 16
    /// Due tasks that are read at once.
    private static let batch: Int64 = 4096

    /// - Parameter submit: has a stored execution carried out.
    package init(_ parts: AutomationParts, submit: @escaping @Sendable (ExecutionID, OrganizationID) -> Void) {
        self.parts = parts
        self.submit = submit
    }

    /// Until it is cancelled. A failure is logged, and the next look comes all the same.
    package func run() async throws {
        var nextReview = Timestamp(milliseconds: .min)
        while !Task.isCancelled {
            if !parts.keys.isSealed {
                do {
                    if parts.clock.now() >= nextReview {
                        try await review()
                        nextReview = parts.clock.now().adding(seconds: 60)
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

    private struct Due: Sendable {
        let task: AutomationTask
        /// The code that its row was verified by.
        let code: [UInt8]
    }

    /// Starts every task whose time has come, and returns how many executions that made.
    @discardableResult
    package func startDue() async throws -> Int {
        let now = parts.clock.now()
        var started = 0
        while true {
            let found = try await parts.database.read { db in try AutomationTasks.due(at: now, limit: Self.batch, on: db) }
            let made = try await start(found, at: now)
            started += made.started
            // Tasks that are still running stay due: a look that moved nothing is the last.
            if found.count < Int(Self.batch) || made.moved == 0 { return started }
        }
    }

    private func start(
        _ found: [(task: Authenticated<AutomationTask>, state: TaskState)], at now: Timestamp
    ) async throws -> (started: Int, moved: Int) {
        let keys = try parts.keys.keys()
        var due: [OrganizationID: [Due]] = [:]
        for row in found {
            do {
                let task = try keys.verified(row.task)
                due[task.organization, default: []].append(Due(task: task, code: row.task.mac))
            } catch {
                parts.logger.error(
                    "a task is not started: its row does not authenticate", metadata: ["task": "\(row.task.value.id)"])
            }
        }
        let chunks = due.flatMap { organization, tasks in
            stride(from: 0, to: tasks.count, by: Self.chunk).map {
                (organization: organization, tasks: Array(tasks[$0..<min(tasks.count, $0 + Self.chunk)]))
            }
        }
        return try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            var (started, moved) = (0, 0)
            for (place, chunk) in chunks.enumerated() {
                if place >= Self.width, let done = try await group.next() {
                    (started, moved) = (started + done.0, moved + done.1)
                }
                group.addTask { try await start(chunk.tasks, in: chunk.organization, at: now) }
            }
            for try await done in group { (started, moved) = (started + done.0, moved + done.1) }
            return (started, moved)
        }
    }

    /// One act of the scheduler: by the same door as everybody, under its own name.
    private func start(_ due: [Due], in organization: OrganizationID, at now: Timestamp) async throws -> (Int, Int) {
        let objects = due.map { AuditObject(kind: "automation", id: $0.task.id.description, name: $0.task.name) }
        let principal = Principal.system("scheduler", permissions: [.runAutomation])
        let (executions, moved) = try await parts.gate.change(
            .runAutomation, as: principal, in: organization, from: .internal(now: now), objects: objects
        ) { permit in
            let warrant = permit.warrant()
            let keys = try parts.keys.keys()
            let agenda = parts.agenda
            let made = try await parts.database.write { db in
                var executions: [ExecutionID] = []
                var moved = 0
                for one in due {
                    let (execution, isMoved) = try Self.start(one, by: warrant, at: now, agenda, keys, db)
                    if let execution { executions.append(execution.id) }
                    if isMoved { moved += 1 }
                }
                try ChangeMarks.insert(warrant.origin.request, at: now, on: db)
                return (executions, moved)
            }
            return .init(made, objects: objects, reason: "started \(made.0.count) of \(due.count)")
        }
        for id in executions { submit(id, organization) }
        return (executions.count, moved)
    }

    /// Starts one task and plans its next run. One that is still running stays due, unless it leaves what it missed.
    private static func start(
        _ due: Due, by warrant: Warrant, at now: Timestamp, _ agenda: Agenda, _ keys: RowKeys, _ db: any SQLConnection
    ) throws -> (execution: Execution?, isMoved: Bool) {
        let task = due.task
        // Somebody may have changed it since; then the next look finds it as it is by then.
        guard try AutomationTasks.code(of: task.id, in: task.organization, on: db) == due.code,
            let state = try TaskStates.get(task.id, in: task.organization, on: db), let begins = state.begins, begins <= now
        else { return (nil, false) }
        guard task.isActive, let schedule = task.timing.schedule else {
            try TaskStates.put(agenda.planned(task, state, after: now), on: db)
            return (nil, true)
        }
        let isRunning = try Executions.hasOpen(of: task.id, in: task.organization, on: db)
        if isRunning, schedule.missed == .catchUp { return (nil, false) }
        // However many runs were missed, what comes next is the first after now.
        var next = agenda.planned(task, state, after: now)
        guard !isRunning, schedule.decision(for: begins, at: now) == .run else {
            try TaskStates.put(next, on: db)
            return (nil, true)
        }
        let execution = try ExecutionStart.task(task, trigger: .timing, by: warrant, at: now, keys: keys, on: db)
        next.lastRun = now
        next.lastExecution = execution.id
        try TaskStates.put(next, on: db)
        return (execution, true)
    }
}

// MARK: - Reviewing

extension Scheduler {
    /// Looks through all periodic tasks: plans those without a next run or with another one than their schedule says (a zone's rules have
    /// changed, a state was lost), and counts what is overdue and what is in doubt.
    package func review() async throws {
        let now = parts.clock.now()
        let keys = try parts.keys.keys()
        var last: AutomationTaskID?
        var overdue: Int64 = 0
        while true {
            let after = last
            let page = try await parts.database.read { db in try AutomationTasks.periodic(after: after, limit: 500, on: db) }
            guard let end = page.last else { break }
            last = end.task.value.id
            var changed: [TaskState] = []
            for row in page {
                guard let task = try? keys.verified(row.task) else {
                    // It cannot be run; that is a run that does not come.
                    overdue += 1
                    continue
                }
                if parts.agenda.overdue(task, lastRun: row.state?.lastRun, at: now) != nil { overdue += 1 }
                if let state = revised(task, row.state, at: now) { changed.append(state) }
            }
            let states = changed
            if !states.isEmpty {
                try await parts.database.write { db in for state in states { try TaskStates.put(state, on: db) } }
            }
        }
        parts.meter.set(overdue: overdue)
        parts.meter.set(uncertain: try await parts.database.read { db in try Records.uncertainAccounts(on: db) })
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
