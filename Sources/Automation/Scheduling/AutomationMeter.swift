internal import Domain
internal import Metrics
internal import Synchronization

/// Counts what became of accounts' changes, and keeps the numbers that are asked for at any time.
package final class AutomationMeter: Sendable {
    private let outcomes: [TaskKind: [Record.Status: Counter]]
    private let durations: [TaskKind: Timer]
    private let settled: [RecordOutcome.Status: Counter]
    private let uncertain = Atomic<Int64>(0)
    private let late = Atomic<Int64>(0)
    private let broken = Atomic<Int64>(0)
    private let doubts = Atomic<Int64>(0)
    private let oldestDoubt = Atomic<Int64>(0)

    package init() {
        // Closed lists, so that the number of series is known.
        outcomes = Dictionary(
            uniqueKeysWithValues: TaskKind.allCases.map { kind in
                let counters = Record.Status.allCases.filter { $0 != .pending }.map { status in
                    let dimensions = [("kind", kind.rawValue), ("outcome", status.rawValue)]
                    return (status, Counter(label: "keyturn_changes_total", dimensions: dimensions))
                }
                return (kind, Dictionary(uniqueKeysWithValues: counters))
            })
        settled = Dictionary(
            uniqueKeysWithValues: RecordOutcome.Status.allCases.map {
                ($0, Counter(label: "keyturn_doubts_settled_total", dimensions: [("outcome", $0.rawValue)]))
            })
        durations = Dictionary(
            uniqueKeysWithValues: TaskKind.allCases.map {
                ($0, Timer(label: "keyturn_change_seconds", dimensions: [("kind", $0.rawValue)]))
            })
    }

    /// Accounts of which it is not known which secret is live.
    package var uncertainNow: Int64 { uncertain.load(ordering: .relaxed) }
    /// Tasks whose run is overdue.
    package var overdueNow: Int64 { late.load(ordering: .relaxed) }
    /// Periodic tasks and open executions whose rows are damaged.
    package var damagedNow: Int64 { broken.load(ordering: .relaxed) }

    /// Open changes of which it is not known what became of them.
    package var doubtsNow: Int64 { doubts.load(ordering: .relaxed) }
    /// Seconds since the oldest of them was opened; 0 where there is none.
    package var oldestDoubtSeconds: Int64 { oldestDoubt.load(ordering: .relaxed) }

    func count(_ kind: TaskKind, _ status: Record.Status) { outcomes[kind]?[status]?.increment() }

    /// A change that was in doubt, or cut short, has come to its end.
    func countSettled(_ status: RecordOutcome.Status) { settled[status]?.increment() }

    func measure(_ kind: TaskKind, since start: Stopwatch) {
        durations[kind]?.recordMicroseconds(start.microseconds)
    }

    func set(doubts number: Int64, oldest seconds: Int64) {
        doubts.store(number, ordering: .relaxed)
        oldestDoubt.store(seconds, ordering: .relaxed)
    }

    func set(uncertain number: Int64) { uncertain.store(number, ordering: .relaxed) }
    func set(overdue number: Int64) { late.store(number, ordering: .relaxed) }
    func set(damaged number: Int64) { broken.store(number, ordering: .relaxed) }
}
