import Access
import Automation
import Connectors
import Domain
import Sealing
import Storage
import Testing

/// An organization that is switched off may be about to be deleted, with the keys of every secret that would be set.
@Suite("Work in an organization that is switched off")
struct OrganizationOffTests {
    private static func set(_ isActive: Bool, in database: Database, _ keys: RowKeeper) async throws {
        let keys = try keys.keys()
        try await database.write { db in
            var organization = try keys.verified(Organizations.get(.default, on: db))
            organization.isActive = isActive
            _ = try Organizations.update(keys.authenticated(organization), on: db)
        }
    }

    @Test("nothing is begun in it: no change, no push, no removal and no login")
    func begun() async throws {
        let shop = try Workshop()
        try await Self.set(false, in: shop.database, shop.turning.parts.keyring)
        let (turning, app, principal) = (shop.turning, shop.app.id, Workshop.principal)
        let reports = [
            await shop.turn(), await turning.push(app, in: .default, Workshop.order(), by: principal),
            await turning.remove(app, in: .default, Workshop.order(), by: principal),
            await turning.verify(app, in: .default, by: principal),
        ]
        for report in reports {
            #expect(report.outcome.status == .skipped && report.outcome.words == "The organization is switched off.")
        }
        #expect(try shop.live == Array("old".utf8) && shop.open == nil && shop.kept().count == 1)
        try await Self.set(true, in: shop.database, shop.turning.parts.keyring)
        #expect(await shop.turn().outcome.status == .success)
    }

    @Test("what is switched off between the check and the candidate's commit keeps it from being sent")
    func meanwhile() async throws {
        let shop = try Workshop({ parts in
            parts.probe = StepProbe { [database = parts.database, keys = parts.keyring] step, _ in
                guard step == .preflight else { return }
                do { try await Self.set(false, in: database, keys) } catch { Issue.record(error) }
            }
        })
        let report = await shop.turn()
        #expect(report.outcome.status == .skipped && report.outcome.words == "The organization is switched off.")
        #expect(try shop.live == Array("old".utf8) && shop.open == nil && shop.kept().count == 1)
    }

    @Test("a change that was open is settled all the same: its secret may be live")
    func settled() async throws {
        let shop = try Workshop(state: { $0.tricks = [.appliedThenCut] })
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        #expect(await shop.turn().outcome.status == .uncertain)
        try await Self.set(false, in: shop.database, shop.turning.parts.keyring)
        try await shop.settle()
        #expect(try shop.open == nil && shop.served() == shop.live)
    }

    @Test("its tasks are not started, and start when it is on again")
    func scheduled() async throws {
        let yard = try TestYard()
        let order = TaskOrder(kind: .changeSecret, accounts: [TaskOrder.allAccounts])
        let timing = TaskTiming(isPeriodic: true, interval: 1, start: TestYard.start, since: TestYard.start)
        try yard.addTask("t", order, timing: timing)
        let desk = TaskDesk(yard.parts())
        yard.setClock(3600)
        try await Self.set(false, in: yard.database, yard.keys)
        #expect(try await desk.startDue() == 0)
        #expect(try yard.executions().isEmpty)
        try await Self.set(true, in: yard.database, yard.keys)
        #expect(try await desk.startDue() == 1)
    }
}
