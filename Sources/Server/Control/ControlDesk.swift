package import Audit
package import Domain

/// Carries out the operator's commands and sees that each is written down before it is answered.
package struct ControlDesk: Sendable {
    private let commands: any ControlCommands
    private let audit: AuditLog
    private let clock: WallClock

    package init(commands: any ControlCommands, audit: AuditLog, clock: WallClock = .system) {
        self.commands = commands
        self.audit = audit
        self.clock = clock
    }

    /// Carries a command out for a local user.
    package func perform(_ command: ControlCommand, for user: String) async -> ControlAnswer {
        let actor = Actor.operatorLocal(user)
        do {
            switch command {
            case .status: return await status(actor)
            case .unseal(let key): return try await recordedByItself(.unseal, actor) { try await commands.unseal(key, by: actor) }
            case .seal: return try await recordedByItself(.seal, actor) { try await commands.seal(by: actor) }
            case .snapshot(let directory):
                return try await change(command, actor) { _ in try await commands.snapshot(to: directory) }
            case .reload:
                return try await change(command, actor) { _ in
                    try await commands.reload()
                    return .done { _ in }
                }
            case .checkpoint: return try await change(command, actor) { _ in try await commands.checkpoint() }
            case .rekey(let key):
                return try await change(command, actor) { try await commands.rekey(key, request: $0) }
            case .readAudit(let use):
                try await audit.append(entry(AuditAction(rawValue: use.action), actor, .granted, "", .random()))
                return .done { _ in }
            case .resetPassword(let username, let password):
                let object = AuditObject(kind: "user", id: "", name: username)
                return try await change(command, actor, [object]) { request in
                    try await commands.resetPassword(of: username, to: password, request: request)
                    return .done { _ in }
                }
            }
        } catch {
            return Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> ControlAnswer {
        let fault = OperatorFault(error)
        return .failed(code: (error as? Refusal)?.code ?? fault.kind.code, detail: fault.description)
    }

    /// Writes down that something on the socket was refused; nothing is told about it.
    func refuse(_ user: String, _ reason: String) async {
        try? await audit.append(entry(AuditAction(rawValue: "control.refuse"), .operatorLocal(user), .refused, reason, .random()))
    }

    /// Told even when the audit cannot be written: that is when it is needed.
    private func status(_ actor: Actor) async -> ControlAnswer {
        try? await audit.append(entry(AuditAction(rawValue: "control.status"), actor, .granted, "", .random()))
        do {
            return try await commands.status()
        } catch {
            return Self.failure(error)
        }
    }

    /// For acts that write their own entries; only what was refused before they began is written here.
    private func recordedByItself(
        _ action: AuditAction, _ actor: Actor, _ act: () async throws -> Void
    ) async throws -> ControlAnswer {
        do {
            try await act()
        } catch let refusal as Refusal {
            try await audit.append(entry(action, actor, .refused, refusal.auditReason, .random()))
            throw refusal
        }
        return .done { _ in }
    }

    /// Announces the change, makes it, and writes what came of it before that is told.
    private func change(
        _ command: ControlCommand, _ actor: Actor, _ objects: [AuditObject] = [], _ act: (RequestID) async throws -> ControlAnswer
    ) async throws -> ControlAnswer {
        let request = RequestID.random()
        var entry = entry(AuditAction(rawValue: "control." + command.name), actor, .granted, "", request)
        entry.objects = objects
        return try await audit.around(entry, clock: clock) { try await act(request) }
    }

    private func entry(
        _ action: AuditAction, _ actor: Actor, _ outcome: AuditOutcome, _ reason: String, _ request: RequestID
    ) -> AuditEntry {
        AuditEntry(
            time: clock.now(), actor: actor, address: "", organization: nil, action: action, outcome: outcome, reason: reason,
            request: request)
    }
}
