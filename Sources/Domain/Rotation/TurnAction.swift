/// What a turn asks to be done next.
package enum TurnAction: Sendable, Hashable {
    /// Everything that can be checked without the target.
    case check
    /// The worker's login, and reading back that host and user are the ones meant.
    case preflight
    /// Commit a new candidate, sealed, before any of it goes out. An earlier one of this turn stays kept.
    case remember
    /// Make the candidate live; of a removal, take the account away.
    case install
    /// A fresh login with the candidate; committed as an attempt before it is made.
    case verify(Int64)
    /// Make the candidate current, or note that the account is gone, in one transaction with record and notifications.
    case promote(isProven: Bool)
    /// Take the old secret away on the target, where it is still live.
    case retire
    /// In doubt: look through the worker which of the kept secrets the target holds, or whether the account is there.
    case inspect
    /// In doubt: make the same candidate live once more, or take the account away once more.
    case reapply
    /// In doubt, where the worker cannot help: a login with this version; committed as an attempt before it is made.
    case guess(Int64)
    /// Leave it open; go on with `.resumed` at that time.
    case wait(until: Timestamp)
    /// The end. `live` is the version that proved to be live; nil leaves the current one.
    case close(RecordOutcome, live: Int64?)
}

/// What came of an action.
package enum TurnEvent: Sendable, Hashable {
    case checked
    /// A check of ours says no.
    case turnedAway(RecordOutcome)
    case ready
    /// The number that the candidate got.
    case remembered(Int64)
    case installed
    case verdict(TurnVerdict)
    /// The account's rejected logins of a day are used up; none was made.
    case noLoginLeft(until: Timestamp)
    case promoted
    case retired
    case inspected([StoredFinding])
    /// Whether the account that is to be taken away is on the target.
    case found(isThere: Bool)
    /// The step did not end as asked.
    case failed(TurnFault)
    /// The turn is taken up again from storage, after a wait or a crash.
    case resumed
}

/// The numbered steps of a turn: what logs and records name, and after each of which tests kill the process.
package enum TurnStep: Int, Sendable, CaseIterable {
    case check = 1
    case preflight = 2
    case remember = 3
    case install = 4
    /// The attempt is committed and the login not made.
    case attempt = 5
    case verify = 6
    case promote = 7
    case retire = 8
    case close = 9
    /// The doubt is stored and nothing done about it.
    case doubt = 10
    case inspect = 11
    case reapply = 12
    case guess = 13

    /// The stable code of records.
    package var name: String { "\(self)" }

    package init?(name: String) {
        guard let step = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = step
    }
}
