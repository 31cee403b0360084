internal import Domain
internal import PostgresClient

extension PostgreSQL {
    /// A fault of the client as one of a connector, where nothing was being changed.
    static func fault(_ fault: PostgresFault, atLogin: Bool, hiding credential: TargetLogin) -> ConnectorFault {
        let words = credential.withSecret { TargetWords(fault.words).hiding($0).text }
        return ConnectorFault(kind(of: fault, atLogin: atLogin), effect: .none, words: words)
    }

    /// A fault of a statement that sets or makes something. A server that refuses a statement has undone it; any other ending says
    /// nothing about what the server did or will do.
    static func changeFault(_ fault: PostgresFault, hiding credential: TargetLogin) -> ConnectorFault {
        let words = credential.withSecret { TargetWords(fault.words).hiding($0).text }
        switch fault.kind {
        case .badInput: return ConnectorFault(.unsupported, effect: .none, words: words)
        case .refused(let state, isFatal: false):
            if let refusal = refusal(state, words) {
                return ConnectorFault(.refusedByPolicy(refusal), effect: .none, words: words)
            }
            return ConnectorFault(kind(of: fault, atLogin: false), effect: .none, words: words)
        default: return ConnectorFault(kind(of: fault, atLogin: false), effect: .unknown, words: words)
        }
    }

    /// What a hook that looks at new passwords says (`passwordcheck`, `credcheck`): our statement and its values are well-formed,
    /// so these states can come from nowhere else.
    private static func refusal(_ state: String, _ words: String) -> PolicyRefusal? {
        guard ["22023", "28000", "28P01", "P0001", "23514"].contains(state) else { return nil }
        let text = words.lowercased()
        let isHistory = ["reuse", "history", "previous", "already used"].contains { text.contains($0) }
        return PolicyRefusal(kind: isHistory ? .history : .quality, words: words)
    }

    /// SQLSTATEs are listed in appendix A of the manual.
    private static func kind(of fault: PostgresFault, atLogin: Bool) -> ConnectorFault.Kind {
        switch fault.kind {
        case .badInput: return .unsupported
        case .unreachable: return .unreachable
        case .noSafeChannel, .notAsked: return .noSafeChannel
        case .brokenProtocol: return .brokenProtocol
        case .timedOut: return .timedOut
        case .cut: return .cut
        case .refused: break
        }
        switch fault.sqlState ?? "" {
        case "28P01": return .loginRejected
        case "28000": return .lockedOut
        case "42501": return .notPermitted
        case "42704": return .noSuchAccount
        case "42710": return .accountExists
        // Objects depend on the role.
        case "2BP01": return .ownsObjects
        // It is in use.
        case "55006": return .forbidden
        // A standby, a read-only transaction, a database that is not there, a function that is not there, a reserved name.
        case "25006", "3D000", "42883", "42939", "0A000", "55000": return .unsupported
        case "57014", "55P03": return .timedOut
        case "57P01", "57P02", "57P03", "53300": return atLogin ? .unreachable : .cut
        default: return .brokenProtocol
        }
    }
}
