package import Audit
package import Domain

/// The right of an application to try one secret fetch: its key, signature, time and address are good. Consumed by what came of it.
///
/// The hot path's form of `Permit`: made, used and settled on one thread without allocation.
package struct FetchPermit: ~Copyable {
    package let credential: CredentialPolicy
    package let origin: RequestOrigin
    private let abandoned: any AbandonedFetches
    private var isSettled = false

    init(credential: CredentialPolicy, origin: RequestOrigin, abandoned: any AbandonedFetches) {
        self.credential = credential
        self.origin = origin
        self.abandoned = abandoned
    }

    deinit {
        if !isSettled {
            abandoned.append(entry(.abandoned, reason: "dropped without an outcome", objects: [], version: nil, at: .now))
        }
    }

    package var organization: OrganizationID { credential.application.organization }

    /// The secret was opened and is about to leave; the reason says what is remarkable, usually nothing.
    package consuming func granted(
        objects: WrittenObjects, version: Int64?, reason: String = "", at now: Timestamp
    ) -> FetchEntry {
        isSettled = true
        return FetchEntry(
            signer: credential.signer, objects: objects, time: now, address: origin.address, reason: reason,
            request: origin.request, latency: origin.stopwatch.microseconds, version: version)
    }

    /// It is not given; the reason is the true one.
    package consuming func refused(_ refusal: Refusal, objects: [AuditObject] = [], at now: Timestamp) -> AuditEntry {
        isSettled = true
        let outcome: AuditOutcome
        if case .integrity = refusal { outcome = .failed } else { outcome = .refused }
        return entry(outcome, reason: refusal.auditReason, objects: objects, version: nil, at: now)
    }

    private borrowing func entry(
        _ outcome: AuditOutcome, reason: String, objects: [AuditObject], version: Int64?, at now: Timestamp
    ) -> AuditEntry {
        AuditEntry(
            time: now,
            actor: .application(credential.application.id, name: credential.application.name, credential: credential.id),
            address: origin.addressText, organization: organization, action: .fetch, objects: objects, outcome: outcome,
            reason: reason, request: origin.request, latency: origin.stopwatch.microseconds,
            version: version)
    }
}

/// Takes the entries of fetch permits that were dropped; those are faults of ours, written down all the same.
package protocol AbandonedFetches: Sendable {
    func append(_ entry: AuditEntry)
}
