import Domain
import Testing

/// A simulated target, vault and driver around the real state machine: the target loses replies, applies late, lies, locks and has a
/// policy; the process dies between any two steps. What must hold is checked after every step.
private struct World {
    struct Kind {
        var canCompare: Bool
        var workerWorks: Bool
        var letsInAnybody: Bool
        var lies: Bool
        var checks: Bool
    }

    let kind: Kind
    var dice: Dice
    var now = Timestamp(seconds: 1_800_000_000)
    /// Until this time things go wrong; afterwards the target answers and applies.
    var calmFrom: Timestamp

    // The target.
    var live: Int64 = 1
    var late: [(at: Timestamp, version: Int64)] = []
    var rejectedLogins: [Timestamp] = []

    // The vault.
    var kept: Set<Int64> = [1]
    var current: Int64 = 1
    var last: Int64 = 1
    var attempts: [Timestamp] = []
    var row: SecretTurn?

    init(_ kind: Kind, seed: UInt64) {
        self.kind = kind
        dice = Dice(state: seed)
        calmFrom = Timestamp(seconds: 1_800_000_000 + 3 * 86_400)
    }

    static let limit = 2
    var isCalm: Bool { now >= calmFrom }

    mutating func advance(seconds: Int64) {
        now = now.adding(seconds: seconds)
        for landing in late where landing.at <= now { live = landing.version }
        late.removeAll { $0.at <= now }
    }

    /// Makes a version live, or seems to.
    mutating func install(_ version: Int64) -> TurnEvent {
        #expect(kept.contains(version), "sent before it was kept")
        if !kind.workerWorks, row?.stage == .uncertain { return .failed(TurnFault(.workerRejected)) }
        if kind.lies { return .installed }
        if isCalm {
            live = version
            return .installed
        }
        switch dice.roll(9) {
        case 0:
            live = version
            return .failed(TurnFault(.cut, mayHaveChanged: true))
        case 1: return .failed(TurnFault(.cut, mayHaveChanged: true))
        case 2:
            late.append((now.adding(seconds: Int64(dice.roll(7200))), version))
            return .failed(TurnFault(.timedOut, mayHaveChanged: true))
        case 3: return .failed(TurnFault(.unreachable))
        case 4: return .failed(TurnFault(.quality))
        case 5: return .failed(TurnFault(.minimumAge, until: now.adding(seconds: 86_400)))
        default:
            live = version
            return .installed
        }
    }

    mutating func login(_ version: Int64) -> TurnEvent {
        let day = now.adding(seconds: -86_400)
        let open = attempts.filter { $0 > day }
        guard open.count < Self.limit else { return .noLoginLeft(until: (open.min() ?? now).adding(seconds: 86_401)) }
        // Committed before it is made; a good one is taken back.
        attempts.append(now)
        if dies() { return .resumed }
        if !isCalm, dice.roll(6) == 0 { return .failed(TurnFault(.timedOut)) }
        if kind.letsInAnybody { return .verdict(.unverifiable(words: "")) }
        guard version == live else {
            rejectedLogins.append(now)
            return .verdict(.rejected(words: ""))
        }
        attempts.removeLast()
        return .verdict(.proven)
    }

    mutating func inspect(_ values: [Int64]) -> TurnEvent {
        if !kind.workerWorks { return .failed(TurnFault(.workerRejected)) }
        if !isCalm, dice.roll(5) == 0 { return .failed(TurnFault(.unreachable)) }
        guard kind.canCompare else { return .inspected([]) }
        return .inspected(values.map { StoredFinding($0, $0 == live ? .same : .different) })
    }

    mutating func dies() -> Bool { !isCalm && dice.roll(12) == 0 }

    var values: [Int64] {
        let candidate = row?.memory.candidate
        return [candidate, current].compactMap { $0 } + kept.sorted(by: >).filter { $0 != candidate && $0 != current }
    }
}

private struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}

extension World {
    /// Drives one turn to its end through deaths and waits, and returns how it ended.
    mutating func turn() -> (outcome: RecordOutcome, steps: Int)? {
        var machine = SecretTurn(.init(isGenerated: true, checksConnection: kind.checks))
        var action = machine.begin()
        var inRun = 0
        for step in 0..<2000 {
            inRun += 1
            #expect(inRun < 60, "a run without end")
            advance(seconds: 1)
            if dies() {
                // What was not stored is gone.
                guard let stored = row else { return (RecordOutcome(.failed, .interrupted), step) }
                (machine, inRun) = (stored, 0)
                action = machine.handle(.resumed, at: now)
                row = machine
                continue
            }
            if machine.isOpen, action.isStoredBefore { row = machine }
            if case .close(let outcome, let version) = action {
                if let version { current = version }
                row = nil
                return (outcome, step)
            }
            let event = perform(action, &machine)
            if event == .resumed, let stored = row { (machine, inRun) = (stored, 0) }
            machine.values = values
            action = machine.handle(event, at: now)
            #expect(kept.contains(live), "the live secret is not kept")
        }
        return nil
    }

    private mutating func perform(_ action: TurnAction, _ machine: inout SecretTurn) -> TurnEvent {
        switch action {
        case .check: return .checked
        case .preflight: return .ready
        case .remember:
            last += 1
            kept.insert(last)
            var next = machine
            _ = next.handle(.remembered(last), at: now)
            row = next
            return .remembered(last)
        case .install, .reapply: return install(machine.memory.candidate ?? 0)
        case .verify(let version), .guess(let version): return login(version)
        case .promote:
            if !isCalm, dice.roll(10) == 0 { return .failed(TurnFault(.notStored)) }
            current = machine.memory.candidate ?? 0
            return .promoted
        case .retire: return .retired
        case .inspect:
            machine.values = values
            return inspect(values)
        case .wait(let until):
            advance(seconds: max(1, until.seconds - now.seconds + 1))
            return .resumed
        case .close: return .resumed
        }
    }
}

extension TurnAction {
    fileprivate var isStoredBefore: Bool {
        switch self {
        case .check, .preflight, .remember, .close, .promote: false
        default: true
        }
    }
}

@Suite("A model of turns")
struct SecretTurnModelTests {
    @Test(
        "whatever the target does, the live secret is kept, logins keep their limit, and success means proved", arguments: 0..<16)
    func randomWalks(number: Int) {
        let kind = World.Kind(
            canCompare: number & 1 == 0, workerWorks: number & 2 == 0, letsInAnybody: number & 4 != 0, lies: false,
            checks: number & 8 == 0)
        for seed in 0..<40 {
            var world = World(kind, seed: UInt64(number * 1000 + seed))
            for _ in 0..<3 {
                guard let (outcome, _) = world.turn() else {
                    // Only where neither worker nor logins can tell may a doubt last.
                    #expect(kind.letsInAnybody && !kind.workerWorks, "seed \(seed): no end")
                    break
                }
                if outcome.status == .success {
                    #expect(world.current == world.live && !kind.letsInAnybody, "seed \(seed)")
                }
                if outcome.reason == .notApplied { #expect(world.current == world.live, "seed \(seed)") }
                // What lands late may undo the change; the secret is kept all the same.
                world.advance(seconds: 10_000)
                #expect(world.kept.contains(world.live))
            }
            for login in world.rejectedLogins {
                let day = world.rejectedLogins.filter { $0 >= login && $0 < login.adding(seconds: 86_400) }
                #expect(day.count <= World.limit, "seed \(seed)")
            }
        }
    }

    @Test("a target that says yes and does nothing never ends in success", arguments: [true, false])
    func liar(canCompare: Bool) {
        for seed in 0..<40 {
            var world = World(
                .init(canCompare: canCompare, workerWorks: true, letsInAnybody: false, lies: true, checks: true),
                seed: UInt64(seed))
            let end = world.turn()
            #expect(end != nil && end?.outcome.status != .success && world.current == 1 && world.live == 1, "seed \(seed)")
        }
    }
}
