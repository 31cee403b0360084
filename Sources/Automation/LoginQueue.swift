internal import Dispatch
internal import Domain
internal import Storage
internal import Synchronization

/// Has the logins of each account by which others are worked on made one at a time, from the moment in which the secret goes out to the
/// answer: where a password was changed behind our back, no more than one wrong one is under way, whatever else is.
final class LoginQueue: Sendable {
    /// A login that is written down as under way. It stands for whichever login of the account is, so that where many follow each other
    /// not each is written down anew.
    struct Cover: Sendable {
        let id: LoginAttempts.ID
        let version: Int64
        let date: Timestamp
    }

    /// Somebody has come in; with the cover of the one before, where there is one.
    struct Entry: Sendable {
        let cover: Cover?
    }

    private enum Waiting {
        case here
        case called(Entry)
        case gone
    }

    private final class Waiter: Sendable {
        private let state = Mutex(Waiting.here)
        private let wake: @Sendable (Entry) -> Void

        init(_ wake: @escaping @Sendable (Entry) -> Void) { self.wake = wake }

        /// False if it has gone away.
        func call(_ entry: Entry) -> Bool {
            let isHere = state.withLock { state in
                guard case .here = state else { return false }
                state = .called(entry)
                return true
            }
            if isHere { wake(entry) }
            return isHere
        }

        /// Waits no longer; what it was called with, if it was.
        func leave() -> Entry? {
            state.withLock { state in
                if case .called(let entry) = state { return entry }
                state = .gone
                return nil
            }
        }
    }

    /// Who waits at each account; those at which nobody is have no line.
    private let lines = Mutex<[AccountID: [Waiter]]>([:])

    /// Whether somebody waits who could take a cover over.
    func isAwaited(_ account: AccountID) -> Bool { lines.withLock { $0[account]?.isEmpty == false } }

    /// Waits for its turn. Whoever entered leaves.
    func enter(_ account: AccountID) async -> Entry {
        await withCheckedContinuation { continuation in
            let isIn = lineUp(account, Waiter { continuation.resume(returning: $0) })
            if isIn { continuation.resume(returning: Entry(cover: nil)) }
        }
    }

    /// The same on a thread that may block; nil where its turn did not come in time.
    func enterBlocking(_ account: AccountID, until deadline: DispatchTime) -> Entry? {
        let called = DispatchSemaphore(value: 0)
        let waiter = Waiter { _ in called.signal() }
        if lineUp(account, waiter) { return Entry(cover: nil) }
        _ = called.wait(timeout: deadline)
        return waiter.leave()
    }

    private func lineUp(_ account: AccountID, _ waiter: Waiter) -> Bool {
        lines.withLock { lines in
            guard lines[account] != nil else {
                lines[account] = []
                return true
            }
            lines[account]?.append(waiter)
            return false
        }
    }

    /// Lets the next one in.
    func leave(_ account: AccountID) {
        if next(account, Entry(cover: nil)) { return }
        // Somebody may have lined up since.
        let isEmpty = lines.withLock { lines in
            guard lines[account]?.isEmpty ?? true else { return false }
            lines[account] = nil
            return true
        }
        if !isEmpty { leave(account) }
    }

    /// Lets the next one in with the cover. False where nobody waits: whoever asked is still inside, and has the cover.
    func leave(_ account: AccountID, handing cover: Cover) -> Bool { next(account, Entry(cover: cover)) }

    private func next(_ account: AccountID, _ entry: Entry) -> Bool {
        while true {
            let waiter = lines.withLock { lines -> Waiter? in
                guard var line = lines[account], !line.isEmpty else { return nil }
                let first = line.removeFirst()
                lines[account] = line
                return first
            }
            guard let waiter else { return false }
            if waiter.call(entry) { return true }
        }
    }
}
