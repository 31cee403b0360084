import Domain
import Testing

/// Feeds events to a turn and notes the actions.
private struct Walk {
    var turn: SecretTurn
    var now = Timestamp(seconds: 1_800_000_000)
    var action: TurnAction

    init(isGenerated: Bool = true, checks: Bool = true, values: [Int64] = [2, 1]) {
        turn = SecretTurn(.init(isGenerated: isGenerated, checksConnection: checks))
        turn.values = values
        action = turn.begin()
    }

    @discardableResult
    mutating func on(_ events: TurnEvent...) -> TurnAction {
        for event in events { action = turn.handle(event, at: now) }
        return action
    }

    /// A turn whose candidate, version 2, is on its way.
    static func sending(isGenerated: Bool = true, checks: Bool = true, values: [Int64] = [2, 1]) -> Walk {
        var walk = Walk(isGenerated: isGenerated, checks: checks, values: values)
        walk.on(.checked, .ready, .remembered(2))
        return walk
    }

    static func verifying() -> Walk {
        var walk = sending()
        walk.on(.installed)
        return walk
    }

    /// A turn whose reply was lost, about to look at the target.
    static func doubting(checks: Bool = true, values: [Int64] = [2, 1]) -> Walk {
        var walk = sending(checks: checks, values: values)
        walk.on(.failed(TurnFault(.cut, mayHaveChanged: true)))
        return walk
    }

    var status: RecordOutcome.Status? {
        if case .close(let outcome, _) = action { outcome.status } else { nil }
    }

    var isWaiting: Bool { if case .wait = action { true } else { false } }
}

private let lost = TurnEvent.failed(TurnFault(.timedOut, mayHaveChanged: true))
private let denied = TurnEvent.verdict(.rejected(words: "no"))

@Suite("A secret's turn as planned")
struct SecretTurnTests {
    @Test("check, preflight, remember, install, verify, promote, retire, success: in this order")
    func plain() {
        var walk = Walk()
        #expect(walk.action == .check)
        #expect(walk.on(.checked) == .preflight)
        #expect(!walk.turn.isOpen)
        #expect(walk.on(.ready) == .remember)
        #expect(walk.on(.remembered(2)) == .install)
        #expect(walk.turn.isOpen)
        #expect(walk.on(.installed) == .verify(2))
        #expect(walk.on(.verdict(.proven)) == .promote(isProven: true))
        #expect(walk.on(.promoted) == .retire)
        #expect(walk.turn.isOpen && walk.turn.doubt == nil)
        #expect(walk.on(.retired) == .close(RecordOutcome(.success, .proven), live: nil))
        #expect(!walk.turn.isOpen)
    }

    @Test("what stands against it before anything is sent ends it with nothing to settle")
    func before() {
        var walk = Walk()
        walk.on(.turnedAway(RecordOutcome(.skipped, .secureMode)))
        #expect(walk.status == .skipped && !walk.turn.isOpen)
        walk = Walk()
        walk.on(.checked, .failed(TurnFault(.hostKeyChanged)))
        #expect(walk.action == .close(RecordOutcome(.failed, .hostKeyChanged), live: nil))
        walk = Walk()
        walk.on(.checked, .ready, .turnedAway(RecordOutcome(.skipped, .changeOpen)))
        #expect(walk.status == .skipped && !walk.turn.isOpen)
    }

    @Test("without a check the new secret is promoted unproven, nothing is retired, and it is no success")
    func unchecked() {
        var walk = Walk.sending(checks: false)
        #expect(walk.on(.installed) == .promote(isProven: false))
        #expect(walk.on(.promoted) == .close(RecordOutcome(.unverifiable, .notChecked), live: nil))
    }

    @Test("a target that lets in anybody ends neither in success nor with the old secret taken away")
    func letsInAnybody() {
        var walk = Walk.verifying()
        #expect(walk.on(.verdict(.unverifiable(words: "trust"))) == .promote(isProven: false))
        #expect(walk.on(.promoted) == .close(RecordOutcome(.unverifiable, .noProof, words: "trust"), live: nil))
    }

    @Test("a candidate refused for its quality is replaced at most twice", arguments: [TurnReason.quality, .history])
    func quality(reason: TurnReason) {
        let no = TurnEvent.failed(TurnFault(reason, words: "too simple"))
        var walk = Walk.sending()
        #expect(walk.on(no) == .remember)
        #expect(walk.on(.remembered(3)) == .install && walk.turn.memory.candidate == 3)
        #expect(walk.on(no, .remembered(4)) == .install)
        walk.on(no)
        #expect(walk.action == .close(RecordOutcome(.refused, reason, words: "too simple"), live: nil))
    }

    @Test("a specified secret is not replaced by another")
    func specified() {
        var walk = Walk.sending(isGenerated: false)
        walk.on(.failed(TurnFault(.quality)))
        #expect(walk.status == .refused)
    }

    @Test("a minimum age is a state of its own with date and words")
    func minimumAge() {
        let until = Timestamp(seconds: 1_800_086_400)
        var walk = Walk.sending()
        walk.on(.failed(TurnFault(.minimumAge, words: "wait longer", until: until)))
        #expect(walk.action == .close(RecordOutcome(.refused, .minimumAge, words: "wait longer", until: until), live: nil))
    }

    @Test("a fault that cannot have changed anything is a plain failure")
    func failed() {
        var walk = Walk.sending()
        walk.on(.failed(TurnFault(.notPermitted)))
        #expect(walk.action == .close(RecordOutcome(.failed, .notPermitted), live: nil))
    }

    @Test("a refusal that may have changed something is a doubt")
    func doubtfulRefusal() {
        var walk = Walk.sending()
        #expect(walk.on(.failed(TurnFault(.quality, mayHaveChanged: true))) == .inspect)
        #expect(walk.turn.doubt?.status == .uncertain)
    }

    @Test("an old secret that cannot be taken away is said, and is tried again where that may help")
    func retire() {
        var walk = Walk.verifying()
        walk.on(.verdict(.proven), .promoted, .failed(TurnFault(.cut)))
        #expect(walk.isWaiting && walk.turn.isOpen && walk.turn.doubt == nil)
        #expect(walk.on(.resumed) == .retire)
        #expect(walk.on(.failed(TurnFault(.notPermitted))) == .close(RecordOutcome(.success, .oldNotRetired), live: nil))
    }

    @Test("a promotion that cannot be stored leaves the turn open")
    func notStored() {
        var walk = Walk.verifying()
        walk.on(.verdict(.proven), .failed(TurnFault(.notStored, words: "the disk is full")))
        #expect(walk.isWaiting && walk.turn.isOpen && walk.turn.doubt?.reason == .notStored)
        #expect(walk.on(.resumed) == .inspect)
    }

    /// Every event in every stage is taken without a trap, and an open turn is never forgotten by one that has no place.
    @Test("every event in every stage has an answer", arguments: SecretTurn.Stage.allCases)
    func everything(stage: SecretTurn.Stage) {
        let events: [TurnEvent] = [
            .checked, .ready, .remembered(3), .installed, .verdict(.proven), denied, .verdict(.lockedOut(words: "")),
            .verdict(.unverifiable(words: "")), .noLoginLeft(until: Timestamp(seconds: 1)), .promoted, .retired, .inspected([]),
            .inspected([StoredFinding(2, .same)]), lost, .failed(TurnFault(.notPermitted)), .resumed,
            .turnedAway(RecordOutcome(.skipped, .paused)),
        ]
        for event in events {
            var memory = SecretTurn.Memory()
            if ![.checking, .preflight].contains(stage) { memory.candidate = 2 }
            var turn = SecretTurn(.init(isGenerated: true, checksConnection: true), stage: stage, memory: memory)
            turn.values = [2, 1]
            let action = turn.handle(event, at: Timestamp(seconds: 1_800_000_000))
            if case .close(let outcome, _) = action, outcome.status == .success {
                #expect(stage == .retiring, "\(stage) \(event)")
            }
            if case .promote(isProven: true) = action { #expect(event == .verdict(.proven), "\(stage) \(event)") }
            if case .install = action { #expect(stage == .remembering) }
        }
    }
}

@Suite("A secret's turn in doubt")
struct SecretTurnDoubtTests {
    @Test("a lost reply is looked into through the worker, at no login")
    func looks() {
        var walk = Walk.doubting()
        #expect(walk.action == .inspect && walk.turn.doubt?.reason == .cut)
        #expect(walk.on(.inspected([.init(2, .same)])) == .verify(2))
        #expect(walk.on(.verdict(.proven)) == .promote(isProven: true))
    }

    @Test("when the old secret is seen to be live, the same candidate is made live again")
    func forward() {
        var walk = Walk.doubting()
        #expect(walk.on(.inspected([.init(2, .different), .init(1, .same)])) == .reapply)
        #expect(walk.on(.installed) == .verify(2))
    }

    @Test("a target that says yes and does nothing is found out, and the old secret stays")
    func lies() {
        let old = TurnEvent.inspected([.init(2, .different), .init(1, .same)])
        var walk = Walk.verifying()
        #expect(walk.on(denied) == .inspect)
        #expect(walk.on(old) == .reapply)
        #expect(walk.on(.installed, denied) == .inspect)
        #expect(walk.on(old) == .close(RecordOutcome(.failed, .notApplied), live: 1))
    }

    @Test("a candidate that is stored and yet refused at the login is promoted unproven, as no success")
    func storedButRefused() {
        var walk = Walk.verifying()
        walk.on(denied, .inspected([.init(2, .same)]))
        #expect(walk.action == .verify(2))
        #expect(walk.on(denied) == .promote(isProven: false))
        walk.on(.promoted)
        #expect(walk.status == .unverifiable)
    }

    @Test("where nothing can be read back the candidate is made live again and proved")
    func reapplies() {
        var walk = Walk.doubting()
        #expect(walk.on(.inspected([])) == .reapply)
        #expect(walk.on(.installed, .verdict(.proven)) == .promote(isProven: true))
    }

    @Test("logins are guessed only where the worker cannot help, likeliest first")
    func guesses() {
        var walk = Walk.doubting(values: [2, 1, 0])
        #expect(walk.on(.failed(TurnFault(.workerRejected))) == .guess(2))
        #expect(walk.on(denied) == .guess(1))
        #expect(walk.on(.verdict(.proven)) == .close(RecordOutcome(.failed, .notApplied), live: 1))
    }

    @Test("a minimum age that stands against making it live again may come from the change itself: logins tell")
    func ageInDoubt() {
        var walk = Walk.doubting()
        #expect(walk.on(.inspected([]), .failed(TurnFault(.minimumAge))) == .guess(2))
        #expect(walk.on(.verdict(.proven)) == .promote(isProven: true))
    }

    @Test("a policy that stands against it after the old secret was seen to be live ends it with its date")
    func ageAfterKnown() {
        let until = Timestamp(seconds: 1_900_000_000)
        var walk = Walk.doubting()
        walk.on(.inspected([.init(1, .same)]), .failed(TurnFault(.minimumAge, until: until)))
        #expect(walk.action == .close(RecordOutcome(.refused, .minimumAge, until: until), live: 1))
    }

    @Test("locked out is not wrong: nothing is concluded and no further value is tried")
    func lockedOut() {
        var walk = Walk.doubting()
        walk.on(.failed(TurnFault(.workerLockedOut)), .verdict(.lockedOut(words: "later")))
        #expect(walk.isWaiting && walk.turn.memory.guessed.isEmpty && walk.turn.doubt?.reason == .lockedOut)
    }

    @Test("without a login left it waits until there is one, and goes on with what was not tried")
    func loginLimit() {
        let until = Timestamp(seconds: 1_800_100_000)
        var walk = Walk.doubting(values: [2, 1, 0])
        walk.on(.failed(TurnFault(.workerRejected)), denied, denied)
        #expect(walk.action == .guess(0))
        #expect(walk.on(.noLoginLeft(until: until)) == .wait(until: until))
        #expect(walk.on(.resumed) == .inspect)
        #expect(walk.on(.failed(TurnFault(.workerRejected))) == .guess(0))
    }

    @Test("when nothing that is kept is live it stays uncertain, and all is tried again another day")
    func noneOfOurs() {
        var walk = Walk.doubting()
        walk.on(.failed(TurnFault(.workerRejected)), denied, denied)
        #expect(walk.isWaiting && walk.turn.doubt?.reason == .noneOfOurs && walk.turn.isOpen)
        walk.on(.resumed)
        #expect(walk.on(.failed(TurnFault(.workerRejected))) == .guess(2))
    }

    @Test(
        "a host that cannot be reached or is not the one meant gets no login",
        arguments: [
            TurnReason.unreachable, .timedOut, .cut, .hostKeyChanged, .wrongTarget, .noSafeChannel, .paused,
        ])
    func elsewhere(reason: TurnReason) {
        var walk = Walk.doubting()
        walk.on(.failed(TurnFault(reason)))
        #expect(walk.isWaiting && walk.turn.doubt?.reason == reason)
    }

    @Test(
        "taken up from storage in any stage, it looks before it does anything",
        arguments: [
            SecretTurn.Stage.remembering, .sending, .verifying, .promoting, .uncertain,
        ])
    func resumed(stage: SecretTurn.Stage) {
        var memory = SecretTurn.Memory()
        memory.candidate = 2
        var turn = SecretTurn(.init(isGenerated: true, checksConnection: true), stage: stage, memory: memory)
        #expect(turn.handle(.resumed, at: Timestamp(seconds: 1)) == .inspect)
        #expect(turn.doubt?.status == .uncertain && turn.isOpen)
    }

    @Test("without a check a doubt is settled by what the target stores, or by making the candidate live again")
    func unchecked() {
        var walk = Walk.doubting(checks: false)
        #expect(walk.on(.inspected([.init(2, .same)])) == .promote(isProven: false))
        walk = Walk.doubting(checks: false)
        #expect(walk.on(.inspected([]), .installed) == .promote(isProven: false))
        walk.on(.promoted)
        #expect(walk.status == .unverifiable)
    }

    @Test("pauses grow and end at the longest")
    func pauses() {
        var walk = Walk.doubting()
        var last: Int64 = 0
        for _ in 0..<12 {
            walk.on(.failed(TurnFault(.unreachable)))
            guard case .wait(let until) = walk.action else { return #expect(Bool(false), "\(walk.action)") }
            let pause = until.seconds - walk.now.seconds
            #expect(pause >= last && pause <= 3600)
            last = pause
            walk.on(.resumed)
        }
        #expect(last == 3600)
    }
}
