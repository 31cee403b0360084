package import Audit
package import Domain
internal import Sealing

/// The one door for everything that is not a secret fetch: asks whether the principal may, and sees that it is written down.
///
/// Reads write one entry with the outcome before they answer. Changes write an intent before and the outcome after, since the audit
/// lives in a file of its own; what a crash leaves open is settled at start.
package final class Gate: Sendable {
    private let audit: AuditLog
    private let clock: WallClock
    private let hasRoom: @Sendable () async -> Bool
    private let isMade: @Sendable (RequestID) async throws -> Bool
    /// Requests of which something must be written down before they are answered.
    let attended = AttendedRequests()

    /// - Parameters:
    ///   - hasRoom: whether the disk takes changes; where it does not, what room is left belongs to the audit.
    ///   - isMade: whether the change of a request was committed, told by its mark.
    package init(
        audit: AuditLog, clock: WallClock = .system, hasRoom: @escaping @Sendable () async -> Bool = { true },
        isMade: @escaping @Sendable (RequestID) async throws -> Bool = { _ in false }
    ) {
        self.audit = audit
        self.clock = clock
        self.hasRoom = hasRoom
        self.isMade = isMade
    }

    /// What an allowed act gives back: its result, and what to write down of it.
    package struct Outcome<Value> {
        package let value: Value
        package let objects: [AuditObject]
        package let version: Int64?
        /// What is remarkable about the grant; usually nothing.
        package let reason: String

        package init(_ value: Value, objects: [AuditObject] = [], version: Int64? = nil, reason: String = "") {
            self.value = value
            self.objects = objects
            self.version = version
            self.reason = reason
        }
    }

    /// Runs a read under a permit; its result is returned only after the entry is durable.
    package func view<Value>(
        _ permission: Permission, as principal: Principal, in organization: OrganizationID, from origin: RequestOrigin,
        objects: [AuditObject] = [], _ act: (borrowing Permit) async throws -> Outcome<Value>
    ) async throws -> Value {
        let permit = try await admit(permission, principal, organization, origin, .single, objects)
        return try await settle(permit, act)
    }

    /// Runs a change under a permit: intent first, then the act, then its outcome.
    ///
    /// The act stores `origin.request` as a change mark in the same transaction as the change itself.
    package func change<Value>(
        _ permission: Permission, as principal: Principal, in organization: OrganizationID, from origin: RequestOrigin,
        objects: [AuditObject] = [], _ act: (borrowing Permit) async throws -> Outcome<Value>
    ) async throws -> Value {
        try await requireRoom(AuditAction(permission), by: principal.actor, in: organization, from: origin, objects: objects)
        let permit = try await admit(permission, principal, organization, origin, .outcome, objects)
        let intent: IntentID
        do {
            intent = try await audit.beginIntent(permit.intent(objects: objects))
        } catch {
            // Nothing was announced, so there is no outcome to write; the audit is what failed.
            _ = permit.settled(.failed)
            throw Refusal.unavailable("The audit log cannot be written.")
        }
        return try await settle(permit, closing: intent, act)
    }

    /// Writes down the refusal of somebody who proved nothing; beyond a rate such refusals are only counted.
    package func recordStrangerRefusal(
        _ action: AuditAction, from origin: RequestOrigin, reason: String, objects: [AuditObject] = []
    ) async throws {
        guard audit.refusals.admit(address: origin.address, action: action, reason: reason) == .write else {
            return attended.isWritten(origin.request)
        }
        try await recordRefusal(action, by: .anonymous, in: nil, from: origin, reason: reason, objects: objects)
    }

    /// Writes down a refusal that came before any permit: who, what, and the true reason.
    package func recordRefusal(
        _ action: AuditAction, by actor: Actor, in organization: OrganizationID?, from origin: RequestOrigin, reason: String,
        objects: [AuditObject] = []
    ) async throws {
        try await append(
            AuditEntry(
                time: clock.now(), actor: actor, address: origin.addressText, organization: organization, action: action,
                objects: objects, outcome: .refused, reason: reason, request: origin.request))
    }

    /// Writes down a grant that needs no permit of its own, such as a login.
    package func recordGrant(
        _ action: AuditAction, by actor: Actor, in organization: OrganizationID?, from origin: RequestOrigin,
        objects: [AuditObject] = []
    ) async throws {
        try await append(
            AuditEntry(
                time: clock.now(), actor: actor, address: origin.addressText, organization: organization, action: action,
                objects: objects, outcome: .granted, request: origin.request))
    }

    // MARK: - Steps

    /// A change that began on a full disk could end without room for its outcome, or take the room that fetches need to be audited.
    package func requireRoom(
        _ action: AuditAction, by actor: Actor, in organization: OrganizationID?, from origin: RequestOrigin,
        objects: [AuditObject] = []
    ) async throws {
        guard await !hasRoom() else { return }
        try await recordRefusal(
            action, by: actor, in: organization, from: origin, reason: "the disk is nearly full", objects: objects)
        throw Refusal.unavailable("The disk is nearly full: nothing can be changed.")
    }

    private func admit(
        _ permission: Permission, _ principal: Principal, _ organization: OrganizationID, _ origin: RequestOrigin,
        _ phase: AuditPhase,
        _ objects: [AuditObject]
    ) async throws -> Permit {
        guard principal.permissions.contains(permission) else {
            try await recordRefusal(
                AuditAction(permission), by: principal.actor, in: organization, from: origin,
                reason: Refusal.forbidden(permission).auditReason, objects: objects)
            throw Refusal.forbidden(permission)
        }
        let audit = audit
        let permit = Permit(
            permission: permission, principal: principal, organization: organization, origin: origin, phase: phase
        ) { entry in audit.appendSoon(entry) }
        permit.concerns(objects)
        return permit
    }

    private func settle<Value>(
        _ permit: consuming Permit, closing intent: IntentID? = nil, _ act: (borrowing Permit) async throws -> Outcome<Value>
    ) async throws -> Value {
        let outcome: Outcome<Value>
        do {
            outcome = try await act(permit)
        } catch {
            let (outcome, reason) = await intent == nil ? Self.fate(error) : fateOfChange(permit.origin.request, error)
            try await append(permit.settled(outcome, reason: reason), closing: intent)
            throw error
        }
        try await append(
            permit.settled(.granted, reason: outcome.reason, objects: outcome.objects, version: outcome.version), closing: intent)
        return outcome.value
    }

    /// The same of a change, which may have been committed before a later step threw: then it stands, whatever is answered.
    private func fateOfChange(_ request: RequestID, _ error: any Error) async -> (AuditOutcome, reason: String) {
        let (outcome, reason) = Self.fate(error)
        do {
            return try await isMade(request) ? (.granted, "made, but what follows it failed: " + reason) : (outcome, reason)
        } catch {
            return (.failed, reason + "; whether the change was made could not be told")
        }
    }

    /// How an act that threw is written down. Of what failed, only what cannot carry a value: stored rows that do not authenticate are
    /// named, of others the kind.
    static func fate(_ error: any Error) -> (AuditOutcome, reason: String) {
        switch error {
        case let fault as SealingFault: (.failed, "integrity: \(fault)")
        case Refusal.integrity(let detail): (.failed, Refusal.integrity(detail).auditReason)
        case let refusal as Refusal: (.refused, refusal.auditReason)
        case let failure as any AuditedFailure: (.failed, failure.auditReason)
        default: (.failed, "\(type(of: error))")
        }
    }

    func append(_ entry: AuditEntry, closing intent: IntentID? = nil) async throws {
        do {
            if let intent { try await audit.closeIntent(intent, entry) } else { try await audit.append(entry) }
            attended.isWritten(entry.request)
        } catch {
            throw Refusal.unavailable("The audit log cannot be written.")
        }
    }
}

/// A failure whose reason may be written down as it is: it carries no value that was stored or sent.
package protocol AuditedFailure: Error {
    var auditReason: String { get }
}
