import Automation
import Connectors
import Domain
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// What the process left behind when it was killed after a step: the database as it was durable, and the target as it was.
private struct Remains: Sendable {
    let step: TurnStep
    let path: String
    let target: SimulatedTarget.State
    let now: Timestamp
}

@Suite("Settling open changes")
struct SettlementTests {
    /// Runs a turn and copies database and target after every step: each copy is what a kill at that instant leaves.
    private static func killings(
        _ state: @escaping (inout SimulatedTarget.State) -> Void
    ) async throws -> (shop: Workshop, remains: [Remains]) {
        let found = Mutex<[Remains]>([])
        let holder = Holder()
        let shop = try Workshop(
            { parts in
                parts.probe = StepProbe { step, _ in
                    guard let shop = holder.shop else { return }
                    let path = shop.directory.file("copy-\(UInt64.random(in: 0...UInt64.max)).db")
                    do { try shop.database.backupSync(to: path) } catch { return }
                    found.withLock {
                        $0.append(
                            Remains(step: step, path: path, target: shop.target.snapshot, now: shop.clock.wall.now()))
                    }
                }
            }, state: state)
        holder.set(shop)
        let report = await shop.turn()
        if report.outcome.status == .uncertain { try await shop.settle() }
        holder.set(nil)
        return (shop, found.withLock { $0 })
    }

    static let situations: [(String, @Sendable (inout SimulatedTarget.State) -> Void)] = [
        ("plain", { _ in }),
        ("nothing can be read back", { $0.canCompare = false }),
        ("applied, reply lost", { $0.tricks = [.appliedThenCut] }),
        (
            "applied, reply lost, nothing can be read back",
            {
                $0.tricks = [.appliedThenCut]
                $0.canCompare = false
            }
        ),
        ("lost on the way", { $0.tricks = [.cutBefore] }),
        ("late", { $0.tricks = [.late] }),
        ("late, and refused", { $0.tricks = [.late, .minimumAge(until: Workshop.start.adding(seconds: 86_400))] }),
        ("quality", { $0.tricks = [.quality, .quality] }),
        ("lies", { $0.lies = true }),
        (
            "lies, nothing can be read back",
            {
                $0.lies = true
                $0.canCompare = false
            }
        ),
        ("lets in anybody", { $0.letsInAnybody = true }),
        ("has to be seen refusing", { $0.controls = true }),
    ]

    @Test("killed after any step, a start finds out which secret is live, and none is lost", arguments: 0..<situations.count)
    func killed(number: Int) async throws {
        let (name, state) = Self.situations[number]
        let (shop, remains) = try await Self.killings(state)
        #expect(remains.count >= 8, "\(name)")
        for remain in remains {
            let target = SimulatedTarget(remain.target)
            let start = try Workshop(copyOf: remain.path, in: shop.directory, target: target, at: remain.now, like: shop)
            let place = "\(name), after \(remain.step.name)"
            #expect(try start.kept().values.contains(start.live ?? []), "\(place): the live secret is lost")
            let reports = try await start.settle()
            #expect(try start.open == nil, "\(place): still open: \(reports.suffix(2))")
            #expect(try start.served() == start.live, "\(place): another secret is served than is live")
            target.land()
            #expect(try start.kept().values.contains(start.live ?? []), "\(place): lost by what landed late")
            #expect(target.snapshot.rejected["app"] ?? 0 <= 4, "\(place): \(target.snapshot.rejected)")
        }
    }

    @Test("a crash loop makes no more rejected logins than the limit allows")
    func crashLoop() async throws {
        // The worker cannot get in and the target holds a secret of somebody else: only logins could tell.
        let shop = try Workshop(state: {
            $0.tricks = [.cutBefore]
            $0.canCompare = false
        })
        shop.target.with { state in
            state.tricks = [.appliedThenCut]
            state.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
        }
        _ = await shop.turn()
        shop.target.with {
            $0.live["app"] = Array("of somebody else".utf8)
            $0.workerFault = ConnectorFault(.loginRejected, effect: .none)
        }
        for _ in 0..<20 {
            _ = try await shop.turning.settle(shop.app.id, in: .default, by: Workshop.principal)
        }
        #expect(shop.target.snapshot.rejected["app"] ?? 0 <= 2)
        #expect(try shop.open?.turn.doubt?.status == .uncertain)
    }

    @Test("when the worker is locked out, the account's own logins tell, within their limit and over days")
    func guesses() async throws {
        let shop = try Workshop(state: {
            $0.tricks = [.cutBefore]
            $0.logins = []
        })
        shop.target.with { state in
            state.tricks = [.cutBefore]
            state.workerFault = nil
        }
        // The worker is locked out right after the command went.
        let locked = Workshop.LockAfterInstall(shop.target)
        defer { locked.end() }
        let report = await shop.turn()
        #expect(report.outcome.status == .failed || report.outcome.status == .uncertain)
        try await shop.settle()
        #expect(try shop.open == nil && shop.served() == Array("old".utf8))
        #expect(shop.target.snapshot.rejected["app"] ?? 0 <= 2)
    }

    @Test("when nobody is left to work for it, the account's own logins tell")
    func withoutWorker() async throws {
        let shop = try Workshop(state: {
            $0.tricks = [.appliedThenCut]
            $0.canCompare = false
            $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))]
        })
        #expect(await shop.turn().outcome.status == .uncertain)
        try shop.edit(shop.worker.id) { $0.isActive = false }
        try await shop.settle()
        #expect(try shop.open == nil && shop.served() == shop.live && shop.live != Array("old".utf8))
    }

    @Test("turns that begin together do not use up the logins of the worker that they have in common")
    func commonWorker() async throws {
        let shop = try Workshop({ $0.logins.count = 2 })
        let others = (10..<20).map { Workshop.account($0, on: shop.asset, name: "app\($0)") }
        for other in others {
            try shop.add(other, secret: "old")
            shop.target.with { $0.live[other.username] = Array("old".utf8) }
        }
        let reports = await withTaskGroup(of: TurnReport.self) { group in
            for other in others {
                group.addTask { await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal) }
            }
            return await group.reduce(into: [TurnReport]()) { $0.append($1) }
        }
        #expect(reports.allSatisfy { $0.outcome.status == .success }, "\(reports.map(\.outcome))")
        // A worker whose secret is wrong is rejected no more often than it may be.
        let bad = try Workshop(state: { $0.live["admin"] = Array("another".utf8) })
        for other in others { try bad.add(other, secret: "old") }
        await withTaskGroup(of: Void.self) { group in
            for other in others {
                group.addTask { _ = await bad.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal) }
            }
        }
        #expect(bad.target.snapshot.rejected["admin"] == 2)
    }

    @Test(
        "a worker's password that was changed behind our back is rejected no more often than the limit, however many work with it"
    )
    func workerChangedMeanwhile() async throws {
        let shop = try Workshop()
        let others = (10..<22).map { Workshop.account($0, on: shop.asset, name: "app\($0)") }
        for other in others {
            try shop.add(other, secret: "old")
            shop.target.with { $0.live[other.username] = Array("old".utf8) }
        }
        #expect(await shop.turn().outcome.status == .success)
        shop.target.with { $0.live["admin"] = Array("another".utf8) }
        let reports = await withTaskGroup(of: TurnReport.self) { group in
            for other in others {
                group.addTask { await shop.turning.turn(other.id, in: .default, Workshop.order(), by: Workshop.principal) }
            }
            return await group.reduce(into: [TurnReport]()) { $0.append($1) }
        }
        #expect(reports.allSatisfy { $0.outcome.reason == .workerRejected }, "\(reports.map(\.outcome))")
        #expect(shop.target.snapshot.rejected["admin"] == 2)
    }

    @Test("a worker's login is durable before it is made each time, so that a kill at any login leaves it counted")
    func workerKilled() async throws {
        let shop = try Workshop()
        var rejections = 0
        #expect(await shop.turn().outcome.status == .success)
        // Its password is changed outside, and each process dies at the door.
        var path = shop.directory.file("killed-0.db")
        try shop.database.backupSync(to: path)
        for round in 1...5 {
            let target = SimulatedTarget(shop.target.snapshot)
            let start = try Workshop(
                copyOf: path, in: shop.directory, target: target, at: shop.clock.wall.now(), like: shop,
                connectorFor: { _ in target })
            let next = shop.directory.file("killed-\(round).db")
            // The first one was let in a moment before.
            if round == 1 { #expect(await start.turn().outcome.status == .success) }
            target.with { state in
                state.live["admin"] = Array("another".utf8)
                state.atWorker = { do { try start.database.backupSync(to: next) } catch {} }
            }
            _ = await start.turn()
            let seen = target.snapshot.rejected["admin"] ?? 0
            rejections += seen
            guard seen > 0 else { break }
            path = next
        }
        #expect(rejections == 2)
    }

    @Test("what crashes leave of a worker's logins does not use up its day, once it was let in again; rejected ones do")
    func workerAfterCrashes() async throws {
        var shop = try Workshop()
        for round in 1...4 {
            try shop.leaveLogin(of: shop.worker)
            let path = shop.directory.file("crash-\(round).db")
            try shop.database.backupSync(to: path)
            shop = try Workshop(
                copyOf: path, in: shop.directory, target: shop.target, at: shop.clock.wall.now(), like: shop)
            #expect(await shop.turn().outcome.status == .success, "crash \(round)")
        }
        let other = try Workshop()
        for _ in 1...2 { try other.leaveLogin(of: other.worker, .rejected) }
        #expect(await other.turn().outcome.reason == .workerRejected)
    }

    @Test("a wrong login on purpose counts like any other, and one that was refused is enough for a day")
    func controlLogins() async throws {
        let shop = try Workshop({ $0.logins.count = 1 }, state: { $0.controls = true })
        #expect(await shop.turn().outcome.status == .success)
        #expect(shop.target.snapshot.rejected["app"] == 1)
        // The day's only login is used up.
        #expect(await shop.turn().outcome.reason == .noLoginLeft)
        let report = await shop.turning.verify(shop.app.id, in: .default, by: Workshop.principal)
        #expect(report.outcome.reason == .noLoginLeft && shop.target.snapshot.rejected["app"] == 1)
    }

    @Test("a target that refused a wrong login is not tried again before a day is over, whoever asks and after a restart too")
    func controlOnceADay() async throws {
        let shop = try Workshop(state: { $0.controls = true })
        for _ in 0..<3 { #expect(await shop.turn().outcome.status == .success) }
        let path = shop.directory.file("copy.db")
        try shop.database.backupSync(to: path)
        let now = shop.clock.wall.now()
        let start = try Workshop(copyOf: path, in: shop.directory, target: shop.target, at: now, like: shop)
        #expect(await start.turn().outcome.status == .success)
        let report = await start.turning.verify(shop.app.id, in: .default, by: Workshop.principal)
        #expect(report.outcome.status == .success && shop.target.snapshot.rejected["app"] == 1)
        start.clock.advance(seconds: 86_402)
        #expect(await start.turn().outcome.status == .success)
        #expect(shop.target.snapshot.rejected["app"] == 2)
    }

    @Test("a sealed vault settles nothing, and does after it was opened")
    func sealed() async throws {
        let shop = try Workshop(state: { $0.tricks = [.appliedThenCut] })
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        _ = await shop.turn()
        shop.clock.advance(seconds: 3600)
        shop.keyring.seal()
        #expect(try await Settlement(shop.turning).pass().isEmpty)
        try shop.keyring.unseal(with: KeyFileUnsealer(directory: shop.directory.file("keys")))
        let reports = try await Settlement(shop.turning).pass()
        #expect(reports.map(\.outcome.status) == [.success])
        #expect(try shop.served() == shop.live)
    }

    @Test(
        "an open change whose row was tampered with sends nothing and stays",
        arguments: [
            "UPDATE secret_changes SET stage = 'retiring'", "UPDATE secret_changes SET account_id = account_id, not_before = 1",
            "UPDATE secret_changes SET identity = x'00'",
        ])
    func tampered(statement: String) async throws {
        let shop = try Workshop(state: { $0.tricks = [.appliedThenCut] })
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        _ = await shop.turn()
        let connection = try shop.database.makeConfinedConnection(writable: true)
        try connection.execute(SQLQuery(rendered: statement))
        shop.clock.advance(seconds: 7200)
        let before = shop.target.snapshot
        #expect(try await Settlement(shop.turning).pass().isEmpty)
        #expect(shop.target.snapshot.workerLogins == before.workerLogins)
    }

    @Test("figures tell how many are in doubt and since when")
    func figures() async throws {
        let shop = try Workshop(state: { $0.tricks = [.appliedThenCut] })
        #expect(try await Settlement(shop.turning).figures().uncertain == 0)
        shop.target.with { $0.logins = [.failure(ConnectorFault(.timedOut, effect: .none))] }
        _ = await shop.turn()
        let figures = try await Settlement(shop.turning).figures()
        #expect(figures.uncertain == 1 && figures.since == Workshop.start)
    }
}

/// Breaks the circle between a workshop and its probe.
private final class Holder: Sendable {
    private let held = Mutex<Workshop?>(nil)
    var shop: Workshop? { held.withLock { $0 } }
    func set(_ shop: Workshop?) { held.withLock { $0 = shop } }
}

extension Workshop {
    /// Locks the worker out of a target as soon as something was installed or lost.
    final class LockAfterInstall: Sendable {
        private let target: SimulatedTarget

        init(_ target: SimulatedTarget) {
            self.target = target
            target.with { $0.locksWorkerAfterInstall = true }
        }

        func end() { target.with { $0.locksWorkerAfterInstall = false } }
    }
}

extension Workshop {
    /// Writes down a login of a worker that is about to be made, as a process does that is killed then; or one that ended.
    fileprivate func leaveLogin(of worker: Account, _ outcome: LoginAttempts.Outcome? = nil) throws {
        let (id, now) = (LoginAttempts.ID.random(), clock.wall.now())
        try database.writeSync { db in
            try LoginAttempts.begin(
                id, account: worker.id, identity: worker.id.bytes, version: 1, in: .default, at: now, on: db)
            if let outcome { try LoginAttempts.end(id, outcome, on: db) }
        }
    }
}
