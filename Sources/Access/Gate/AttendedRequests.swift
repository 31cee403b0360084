package import Domain
internal import Synchronization

/// The requests under way of which an entry is owed: none of them is refused without one.
final class AttendedRequests: Sendable {
    private let requests = Mutex<Set<RequestID>>([])

    func begin(_ request: RequestID) { requests.withLock { requests in _ = requests.insert(request) } }

    func isWritten(_ request: RequestID) { requests.withLock { requests in _ = requests.remove(request) } }

    /// Whether nothing has been written for the request; it is not attended any more.
    func end(_ request: RequestID) -> Bool { requests.withLock { $0.remove(request) != nil } }
}

extension Gate {
    /// Does what a request asks for. If it is refused or fails before anything of it was written down, an entry is written first.
    ///
    /// What is refused at the gate has its entry from there. This is for what comes before: a body that is no JSON, a field that is not
    /// known, an id that is none.
    ///
    /// - Parameters:
    ///   - actor: nil for somebody who has not proved who they are; beyond a rate their refusals are only counted.
    ///   - wording: the reason as the audit may have it; nothing of what the client sent may be in it.
    package func attend<Value>(
        _ action: AuditAction, by actor: Actor?, from origin: RequestOrigin, objects: [AuditObject] = [],
        wording: (Refusal) -> String, _ act: () async throws -> Value
    ) async throws -> Value {
        attended.begin(origin.request)
        do {
            let value = try await act()
            _ = attended.end(origin.request)
            return value
        } catch {
            guard attended.end(origin.request) else { throw error }
            let (outcome, told) = Self.fate(error)
            let reason = (error as? Refusal).map { outcome == .refused ? wording($0) : told } ?? told
            if let actor {
                try await append(
                    AuditEntry(
                        time: .now, actor: actor, address: origin.addressText, organization: nil, action: action,
                        objects: objects,
                        outcome: outcome, reason: reason, request: origin.request))
            } else {
                try await recordStrangerRefusal(action, from: origin, reason: reason, objects: objects)
            }
            throw error
        }
    }
}
