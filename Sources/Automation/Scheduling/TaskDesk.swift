package import Domain

/// The automation as others see it: plans, starts and stops work, and tells how things stand.
package final class TaskDesk: Sendable {
    package let parts: AutomationParts
    private let executor: Executor
    private let scheduler: Scheduler

    package init(_ parts: AutomationParts) {
        self.parts = parts
        let executor = Executor(parts)
        self.executor = executor
        scheduler = Scheduler(parts) { executor.submit($0, in: $1) }
    }

    package var agenda: Agenda { parts.agenda }
    package var abilities: PlatformAbilities { parts.abilities }
    package var meter: AutomationMeter { parts.meter }

    /// Has a stored execution carried out.
    package func submit(_ execution: Execution) { executor.submit(execution.id, in: execution.organization) }

    /// Stops an execution that is waiting or running here; false where it is not.
    package func cancel(_ execution: ExecutionID) -> Bool { executor.cancel(execution) }

    /// Carries executions out until the task is cancelled.
    package func runExecutions() async throws { try await executor.run() }

    /// Starts tasks at their times until the task is cancelled.
    package func runSchedule() async throws { try await scheduler.run() }

    /// Starts what is due now, and returns how many executions that made.
    @discardableResult
    package func startDue() async throws -> Int { try await scheduler.startDue() }

    /// Brings plans and numbers up to date.
    package func review() async throws { try await scheduler.review() }
}
