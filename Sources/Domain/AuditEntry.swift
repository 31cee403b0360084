/// One decision, as it is written down: who asked for what, from where, and what came of it. Never a value.
package struct AuditEntry: Sendable, Equatable {
    package var time: Timestamp
    package var phase: AuditPhase
    package var actor: Actor
    /// Client address in text form; empty where there is none (scheduled work, the local socket).
    package var address: String
    package var organization: OrganizationID?
    package var action: AuditAction
    package var objects: [AuditObject]
    package var outcome: AuditOutcome
    /// The true reason of a refusal or failure, as a short text without secrets; empty for a plain grant.
    package var reason: String
    package var request: RequestID
    /// Microseconds from request to decision; nil where not measured.
    package var latency: Int64?
    /// Secret version concerned, where one is.
    package var version: Int64?
    /// How many like decisions this entry stands for; 1 unless refusals were folded.
    package var count: Int64

    package init(
        time: Timestamp, phase: AuditPhase = .single, actor: Actor, address: String, organization: OrganizationID?,
        action: AuditAction, objects: [AuditObject] = [], outcome: AuditOutcome, reason: String = "", request: RequestID,
        latency: Int64? = nil, version: Int64? = nil, count: Int64 = 1
    ) {
        self.time = time
        self.phase = phase
        self.actor = actor
        self.address = address
        self.organization = organization
        self.action = action
        self.objects = objects
        self.outcome = outcome
        self.reason = reason
        self.request = request
        self.latency = latency
        self.version = version
        self.count = count
    }
}

/// Whether an entry stands alone, or announces a change, or tells what became of an announced one.
package enum AuditPhase: String, Sendable, CaseIterable { case single, intent, outcome }

package enum AuditOutcome: String, Sendable, CaseIterable {
    case granted, refused, failed, abandoned
    /// Of an intent: not yet known.
    case open
}

/// Who acts.
package enum Actor: Sendable, Equatable, Hashable {
    case user(UserID, name: String)
    case application(ApplicationID, name: String, credential: CredentialID)
    /// Scheduled work and the server itself, by the name of what acts.
    case system(String)
    /// The operator at the machine: the local socket or the command line, by system user.
    case operatorLocal(String)
    /// Nobody who could prove who they are.
    case anonymous

    package var kind: String {
        switch self {
        case .user: "user"
        case .application: "application"
        case .system: "system"
        case .operatorLocal: "operator"
        case .anonymous: "anonymous"
        }
    }

    package var name: String {
        switch self {
        case .user(_, let name), .application(_, let name, _), .system(let name), .operatorLocal(let name): name
        case .anonymous: ""
        }
    }
}

/// What is acted on: `account`, `asset`, `application`, …, with the id and the name at that time.
package struct AuditObject: Sendable, Equatable, Hashable {
    package var kind: String
    package var id: String
    package var name: String

    package init(kind: String, id: String, name: String = "") {
        self.kind = kind
        self.id = id
        self.name = name
    }
}

/// What was asked for: `noun.verb`.
package struct AuditAction: RawRepresentable, Hashable, Sendable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    /// A secret fetch by an application.
    package static let fetch = AuditAction(rawValue: "secret.fetch")
    /// A secret was granted, and its answer could not be sent.
    package static let undelivered = AuditAction(rawValue: "secret.undelivered")
    package static let login = AuditAction(rawValue: "session.login")
    package static let confirm = AuditAction(rawValue: "session.confirm")
    package static let seal = AuditAction(rawValue: "vault.seal")
    package static let unseal = AuditAction(rawValue: "vault.unseal")
    package static let start = AuditAction(rawValue: "server.start")
    package static let stop = AuditAction(rawValue: "server.stop")

    /// The action that a permission allows.
    package init(_ permission: Permission) { rawValue = permission.rawValue }
}
