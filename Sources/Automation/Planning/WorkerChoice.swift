package import Domain

/// Which account of an asset does the work on another one. Never left to chance: the same accounts always give the same answer.
package enum WorkerChoice: Sendable, Hashable {
    case worker(Account)
    case none(Record.Reason)

    /// - Parameters:
    ///   - named: the user name of the account that the task wants to do the work; nil for a privileged one.
    ///   - target: the user name that is worked on, which never does the work on itself.
    package static func choose(among accounts: [Account], named: String?, for target: String) -> WorkerChoice {
        let able = accounts.filter { account in
            account.isActive && account.stages.current != nil && logsIn.contains(account.secretType)
                && (named.map { account.username == $0 } ?? account.privileged)
        }
        let others = able.filter { $0.username != target }
        guard let best = others.min(by: precedes) else {
            return .none(able.isEmpty ? .noWorker : .doesTheWork)
        }
        return .worker(best)
    }

    private static let logsIn: Set<SecretType> = [.password, .sshKey]

    /// What proved itself last comes first, then what was not tried, then what failed; among equals the name decides.
    private static func precedes(_ a: Account, _ b: Account) -> Bool {
        (rank(a), a.name, a.id.high, a.id.low) < (rank(b), b.name, b.id.high, b.id.low)
    }

    private static func rank(_ account: Account) -> Int {
        switch account.connectivity {
        case .ok: 0
        case .unknown, .notApplicable: 1
        case .error, .authenticationError, .passwordError: 2
        }
    }
}
