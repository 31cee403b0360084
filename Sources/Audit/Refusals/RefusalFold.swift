package import Domain
internal import Synchronization

/// How many refusals of unknown callers are written one by one, a minute; what is beyond is counted.
package struct RefusalLimits: Sendable {
    package var perPrefix: Int
    package var overall: Int
    /// Different counters (address prefix, action, reason, minute) kept at a time; further ones share one.
    package var counters: Int

    package init(perPrefix: Int = 30, overall: Int = 600, counters: Int = 4096) {
        self.perPrefix = perPrefix
        self.overall = overall
        self.counters = max(1, counters)
    }
}

/// Folds the refusals of callers who proved nothing, so that a flood of them cannot fill the disk.
///
/// Up to a rate each gets an entry of its own; beyond it they are counted, and become one entry a minute for each address prefix, action and reason.
/// What is counted and not yet drained is lost in a crash. Safe from any thread.
package final class RefusalFold: Sendable {
    /// What the caller does with its refusal.
    package enum Verdict: Sendable, Equatable {
        /// Write an entry and wait for it, as for any other decision.
        case write
        /// It is counted: answer at once.
        case counted
    }

    private struct Key: Hashable {
        let minute: Int64
        let prefix: AddressPrefix?
        let action: AuditAction
        let reason: String
        let outcome: AuditOutcome
        let actor: Actor
    }

    private struct Tally {
        var count: Int64 = 0
        var last: Timestamp

        mutating func add(at now: Timestamp) {
            let (sum, overflow) = count.addingReportingOverflow(1)
            count = overflow ? .max : sum
            last = now
        }
    }

    private struct State {
        var minute: Int64 = .min
        var singles = 0
        var singlesByPrefix: [AddressPrefix?: Int] = [:]
        var tallies: [Key: Tally] = [:]
        /// What found no counter of its own.
        var others: Tally?
    }

    private let limits: RefusalLimits
    private let clock: WallClock
    private let state = Mutex(State())

    package init(limits: RefusalLimits = RefusalLimits(), clock: WallClock = .system) {
        self.limits = limits
        self.clock = clock
    }

    /// Decides on one refusal. `address` is nil when it is not known.
    ///
    /// What is no refusal of an unknown caller, but as easily brought about in any number, tells its outcome and actor.
    package func admit(
        address: IPAddress?, action: AuditAction, reason: String, outcome: AuditOutcome = .refused, actor: Actor = .anonymous
    ) -> Verdict {
        let now = clock.now()
        let minute = Self.minute(of: now)
        let prefix = address.map(AddressPrefix.init)
        return state.withLock { state in
            if state.minute != minute {
                state.minute = minute
                state.singles = 0
                state.singlesByPrefix.removeAll(keepingCapacity: true)
            }
            let fromHere = state.singlesByPrefix[prefix] ?? 0
            if state.singles < limits.overall, fromHere < limits.perPrefix {
                state.singles += 1
                state.singlesByPrefix[prefix] = fromHere + 1
                return .write
            }
            let key = Key(
                minute: minute, prefix: prefix, action: action, reason: EntryLimits.cut(reason, to: 128), outcome: outcome,
                actor: actor)
            count(key, at: now, in: &state)
            return .counted
        }
    }

    private func count(_ key: Key, at now: Timestamp, in state: inout State) {
        if state.tallies[key] != nil || state.tallies.count < limits.counters {
            state.tallies[key, default: Tally(last: now)].add(at: now)
        } else {
            var others = state.others ?? Tally(last: now)
            others.add(at: now)
            state.others = others
        }
    }

    /// Takes what was counted in minutes that are over, or all of it, as entries to be written.
    package func drain(all: Bool = false) -> [AuditEntry] {
        let current = Self.minute(of: clock.now())
        let (taken, others) = state.withLock { state -> ([Key: Tally], Tally?) in
            guard !state.tallies.isEmpty else { return ([:], nil) }
            let taken = all ? state.tallies : state.tallies.filter { $0.key.minute != current }
            guard !taken.isEmpty else { return ([:], nil) }
            for key in taken.keys { state.tallies[key] = nil }
            defer { state.others = nil }
            return (taken, state.others)
        }
        var entries = taken.map { key, tally in
            entry(
                tally, address: key.prefix?.text ?? "", action: key.action, reason: key.reason, outcome: key.outcome,
                actor: key.actor)
        }
        if let others {
            entries.append(entry(others, address: "", action: AuditAction(rawValue: "refusal.other"), reason: "many addresses"))
        }
        return entries.sorted { ($0.time, $0.address, $0.reason) < ($1.time, $1.address, $1.reason) }
    }

    private func entry(
        _ tally: Tally, address: String, action: AuditAction, reason: String, outcome: AuditOutcome = .refused,
        actor: Actor = .anonymous
    ) -> AuditEntry {
        AuditEntry(
            time: tally.last, actor: actor, address: address, organization: nil, action: action, outcome: outcome,
            reason: reason, request: .random(), count: tally.count)
    }

    private static func minute(of time: Timestamp) -> Int64 {
        let seconds = time.seconds
        return seconds >= 0 ? seconds / 60 : (seconds - 59) / 60
    }
}
