internal import Connectors
internal import Dispatch
internal import Domain
internal import Glibc
internal import Storage
internal import Synchronization

/// The logins of an account by which others are worked on: of a worker, at a gateway, of an account that is switched from.
///
/// Each is written down before it is made, like those of any account, and only one is made at a time. So it holds whenever the process is
/// killed, and however many work at the same time, that logins which were rejected or may have been are no more than the limit: a wrong
/// password there must not lock the account by which everything is reached.
final class CountedLogins: Sendable {
    private struct Login {
        let cover: LoginQueue.Cover
        /// Whether it was written down for this one: then those before may have left something.
        let isFresh: Bool
    }

    /// Seconds for which one entry covers logins that follow each other; its date is that of the last one as exactly as that.
    static let coverage: Int64 = 10
    private let ledger: TurnLedger
    private let account: AccountID
    private let version: Int64
    private let login = Mutex<Login?>(nil)

    private init(_ ledger: TurnLedger, _ account: Account) {
        self.ledger = ledger
        self.account = account.id
        version = account.stages.current ?? 0
    }

    static func admission(to account: Account, by ledger: TurnLedger) -> Admission {
        let logins = CountedLogins(ledger, account)
        return Admission(begin: { logins.begin() }, end: { logins.end($0) })
    }

    private var queue: LoginQueue { ledger.parts.queue }

    // MARK: - On a connector's thread

    private func begin() -> Admission.Answer {
        let (seconds, attoseconds) = ledger.parts.stepLimit.components
        let deadline =
            DispatchTime.now() + .seconds(Int(clamping: seconds)) + .nanoseconds(Int(clamping: attoseconds / 1_000_000_000))
        var isSecond = false
        while true {
            guard let entry = queue.enterBlocking(account, until: deadline) else {
                return .notNow(words: "other logins of the working account are under way")
            }
            do {
                switch try ledger.cover(account, version, after: entry.cover) {
                case .covered(let cover, let isFresh):
                    login.withLock { $0 = Login(cover: cover, isFresh: isFresh) }
                    return .granted
                case .spent(let until):
                    queue.leave(account)
                    // The account itself is being checked, or was a moment ago: how that ends decides.
                    guard ledger.parts.active.isClaimed(account) || !isSecond, DispatchTime.now() < deadline else {
                        return .spent(words: "its logins of a day are used up until \(WireDate.format(until))")
                    }
                    isSecond = true
                    usleep(50_000)
                }
            } catch {
                queue.leave(account)
                // What cannot be written down is not done.
                return .notNow(words: "the login could not be written down")
            }
        }
    }

    private func end(_ end: Admission.End) {
        let ended = login.withLock { login in
            defer { login = nil }
            return login
        }
        guard let ended else { return }
        // Where something cannot be written, the login counts as one without an answer.
        switch end {
        case .accepted: accepted(ended)
        case .notMade:
            if queue.leave(account, handing: ended.cover) { return }
            try? ledger.uncover(ended.cover)
            queue.leave(account)
        case .rejected: refused(ended, .rejected)
        case .lockedOut: refused(ended, .lockedOut)
        case .unclear: refused(ended, .unclear)
        }
    }

    private func accepted(_ login: Login) {
        if queue.isAwaited(account) {
            if login.isFresh { try? ledger.forgetUnanswered(account, login.cover, keepsCover: true) }
            if queue.leave(account, handing: login.cover) { return }
        }
        if login.isFresh {
            try? ledger.forgetUnanswered(account, login.cover, keepsCover: false)
        } else {
            try? ledger.uncover(login.cover)
        }
        queue.leave(account)
    }

    private func refused(_ login: Login, _ outcome: LoginAttempts.Outcome) {
        try? ledger.refused(account, login.cover, outcome)
        queue.leave(account)
    }
}
