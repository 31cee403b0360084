import Access
import Audit
import Automation
import Connectors
import Cryptography
import Domain
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Turning a secret")
struct SecretTurningTests {
    @Test("a turn sets the new secret, proves it, and makes it current with its record; the old value stays")
    func plain() async throws {
        let shop = try Workshop()
        let report = await shop.turn()
        #expect(report.outcome == RecordOutcome(.success, .proven))
        #expect(report.oldVersion == 1 && report.newVersion == 2)
        #expect(try shop.served() == shop.live && shop.live != Array("old".utf8))
        #expect(try shop.stored().stages == SecretStages(current: 2, previous: 1, last: 2))
        #expect(try shop.stored().connectivity == .ok)
        #expect(try shop.kept()[1] == Array("old".utf8))
        #expect(try shop.open == nil && shop.target.snapshot.retired == ["app"])
        #expect(shop.records.all.map(\.outcome.status) == [.success, .success])
        let steps: [TurnStep] = [.check, .preflight, .remember, .install, .attempt, .verify, .promote, .retire, .close]
        #expect(report.steps.map(\.step) == steps)
        #expect(shop.target.snapshot.rejected.isEmpty)
    }

    @Test("the audit announces the change and says what became of it")
    func audited() async throws {
        let shop = try Workshop(state: { $0.tricks = [.minimumAge(until: Workshop.start.adding(seconds: 86_400))] })
        _ = await shop.turn()
        _ = await shop.turn()
        let entries = try await shop.audit.list(AuditQuery()).records.reversed().map(\.entry)
        #expect(entries.map(\.phase) == [.intent, .outcome, .intent, .outcome])
        #expect(entries[1].outcome == .failed && entries[1].reason == "refused: policy_minimum_age: must wait")
        #expect(entries[3].outcome == .granted && entries.allSatisfy { $0.action.rawValue == "account.rotate" })
    }

    @Test("without the permission nothing is done")
    func forbidden() async throws {
        let shop = try Workshop()
        let nobody = Principal(actor: .system("x"), permissions: [.viewAccount])
        let report = await shop.turning.turn(shop.app.id, in: .default, Workshop.order(), by: nobody)
        #expect(report.outcome.status == .failed && shop.live == Array("old".utf8) && shop.target.snapshot.workerLogins == 0)
    }

    @Test("a reply lost after the change was applied is settled in the same run", arguments: [true, false])
    func appliedThenCut(canCompare: Bool) async throws {
        let shop = try Workshop(state: {
            $0.tricks = [.appliedThenCut]
            $0.canCompare = canCompare
        })
        let report = await shop.turn()
        #expect(report.outcome.status == .success)
        #expect(try shop.served() == shop.live && shop.target.snapshot.rejected.isEmpty)
    }

    @Test("a change lost on the way is made again with the same candidate", arguments: [true, false])
    func cutBefore(canCompare: Bool) async throws {
        let shop = try Workshop(state: {
            $0.tricks = [.cutBefore]
            $0.canCompare = canCompare
        })
        let report = await shop.turn()
        #expect(report.outcome.status == .success && report.newVersion == 2, "\(report)")
        #expect(try shop.served() == shop.live && shop.stored().stages.last == 2)
    }

    @Test("a command that lands after the doubt was settled sets the very secret that is current")
    func landsLate() async throws {
        let shop = try Workshop(state: { $0.tricks = [.late] })
        #expect(await shop.turn().outcome.status == .success)
        shop.target.land()
        #expect(try shop.served() == shop.live)
    }

    @Test("a command that lands after the change was given up leaves a secret that is kept")
    func landsAfterGivingUp() async throws {
        let shop = try Workshop(state: { $0.tricks = [.late, .minimumAge(until: Workshop.start.adding(seconds: 86_400))] })
        let report = await shop.turn()
        #expect(report.outcome.status == .refused)
        #expect(try shop.served() == Array("old".utf8))
        shop.target.land()
        #expect(try shop.kept().values.contains(shop.live ?? []))
    }

    @Test(
        "a command that lands after a later change is found by the next check, and what is live is served again",
        arguments: [true, false])
    func landsAfterAnotherChange(hasLogins: Bool) async throws {
        let shop = try Workshop({ if !hasLogins { $0.logins.count = 1 } }, state: { $0.tricks = [.late] })
        #expect(await shop.turn().outcome.status == .success)
        let early = shop.live
        #expect(await shop.turn().outcome.status == .success)
        shop.target.land()
        #expect(try shop.live == early && shop.served() != early)
        let report = await shop.turning.verify(shop.app.id, in: .default, by: Workshop.principal)
        #expect(report.outcome.status == (hasLogins ? .success : .unverifiable) && report.newVersion == 2, "\(report)")
        #expect(try shop.served() == early && shop.stored().stages.current == 2)
        #expect(shop.records.all.last?.outcome == report.outcome)
        #expect(shop.target.snapshot.rejected["app"] == 1)
        // A check that changes what is served says so in the audit; and says no more than was seen.
        let entries = try await shop.audit.list(AuditQuery()).records.map(\.entry)
        let remark = entries.map(\.reason).first { $0.contains("made current") }
        let seen = hasLogins ? "is live" : "is what the target stores"
        #expect(remark?.hasSuffix("Version 3 was rejected. Version 2 \(seen), and was made current.") == true, "\(entries)")
        #expect(report.outcome.words == "Version 3 was rejected. Version 2 \(seen), and was made current.")
        // Where nothing can be read back, or nothing of ours is there, it says no and moves nothing.
        shop.clock.advance(seconds: 86_402)
        shop.target.with { $0.live["app"] = Array("of somebody else".utf8) }
        let foreign = await shop.turning.verify(shop.app.id, in: .default, by: Workshop.principal)
        #expect(foreign.outcome == RecordOutcome(.failed, .rejected, words: foreign.outcome.words))
        #expect(try shop.stored().stages.current == 2)
    }

    @Test("while it is in doubt reads serve the value that last proved itself, and the doubt is told")
    func inDoubt() async throws {
        let shop = try Workshop(state: { $0.tricks = [.appliedThenCut] })
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        let report = await shop.turn()
        #expect(report.outcome.status == .uncertain && report.outcome.until != nil)
        #expect(try shop.served() == Array("old".utf8))
        #expect(try shop.open?.word == "uncertain" && shop.stored().stages.pending == 2)
        #expect(await shop.turn().outcome.reason == .changeOpen)
        try await shop.settle()
        #expect(try shop.served() == shop.live && shop.open == nil)
    }

    @Test(
        "a target that says yes and does nothing is a failure, the old secret stays, and logins keep their limit",
        arguments: [true, false])
    func liar(canCompare: Bool) async throws {
        let shop = try Workshop(state: {
            $0.lies = true
            $0.canCompare = canCompare
        })
        let report = await shop.turn()
        #expect(report.outcome.status != .success)
        let settled = try await shop.settle()
        #expect((settled.last ?? report).outcome == RecordOutcome(.failed, .notApplied))
        #expect(try shop.served() == shop.live && shop.open == nil)
        #expect(shop.target.snapshot.rejected["app"] ?? 0 <= 2)
    }

    @Test("a target that lets in anybody never ends in success, and the new value counts as unproven")
    func letsInAnybody() async throws {
        let shop = try Workshop(state: { $0.letsInAnybody = true })
        let report = await shop.turn()
        #expect(report.outcome == RecordOutcome(.unverifiable, .noProof, words: "lets in anybody"))
        let app = shop.app.id
        let sent = try await shop.database.read { try SentSecrets.get(2, of: app, in: .default, on: $0) }
        #expect(sent != nil && sent?.dateProven == nil && shop.target.snapshot.retired.isEmpty)
        #expect(try shop.served() == shop.live && shop.kept()[1] != nil)
    }

    @Test("without the check the new secret is promoted unproven, and that is no success")
    func unchecked() async throws {
        let shop = try Workshop()
        let report = await shop.turn { $0.checksConnection = false }
        #expect(report.outcome == RecordOutcome(.unverifiable, .notChecked))
        #expect(try shop.served() == shop.live && shop.open == nil)
    }

    @Test("candidates refused for their quality are replaced at most twice, and each stays kept")
    func quality() async throws {
        let shop = try Workshop(state: { $0.tricks = [.quality, .quality] })
        #expect(await shop.turn().newVersion == 4)
        #expect(try shop.served() == shop.live && shop.kept().count == 4)
        let other = try Workshop(state: { $0.tricks = [.quality, .quality, .quality] })
        let report = await other.turn()
        #expect(report.outcome == RecordOutcome(.refused, .quality, words: "too simple"))
        #expect(try other.served() == Array("old".utf8) && other.stored().stages.pending == nil && other.open == nil)
    }

    @Test("a specified secret is set as it is")
    func specified() async throws {
        let shop = try Workshop()
        let report = await shop.turn { $0.strategy = .specific(.init(secret("chosen"))) }
        #expect(report.outcome.status == .success && shop.live == Array("chosen".utf8))
    }

    @Test("restoring puts a kept value back on the target, as a new version")
    func restore() async throws {
        let shop = try Workshop()
        _ = await shop.turn()
        let report = await shop.turning.restore(1, of: shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success && report.newVersion == 3)
        #expect(try shop.live == Array("old".utf8) && shop.served() == shop.live)
    }

    @Test("of two pieces of work on one account at the same time one is turned away")
    func together() async throws {
        let shop = try Workshop()
        async let one = shop.turn()
        async let other = shop.turn()
        let outcomes = await [one.outcome, other.outcome]
        #expect(outcomes.contains { $0.status == .success })
        #expect(try shop.served() == shop.live && shop.open == nil)
    }
}

@Suite("What stands against a turn")
struct TurnRefusalTests {
    private func refusal(
        _ change: @Sendable (inout Account) -> Void = { _ in }, order: (inout TurnOrder) -> Void = { _ in }
    ) async throws -> (RecordOutcome, SimulatedTarget.State) {
        let shop = try Workshop()
        try shop.edit(shop.app.id, change)
        let report = await shop.turn(order)
        #expect(try shop.open == nil)
        #expect(shop.live == Array("old".utf8))
        return (report.outcome, shop.target.snapshot)
    }

    @Test("an account that is off, excluded, privileged or of another kind is skipped before the target hears of it")
    func local() async throws {
        var (outcome, state) = try await refusal { $0.isActive = false }
        #expect(outcome.reason == .inactive && state.workerLogins == 0)
        (outcome, state) = try await refusal { $0.secretReset = false }
        #expect(outcome.reason == .excluded && state.workerLogins == 0)
        (outcome, state) = try await refusal { $0.privileged = true }
        #expect(outcome.reason == .secureMode && state.workerLogins == 0)
        (outcome, state) = try await refusal { $0.secretType = .token }
        #expect(outcome.reason == .secretType && state.workerLogins == 0)
    }

    @Test("without a privileged account the asset is skipped, and nobody else is picked")
    func noWorker() async throws {
        let shop = try Workshop()
        try shop.edit(shop.worker.id) { $0.privileged = false }
        #expect(await shop.turn().outcome == RecordOutcome(.skipped, .noWorker))
        #expect(await shop.turn { $0.worker = shop.worker.id }.outcome.status == .success)
    }

    @Test("the account that does the work is not changed by it, under no name")
    func itself() async throws {
        let shop = try Workshop()
        let report = await shop.turning.turn(
            shop.worker.id, in: .default,
            Workshop.order {
                $0.allowsPrivileged = true
                $0.worker = shop.worker.id
            }, by: Workshop.principal)
        #expect(report.outcome.reason == .secureMode)
        #expect(shop.target.snapshot.installs == 0)
    }

    @Test("a privileged account is changed when a person has confirmed it and two ways in are alive")
    func privileged() async throws {
        let shop = try Workshop()
        try shop.edit(shop.app.id) { $0.privileged = true }
        #expect(await shop.turn { $0.allowsPrivileged = true }.outcome.status == .success)
        let other = try Workshop(state: { $0.live["app"] = Array("changed by somebody".utf8) })
        try other.edit(other.app.id) { $0.privileged = true }
        let report = await other.turn { $0.allowsPrivileged = true }
        #expect(report.outcome.reason == .secureMode && other.target.snapshot.installs == 0)
    }

    @Test("an account of the target's system needs a person's word")
    func systemAccount() async throws {
        let shop = try Workshop(state: { $0.systemAccounts = ["app"] })
        #expect(await shop.turn().outcome.reason == .systemAccount)
        #expect(await shop.turn { $0.allowsSystemAccounts = true }.outcome.status == .success)
    }

    @Test("an account that is not on the target is no change")
    func absent() async throws {
        let shop = try Workshop(state: { $0.live["app"] = nil })
        #expect(await shop.turn().outcome == RecordOutcome(.failed, .noSuchAccount))
    }

    @Test("another system behind the address than the pinned one gets nothing")
    func anotherSystem() async throws {
        let shop = try Workshop()
        #expect(await shop.turn().outcome.status == .success)
        let before = shop.target.snapshot
        shop.target.with { $0.system = .database(kind: "simulated", identifier: "S2") }
        #expect(await shop.turn().outcome.reason == .wrongTarget)
        #expect(shop.target.snapshot.installs == before.installs && shop.live == before.live["app"])
    }

    @Test("a changed host key stops with a state of its own")
    func hostKey() async throws {
        let shop = try Workshop(state: { $0.system = .sshHostKey("SHA256:one") })
        #expect(await shop.turn().outcome.status == .success)
        shop.target.with { $0.system = .sshHostKey("SHA256:two") }
        #expect(await shop.turn().outcome == RecordOutcome(.failed, .hostKeyChanged, words: "SHA256:two"))
    }

    @Test("two accounts that mean the same user of the same system are not turned one after the other")
    func sameTarget() async throws {
        let shop = try Workshop()
        #expect(await shop.turn().outcome.status == .success)
        let asset = Workshop.asset(2, name: "db by its other name")
        let (worker, app) = (
            Workshop.account(11, on: asset, name: "admin", privileged: true), Workshop.account(12, on: asset, name: "app")
        )
        try shop.add(asset)
        try shop.add(worker, secret: "admin-secret")
        try shop.add(app, secret: "old")
        let live = shop.live
        let report = await shop.turning.turn(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.reason == .sameTarget && report.outcome.words.contains(shop.app.id.description))
        #expect(shop.live == live)
    }

    @Test("a worker that was rejected is not tried beyond the limit, whoever asks")
    func worker() async throws {
        let shop = try Workshop(state: { $0.live["admin"] = Array("another".utf8) })
        for _ in 0..<6 { #expect(await shop.turn().outcome.reason == .workerRejected) }
        #expect(shop.target.snapshot.rejected["admin"] == 2)
        shop.clock.advance(seconds: 86_500)
        _ = await shop.turn()
        #expect(shop.target.snapshot.rejected["admin"] == 3)
    }

    @Test("a target that says the worker's secret in its words has it in no record and no log")
    func echoes() async throws {
        let words = "you said admin-secret; old was it before"
        let shop = try Workshop(state: { $0.workerFault = ConnectorFault(.notPermitted, effect: .none, words: words) })
        _ = await shop.turn()
        _ = await shop.turning.remove(shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        shop.target.with {
            $0.workerFault = nil
            $0.logins = [
                .success(.lockedOut(words: words)), .failure(ConnectorFault(.timedOut, effect: .none, words: words)), nil,
            ]
        }
        _ = await shop.turn()
        let said = shop.records.all.flatMap { [$0.outcome.words] + $0.steps.map(\.words) }
        #expect(said.contains { $0.contains("you said") } && !said.contains { $0.contains("admin-secret") })
    }

    @Test("a cancelled turn has sent nothing")
    func cancelled() async throws {
        let shop = try Workshop()
        let task = Task { await shop.turn() }
        task.cancel()
        let report = await task.value
        #expect(report.outcome.reason == .cancelled || report.outcome.status == .success)
        #expect(try shop.served() == shop.live && shop.open == nil)
    }
}
