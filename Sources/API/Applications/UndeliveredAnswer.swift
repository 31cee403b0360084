internal import Audit
internal import Domain
internal import HTTPServer

extension ApplicationsAPI {
    /// Writes down that a secret was opened and granted but did not reach who asked for it, under the id of the same request.
    ///
    /// Nobody waits for the entry: the grant itself is on the record. Beyond the rate of strangers' refusals it is only counted, since
    /// whoever may fetch could leave each time before the answer.
    func recordUndelivered(_ answer: Undelivered) {
        let (peer, reason) = (IPAddress(answer.peer), answer.cause.text)
        let actor = Actor.system("server")
        guard
            parts.audit.refusals.admit(address: peer, action: .undelivered, reason: reason, outcome: .failed, actor: actor)
                == .write
        else { return }
        // No address: the peer may be a proxy, and the entry of the grant has the client's.
        parts.audit.appendSoon(
            AuditEntry(
                time: parts.clock.now(), actor: actor, address: "", organization: nil, action: .undelivered, outcome: .failed,
                reason: reason, request: Domain.RequestID(answer.request)))
    }
}

extension Undelivered.Cause {
    fileprivate var text: String {
        switch self {
        case .overdue: "not answered in time; the client got 503"
        case .clientLeft: "the client left before the answer was sent"
        case .late: "ready only after the client had left or got 503"
        case .broken: "the connection ended while the answer was being sent"
        }
    }
}
