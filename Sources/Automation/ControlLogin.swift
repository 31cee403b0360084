internal import Connectors
internal import Domain
internal import Storage
internal import Synchronization

/// Leave for one login, written down.
struct LoginGrant: Sendable {
    let id: LoginAttempts.ID
    let account: AccountID
    let identity: [UInt8]
    /// Whether the target refused this account a wrong secret not long ago.
    let sawRefusal: Bool
}

/// Logins with a wrong secret on purpose, by which a target is seen to refuse one. The target counts them like any other, so they are
/// written down before they are made and stand in the account's limit, also for a process that crashes again and again.
final class ControlLogin: Sendable {
    private let ledger: TurnLedger
    private let grant: LoginGrant
    private let made = Mutex<[LoginAttempts.ID]>([])

    init(_ ledger: TurnLedger, after grant: LoginGrant) {
        self.ledger = ledger
        self.grant = grant
    }

    /// The target with the leave to make them; the closure is called on a connector's thread.
    func applied(to target: Target) -> Target {
        var target = target
        target.wasSeenRefusing = grant.sawRefusal
        target.mayGuess = { [self] in
            guard let id = try? ledger.beginWrongLogin(after: grant) else { return false }
            made.withLock { $0.append(id) }
            return true
        }
        return target
    }

    /// What became of them. A proof says that they were refused; any other end says nothing.
    func ends(_ verdict: Verdict?) -> [LoginEnd] {
        made.withLock { made in made.map { LoginEnd(id: $0, outcome: verdict == .proven ? .rejected : .unclear) } }
    }
}
