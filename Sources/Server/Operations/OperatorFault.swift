internal import Audit
internal import Domain
internal import HTTPServer
internal import Sealing
internal import Storage

/// Why a command of the operator's came to nothing, in words, and of what kind that is.
package struct OperatorFault: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        case failed
        /// A code or key that is not the vault's.
        case notAuthenticated
        /// There is no such thing, or the state of things stands against it.
        case refused
        /// The server does not run, is sealed, or the vault is in use.
        case unavailable

        /// The name on the control socket.
        var code: String {
            switch self {
            case .failed: "failed"
            case .notAuthenticated: "wrong_key"
            case .refused: "conflict"
            case .unavailable: "unavailable"
            }
        }
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// From whatever a command threw.
    package init(_ error: any Error) {
        switch error {
        case let fault as OperatorFault: self = fault
        case let fault as ControlFault: self.init(Self.kind(ofCode: fault.code), Self.text(fault))
        case let refusal as Refusal: self.init(Self.kind(ofCode: refusal.code), Self.text(refusal))
        case let fault as SealingFault: self = Self.of(fault)
        case let fault as StorageFault:
            if case .locked = fault {
                self.init(.unavailable, "\(fault); stop the server, or use a command that a running server takes")
            } else {
                self.init(.failed, "\(fault)")
            }
        case let fault as AuditFault: self.init(.failed, "the audit log: \(fault)")
        default: self.init(.failed, "\(error)")
        }
    }

    private static func kind(ofCode code: String) -> Kind {
        switch code {
        case "not_running", "no_answer", "sealed", "unavailable": .unavailable
        case "not_found", "conflict", "invalid", "malformed", "permission_denied": .refused
        case "wrong_key", "authentication_failed": .notAuthenticated
        default: .failed
        }
    }

    private static func text(_ fault: ControlFault) -> String {
        fault.code == "not_running" ? "no server runs on this data directory (\(fault))" : fault.description
    }

    private static func text(_ refusal: Refusal) -> String {
        if case .sealed = refusal { return "the vault is sealed" }
        guard case .invalid(let fields) = refusal else { return refusal.auditReason }
        return fields.sorted { $0.key < $1.key }.map { $0.key + ": " + $0.value.joined(separator: " ") }.joined(separator: "; ")
    }

    private static func of(_ fault: SealingFault) -> OperatorFault {
        switch fault {
        case .sealed: OperatorFault(.unavailable, "the vault is sealed")
        case .wrongUnsealKey(let reason): OperatorFault(.notAuthenticated, reason)
        case .keyFile(let what, let remedy): OperatorFault(.failed, what + "; " + remedy)
        case .notInitialized: OperatorFault(.failed, "there is no vault yet: keyturnd init")
        case .alreadyInitialized: OperatorFault(.refused, "there is a vault already; it is left as it is")
        case .notAuthentic(let what):
            OperatorFault(.failed, "\(what) is not what was stored: changed, moved, or under another key")
        case .rowNotAuthentic(let kind, let id): OperatorFault(.failed, "\(kind) \(id) was changed behind the vault's back")
        case .rowLedger(let what):
            OperatorFault(
                .failed,
                what + "; find out who could write the data directory, and restore a snapshot, or take what is there: "
                    + "keyturnd accept-rows")
        case .unknownKey(let what): OperatorFault(.failed, "a key is missing: " + what)
        case .exhausted: OperatorFault(.failed, "a key is worn out")
        }
    }
}
