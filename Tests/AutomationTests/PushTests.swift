import Automation
import Connectors
import Domain
import Testing

@Suite("Pushing, verifying and removing accounts")
struct PushTests {
    private func push(_ shop: Workshop, _ account: AccountID? = nil, _ change: (inout TurnOrder) -> Void = { _ in }) async
        -> TurnReport
    {
        await shop.turning.push(account ?? shop.app.id, in: .default, Workshop.order(change), by: Workshop.principal)
    }

    @Test("not on the target, kept here: created with the secret that is kept")
    func created() async throws {
        let shop = try Workshop(state: { $0.live["app"] = nil })
        let report = await push(shop)
        #expect(report.outcome.status == .success && shop.live == Array("old".utf8))
        #expect(try shop.stored().stages == SecretStages(current: 1, last: 1) && shop.open == nil)
    }

    @Test("neither there nor here: created with a new secret, which is kept before it is sent")
    func createdNew() async throws {
        let shop = try Workshop(state: { $0.live["app"] = nil })
        let new = Workshop.account(9, on: shop.asset, name: "new")
        try shop.add(new, secret: nil)
        let report = await push(shop, new.id)
        #expect(report.outcome.status == .success)
        #expect(try shop.target.snapshot.live["new"] == shop.served(new.id))
    }

    @Test("there and here: nothing happens, though the secrets differ; an option says otherwise")
    func untouched() async throws {
        let shop = try Workshop(state: { $0.live["app"] = Array("theirs".utf8) })
        #expect(await push(shop).outcome.reason == .unchanged)
        #expect(shop.live == Array("theirs".utf8) && shop.target.snapshot.events.isEmpty)
        #expect(await push(shop) { $0.existing = .updateAttributes }.outcome.reason == .unchanged)
        #expect(shop.live == Array("theirs".utf8) && shop.target.snapshot.events == ["update app"])
        #expect(await push(shop) { $0.existing = .setSecret }.outcome.status == .success)
        #expect(try shop.live == Array("old".utf8) && shop.served() == shop.live)
    }

    @Test("there and not here: the secret on the target is changed and kept")
    func adopted() async throws {
        let shop = try Workshop(state: { $0.live["new"] = Array("theirs".utf8) })
        let new = Workshop.account(9, on: shop.asset, name: "new")
        try shop.add(new, secret: nil)
        #expect(await push(shop, new.id).outcome.status == .success)
        #expect(try shop.target.snapshot.live["new"] == shop.served(new.id))
        #expect(shop.target.snapshot.live["new"] != Array("theirs".utf8))
    }

    @Test("a lost reply to a creation is settled", arguments: [SimulatedTarget.Trick.appliedThenCut, .cutBefore, .late])
    func lostCreation(trick: SimulatedTarget.Trick) async throws {
        let shop = try Workshop(state: {
            $0.live["app"] = nil
            $0.tricks = [trick]
        })
        _ = await push(shop)
        try await shop.settle()
        #expect(try shop.live == Array("old".utf8) && shop.served() == shop.live && shop.open == nil)
    }

    @Test(
        "an account of the same name at another host is another account", arguments: [nil, SimulatedTarget.Trick.appliedThenCut])
    func hosts(trick: SimulatedTarget.Trick?) async throws {
        let shop = try Workshop(state: {
            $0.isHosted = true
            $0.live["app@%"] = Array("theirs".utf8)
            $0.tricks = trick.map { [$0] } ?? []
            $0.logins = trick == nil ? [] : [.failure(ConnectorFault(.timedOut, effect: .none))]
        })
        _ = await push(shop) { $0.parameters = ["account_host": "10.%"] }
        try await shop.settle()
        #expect(shop.target.snapshot.live["app@10.%"] == Array("old".utf8))
        #expect(shop.target.snapshot.live["app@%"] == Array("theirs".utf8))
        #expect(try shop.open == nil)
        // It is the same one that is changed later.
        let report = await shop.turn { $0.parameters = ["account_host": "10.%"] }
        #expect(report.outcome.status == .success)
        #expect(try shop.target.snapshot.live["app@10.%"] == shop.served())
        #expect(shop.target.snapshot.live["app@%"] == Array("theirs".utf8))
    }

    @Test("verifying makes one login, and says what it found")
    func verify() async throws {
        let shop = try Workshop()
        func verify() async -> RecordOutcome {
            await shop.turning.verify(shop.app.id, in: .default, by: Workshop.principal).outcome
        }
        #expect(await verify() == RecordOutcome(.success, .proven))
        #expect(try shop.stored().dateVerified == Workshop.start && shop.stored().connectivity == .ok)
        shop.target.with { $0.live["app"] = Array("other".utf8) }
        #expect(await verify().reason == .rejected)
        #expect(try shop.stored().connectivity == .passwordError)
        #expect(await verify().reason == .rejected)
        #expect(await verify().reason == .noLoginLeft)
        #expect(shop.target.snapshot.rejected["app"] == 2)
        shop.clock.advance(seconds: 90_000)
        shop.target.with { $0.logins = [.success(.lockedOut(words: "try later"))] }
        #expect(await verify() == RecordOutcome(.failed, .lockedOut, words: "try later"))
    }

    @Test("a rejected login to an account that is switched off says nothing about its secret")
    func switchedOff() async throws {
        let shop = try Workshop(state: { $0.locked = ["app"] })
        let report = await shop.turning.verify(shop.app.id, in: .default, by: Workshop.principal)
        #expect(report.outcome.reason == .lockedOut)
        #expect(try shop.stored().connectivity == .authenticationError)
    }

    @Test("a candidate that is applied again after a doubt is not prepared again")
    func reapplied() async throws {
        let shop = try Workshop(state: { $0.tricks = [.cutBefore] })
        _ = await shop.turn()
        try await shop.settle()
        #expect(try shop.served() == shop.live && shop.live != Array("old".utf8) && shop.open == nil)
        #expect(shop.target.snapshot.preparations == 1)
    }

    @Test("a removed account is gone from the target and kept here, switched off")
    func remove() async throws {
        let shop = try Workshop()
        let report = await shop.turning.remove(shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .success && shop.live == nil)
        #expect(try !shop.stored().isActive && shop.kept()[1] == Array("old".utf8))
    }

    @Test("system accounts are not removed")
    func systemAccounts() async throws {
        let shop = try Workshop(state: { $0.systemAccounts = ["app"] })
        let report = await shop.turning.remove(shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.reason == .systemAccount && shop.live != nil)
    }
}
