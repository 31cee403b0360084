package import Domain
package import Storage

/// When tasks run next, and which are overdue: reckoned from the tasks, their zones and the clock.
package struct Agenda: Sendable {
    package let zones: ZoneDirectory

    package init(zones: ZoneDirectory) { self.zones = zones }

    /// The state of a task with its next run after a moment planned; without one where it does not run by itself or its zone is unknown.
    package func planned(_ task: AutomationTask, _ state: TaskState?, after moment: Timestamp) -> TaskState {
        var state = state ?? TaskState(task: task.id, organization: task.organization)
        (state.planned, state.begins) = (nil, nil)
        guard task.isActive, let schedule = task.timing.schedule, let zone = zones.rules(of: task.timing),
            let next = schedule.next(after: moment, in: zone)
        else { return state }
        state.planned = next
        state.begins = schedule.begin(of: next, task: task.id)
        return state
    }

    /// Plans a task anew in the transaction that changes it. A run that was waiting is given up: the new schedule counts from now.
    package func replan(_ task: AutomationTask, at now: Timestamp, on db: any SQLConnection) throws {
        let state = try TaskStates.get(task.id, in: task.organization, on: db)
        try TaskStates.put(planned(task, state, after: now), on: db)
    }

    /// Since when a task's run is overdue; nil where none is. Does not ask what the scheduler has planned.
    package func overdue(_ task: AutomationTask, lastRun: Timestamp?, at now: Timestamp) -> Timestamp? {
        guard task.isActive, let schedule = task.timing.schedule else { return nil }
        // A zone that cannot be read stops the runs; that must not hide that they are late.
        let zone = zones.rules(of: task.timing) ?? .utc
        return schedule.overdue(lastRun: lastRun, since: task.timing.since, task: task.id, at: now, in: zone)
    }
}
