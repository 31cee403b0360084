internal import Domain
internal import Storage
internal import Synchronization

/// Tasks that could not be started for what is stored of them: not tried again with every look, since each try stands in the audit.
final class Setbacks: Sendable {
    /// Seconds.
    private static let pause: Int64 = 60
    private let noted = Mutex<[AutomationTaskID: Timestamp]>([:])

    func note(_ task: AutomationTaskID, at now: Timestamp) { noted.withLock { $0[task] = now } }

    /// Whether it may be tried now.
    func allow(_ task: AutomationTaskID, at now: Timestamp) -> Bool {
        noted.withLock { noted in
            // A clock that was set back keeps nothing waiting.
            guard let last = noted[task], last <= now, now < last.adding(seconds: Self.pause) else {
                noted[task] = nil
                return true
            }
            return false
        }
    }
}

extension StorageFault {
    /// Whether it lies with what was to be read or written, and not with the storage: other rows may do.
    var isOfOneRow: Bool {
        switch self {
        case .corrupt, .constraint, .tooLarge: true
        default: false
        }
    }
}
