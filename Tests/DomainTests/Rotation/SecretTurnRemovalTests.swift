import Domain
import Testing

@Suite("The removal of an account")
struct SecretTurnRemovalTests {
    private static let start = Timestamp(seconds: 1_800_000_000)
    private static let cut = TurnEvent.failed(TurnFault(.cut, mayHaveChanged: true))
    private static let gone = TurnAction.close(
        RecordOutcome(.success, .unchanged, words: "It is not on the target any more."), live: nil)

    private static func turn(repeatsFor seconds: Int64? = nil) -> SecretTurn {
        var plan = SecretTurn.Plan(isGenerated: false, checksConnection: true, isRemoval: true)
        plan.repeatsUntil = seconds.map { start.adding(seconds: $0) }
        return SecretTurn(plan)
    }

    private static func asked(_ turn: SecretTurn = turn()) -> SecretTurn {
        var turn = turn
        for event in [TurnEvent.checked, .ready, .remembered(0)] { _ = turn.handle(event, at: start) }
        return turn
    }

    /// One whose reply was lost in an earlier life of the process.
    private static func resumed(repeatsFor seconds: Int64? = 3600) -> SecretTurn {
        let stored = asked()
        var turn = SecretTurn(Self.turn(repeatsFor: seconds).plan, stage: stored.stage, memory: stored.memory)
        #expect(turn.handle(.resumed, at: start) == .inspect)
        return turn
    }

    @Test("check, preflight, remember, remove, store, success: in this order, and open from the moment it is remembered")
    func plain() {
        var turn = Self.turn()
        #expect(turn.begin() == .check)
        #expect(turn.handle(.checked, at: Self.start) == .preflight)
        #expect(turn.handle(.ready, at: Self.start) == .remember)
        #expect(!turn.isOpen)
        #expect(turn.handle(.remembered(0), at: Self.start) == .install)
        #expect(turn.isOpen)
        #expect(turn.handle(.installed, at: Self.start) == .promote(isProven: true))
        #expect(turn.handle(.promoted, at: Self.start) == Self.gone)
        #expect(!turn.isOpen)
    }

    @Test("one that is not on the target needs no removal and opens nothing")
    func absent() {
        var turn = Self.turn()
        _ = turn.handle(.checked, at: Self.start)
        #expect(turn.handle(.found(isThere: false), at: Self.start) == .promote(isProven: true))
        #expect(turn.handle(.promoted, at: Self.start) == Self.gone)
    }

    @Test("a plain no of the target ends it; that the account is not there is what was wanted")
    func refused() {
        var turn = Self.asked()
        #expect(
            turn.handle(.failed(TurnFault(.forbidden)), at: Self.start) == .close(RecordOutcome(.failed, .forbidden), live: nil))
        turn = Self.asked()
        #expect(turn.handle(.failed(TurnFault(.noSuchAccount)), at: Self.start) == .promote(isProven: true))
    }

    @Test("after a lost reply the worker looks: gone is success, still there is asked for once more")
    func doubt() {
        var turn = Self.asked()
        #expect(turn.handle(Self.cut, at: Self.start) == .inspect)
        #expect(turn.stage == .uncertain && turn.isOpen)
        #expect(turn.handle(.found(isThere: false), at: Self.start) == .promote(isProven: true))

        turn = Self.asked()
        _ = turn.handle(Self.cut, at: Self.start)
        #expect(turn.handle(.found(isThere: true), at: Self.start) == .reapply)
        #expect(turn.handle(.installed, at: Self.start) == .promote(isProven: true))
    }

    @Test("after a kill it is taken up by looking, whatever the stage was")
    func resume() {
        var turn = Self.resumed()
        #expect(turn.handle(.found(isThere: false), at: Self.start) == .promote(isProven: true))
        #expect(turn.handle(.promoted, at: Self.start) == Self.gone)
    }

    @Test("long after it was asked for it is not made again: somebody may have created another account of that name")
    func late() {
        var turn = Self.resumed()
        let action = turn.handle(.found(isThere: true), at: Self.start.adding(seconds: 3600))
        #expect(
            action
                == .close(
                    RecordOutcome(.failed, .notApplied, words: "It is still on the target; its rights may be gone."), live: nil))
    }

    @Test("a target that says yes and keeps the account does not make a loop")
    func lies() {
        var turn = Self.resumed()
        var removals = 0
        for _ in 0..<20 {
            let action = turn.handle(.found(isThere: true), at: Self.start)
            guard action == .reapply else { break }
            removals += 1
            guard case .wait = turn.handle(Self.cut, at: Self.start) else { return #expect(Bool(false)) }
            turn.stage = .uncertain
        }
        #expect(removals == 2)
    }

    @Test("while nobody can look it stays open, and is never called done", arguments: TurnReason.allCases)
    func blind(reason: TurnReason) {
        var turn = Self.resumed()
        for round in 0..<30 {
            guard case .wait(let until) = turn.handle(.failed(TurnFault(reason)), at: Self.start) else {
                #expect(Bool(false), "round \(round)")
                return
            }
            #expect(until > Self.start && turn.isOpen && turn.doubt?.status == .uncertain)
            #expect(turn.handle(.resumed, at: Self.start) == .inspect)
        }
    }

    @Test("no walk of events ends in success unless the target said gone, or was seen to be without the account")
    func walks() {
        var random = SystemRandomNumberGenerator()
        let events: [TurnEvent] = [
            .checked, .ready, .remembered(0), .installed, .found(isThere: true), Self.cut, .failed(TurnFault(.workerRejected)),
            .failed(TurnFault(.unreachable)), .resumed, .turnedAway(RecordOutcome(.skipped, .paused)), .promoted, .retired,
            .verdict(.proven), .inspected([]),
        ]
        for _ in 0..<2000 {
            var turn = Self.turn(repeatsFor: 60)
            var isGone = false
            for _ in 0..<40 {
                guard let event = events.randomElement(using: &random) else { continue }
                // Taken as said only where a removal was asked for at that moment.
                let wasAsked = turn.stage == .sending || turn.stage == .uncertain
                if event == .installed, wasAsked { isGone = true }
                let action = turn.handle(event, at: Self.start)
                if case .close(let outcome, _) = action {
                    if outcome.status == .success { #expect(isGone) }
                    break
                }
            }
        }
    }
}
