package import Domain
internal import Synchronization

/// The right to do one thing once: handed out by the gate alone, consumed by what came of it.
///
/// Functions that reveal or change a secret take one, so that forgetting the check does not compile. A permit that is dropped
/// without an outcome is recorded as *abandoned*.
package struct Permit: ~Copyable {
    private let state: State

    /// What the permit allows, to whom, where.
    package var permission: Permission { state.permission }
    package var principal: Principal { state.principal }
    package var organization: OrganizationID { state.organization }
    package var origin: RequestOrigin { state.origin }

    init(
        permission: Permission, principal: Principal, organization: OrganizationID, origin: RequestOrigin, phase: AuditPhase,
        onAbandon: @escaping @Sendable (AuditEntry) -> Void
    ) {
        state = State(
            permission: permission, principal: principal, organization: organization, origin: origin, phase: phase,
            onAbandon: onAbandon)
    }

    deinit {
        if state.settle() {
            state.onAbandon(state.entry(.abandoned, reason: "dropped without an outcome", objects: [], version: nil))
        }
    }

    /// The right that this permit gives, in a form that can go into a transaction on another thread.
    package borrowing func warrant() -> Warrant {
        Warrant(permission: state.permission, principal: state.principal, organization: state.organization, origin: state.origin)
    }

    /// Tells what the act is about as soon as that is known, so that the entry names it whatever comes of the act.
    package borrowing func concerns(_ objects: [AuditObject], version: Int64? = nil) {
        state.note(objects, version)
    }

    /// The entry of what came of it. Whoever consumes the permit appends the entry before anything is answered.
    consuming func settled(
        _ outcome: AuditOutcome, reason: String = "", objects: [AuditObject] = [], version: Int64? = nil
    ) -> AuditEntry {
        _ = state.settle()
        return state.entry(outcome, reason: reason, objects: objects, version: version)
    }

    /// The announcement of a change that this permit is about to make.
    borrowing func intent(objects: [AuditObject]) -> AuditEntry {
        var entry = state.entry(.open, reason: "", objects: objects, version: nil)
        entry.phase = .intent
        return entry
    }

    private final class State: Sendable {
        let permission: Permission
        let principal: Principal
        let organization: OrganizationID
        let origin: RequestOrigin
        let phase: AuditPhase
        let onAbandon: @Sendable (AuditEntry) -> Void
        private let isSettled = Atomic(false)
        private let subject = Mutex(Subject())

        private struct Subject {
            var objects: [AuditObject] = []
            var version: Int64?
        }

        init(
            permission: Permission, principal: Principal, organization: OrganizationID, origin: RequestOrigin, phase: AuditPhase,
            onAbandon: @escaping @Sendable (AuditEntry) -> Void
        ) {
            self.permission = permission
            self.principal = principal
            self.organization = organization
            self.origin = origin
            self.phase = phase
            self.onAbandon = onAbandon
        }

        /// True for the one who settles it.
        func settle() -> Bool { !isSettled.exchange(true, ordering: .acquiringAndReleasing) }

        func note(_ objects: [AuditObject], _ version: Int64?) {
            subject.withLock { $0 = Subject(objects: objects, version: version) }
        }

        /// What the outcome names, or else what was noted before.
        func entry(_ outcome: AuditOutcome, reason: String, objects: [AuditObject], version: Int64?) -> AuditEntry {
            let now = Timestamp.now
            let noted = subject.withLock { $0 }
            return AuditEntry(
                time: now, phase: phase, actor: principal.actor, address: origin.addressText, organization: organization,
                action: AuditAction(permission), objects: objects.isEmpty ? noted.objects : objects, outcome: outcome,
                reason: reason,
                request: origin.request, latency: origin.stopwatch.microseconds,
                version: version ?? noted.version)
        }
    }
}
