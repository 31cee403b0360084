import Automation
import Connectors
import Domain
import Sealing
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// An account is taken away from its target, and the answer is lost, late, or never given.
@Suite("Removing accounts")
struct RemovalTests {
    private static func remove(_ shop: Workshop) async -> TurnReport {
        await shop.turning.remove(shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
    }

    @Test("the open change is durable before the target is asked")
    func remembered() async throws {
        let seen = Mutex<[(OpenChange.Kind?, Bool)]>([])
        let holder = Mutex<Workshop?>(nil)
        let shop = try Workshop({ parts in
            parts.probe = StepProbe { step, _ in
                guard step == .remember, let shop = holder.withLock({ $0 }) else { return }
                let kind = try? shop.open?.kind
                seen.withLock { $0.append((kind, shop.live != nil)) }
            }
        })
        holder.withLock { $0 = shop }
        #expect(await Self.remove(shop).outcome.status == .success)
        holder.withLock { $0 = nil }
        let steps = seen.withLock { $0 }
        #expect(steps.count == 1 && steps.first?.0 == .remove && steps.first?.1 == true)
        #expect(try shop.open == nil && shop.live == nil && !shop.stored().isActive)
    }

    @Test("a lost answer is settled at once by what the worker sees", arguments: [true, false])
    func lostReply(isApplied: Bool) async throws {
        let shop = try Workshop(state: { $0.removals = [isApplied ? .appliedThenCut : .cutBefore] })
        let report = await Self.remove(shop)
        #expect(report.outcome.status == .success, "\(report)")
        #expect(shop.live == nil && shop.target.snapshot.removalCount == (isApplied ? 1 : 2))
        #expect(try shop.open == nil && !shop.stored().isActive && shop.kept()[1] == Array("old".utf8))
    }

    @Test(
        "what still names it on the target is in the record's words, whatever way it went",
        arguments: [nil, SimulatedTarget.Trick.appliedThenCut, .cutBefore])
    func remains(trick: SimulatedTarget.Trick?) async throws {
        let shop = try Workshop(state: {
            $0.removals = trick.map { [$0] } ?? []
            $0.remains = "The host still names it in /etc/sudoers.d/site."
        })
        let report = await Self.remove(shop)
        #expect(report.outcome.status == .success && report.outcome.words.contains("/etc/sudoers.d/site"), "\(report)")
        #expect(shop.records.all.last?.outcome.words.contains("/etc/sudoers.d/site") == true)
    }

    @Test("one that is not found is not taken for gone where that does not say so, before it is asked for and in doubt")
    func silent() async throws {
        let shop = try Workshop(state: {
            $0.live["app"] = nil
            $0.silent = ["app"]
        })
        let report = await Self.remove(shop)
        #expect(report.outcome.status == .failed && report.outcome.reason == .unsupported, "\(report)")
        #expect(try shop.stored().isActive && shop.open == nil)

        let other = try Workshop(state: {
            $0.removals = [.appliedThenCut]
            $0.silent = ["app"]
        })
        #expect(await Self.remove(other).outcome.status == .uncertain)
        #expect(try other.stored().isActive && other.open != nil)
        other.target.with { $0.silent = [] }
        try await other.settle()
        #expect(try !other.stored().isActive && other.open == nil)
    }

    @Test(
        "where the worker cannot look it stays in doubt, is on record, and settles by itself when it can",
        arguments: [true, false])
    func doubt(isApplied: Bool) async throws {
        let shop = try Workshop(state: { $0.removals = [isApplied ? .appliedThenCut : .cutBefore] })
        // Gone right after the command went.
        let gone = Mutex(false)
        let (target, clock) = (shop.target, shop.clock)
        let broken = SecretTurning(
            { () -> TurnParts in
                var parts = shop.turning.parts
                parts.probe = StepProbe { step, _ in
                    guard step == .install, !gone.withLock({ $0 }) else { return }
                    gone.withLock { $0 = true }
                    target.with { $0.workerFault = ConnectorFault(.unreachable, effect: .none) }
                }
                return parts
            }())
        let report = await broken.remove(shop.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect(report.outcome.status == .uncertain && report.outcome.reason == .unreachable, "\(report)")
        #expect(try shop.open?.stage == .uncertain && shop.stored().isActive)
        // That is what every read goes by to say so.
        #expect(try shop.stored().stages.pending == 1)
        // Nothing else is done to the account meanwhile.
        let other = await shop.turn()
        #expect(other.outcome.reason == .changeOpen)
        clock.advance(seconds: 60)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.status) == [.uncertain])
        target.with { $0.workerFault = nil }
        let reports = try await shop.settle(days: 1)
        #expect(reports.last?.outcome.status == .success, "\(reports)")
        #expect(try shop.open == nil && shop.live == nil && !shop.stored().isActive)
        #expect(shop.records.all.last?.outcome.status == .success)
        #expect(try shop.stored().stages == SecretStages(current: 1, last: 1))
    }

    @Test("long afterwards it is not made again: the account that is there then may be another")
    func late() async throws {
        let shop = try Workshop(state: { $0.removals = [.cutBefore] })
        shop.target.with { $0.removals = [.cutBefore, .cutBefore, .cutBefore] }
        #expect(await Self.remove(shop).outcome.status == .uncertain)
        let count = shop.target.snapshot.removalCount
        shop.clock.advance(seconds: 7200)
        let reports = try await Settlement(shop.turning).pass()
        #expect(reports.map(\.outcome.reason) == [.notApplied] && reports.first?.outcome.status == .failed)
        #expect(shop.target.snapshot.removalCount == count && shop.live != nil)
        #expect(try shop.open == nil && shop.stored().isActive)
    }

    @Test("a target that says no keeps the account, and the record says why")
    func refused() async throws {
        let shop = try Workshop(state: { $0.removals = [.quality] })
        let report = await Self.remove(shop)
        #expect(report.outcome == RecordOutcome(.failed, .notPermitted, words: "in use"))
        #expect(try shop.stored().stages == SecretStages(current: 1, last: 1))
        #expect(try shop.open == nil && shop.stored().isActive && shop.live != nil)
    }

    @Test("an account that is not there is removed without anything being asked")
    func absent() async throws {
        let shop = try Workshop(state: { $0.live["app"] = nil })
        #expect(await Self.remove(shop).outcome.status == .success)
        #expect(try shop.target.snapshot.removalCount == 0 && !shop.stored().isActive && shop.open == nil)
    }

    @Test(
        "an account that was made anew under the name of the one that was to be removed stays, and the removal ends and says so",
        arguments: [true, false])
    func replaced(byMark: Bool) async throws {
        let shop = try Workshop(state: { $0.removals = Array(repeating: .cutBefore, count: 3) })
        #expect(await Self.remove(shop).outcome.status == .uncertain)
        #expect(try shop.open?.request.mark == "born 0" && shop.open?.request.isSecretSeen == true)
        let count = shop.target.snapshot.removalCount
        // The one as the connector tells them apart, the other by its password alone.
        shop.target.with { if byMark { $0.births["app"] = 1 } else { $0.live["app"] = Array("somebody else's".utf8) } }
        shop.clock.advance(seconds: 60)
        let reports = try await Settlement(shop.turning).pass()
        #expect(reports.map(\.outcome.reason) == [.replaced] && reports.first?.outcome.status == .failed, "\(reports)")
        #expect(shop.target.snapshot.removalCount == count && shop.live != nil)
        #expect(try shop.open == nil && shop.stored().isActive)
    }

    @Test("a removal that was not marked is not made again by itself")
    func unmarked() async throws {
        let shop = try Workshop(state: { $0.removals = Array(repeating: .cutBefore, count: 3) })
        _ = await Self.remove(shop)
        let open = try #require(try shop.open)
        let request = OpenChange.Request(
            username: open.request.username, secretType: open.request.secretType, keyStrategy: open.request.keyStrategy,
            parameters: [:], worker: open.request.worker)
        let bare = OpenChange(
            id: open.id, organization: open.organization, account: open.account, asset: open.asset, identity: open.identity,
            kind: open.kind, plan: open.plan, request: request, old: open.old, startedBy: open.startedBy,
            dateOpened: open.dateOpened, stage: open.stage, memory: open.memory, dateUpdated: open.dateUpdated)
        try shop.database.writeSync { [keyring = shop.keyring] db in
            _ = try SecretChanges.update(keyring.keys().authenticated(bare, with: SealingWorkspace()), on: db)
        }
        shop.clock.advance(seconds: 60)
        #expect(try await Settlement(shop.turning).pass().map(\.outcome.reason) == [.replaced])
        #expect(try shop.live != nil && shop.open == nil)
    }

    @Test("what could not be stored of an account that was gone before is a failure, and no doubt that nothing is open for")
    func nothingOpen() async throws {
        let shop = try Workshop(
            { $0.record = { _, _, _ in throw StorageFault.full } }, state: { $0.live["app"] = nil })
        let report = await Self.remove(shop)
        #expect(report.outcome.status == .failed && report.outcome.reason == .notStored, "\(report)")
        #expect(try shop.open == nil && shop.stored().isActive)
    }

    static let situations: [(String, @Sendable (inout SimulatedTarget.State) -> Void)] = [
        ("plain", { _ in }), ("applied, reply lost", { $0.removals = [.appliedThenCut] }),
        ("lost on the way", { $0.removals = [.cutBefore] }), ("late", { $0.removals = [.late] }),
        (
            "one of several hosts",
            { state in
                state.isHosted = true
                state.live["app"] = nil
                state.live["app@%"] = Array("old".utf8)
                state.removals = [.appliedThenCut]
            }
        ),
    ]

    @Test("killed after any step, a start finds out whether the account is there", arguments: 0..<situations.count)
    func killed(number: Int) async throws {
        let (name, state) = Self.situations[number]
        struct Remains: Sendable {
            let step: TurnStep
            let path: String
            let target: SimulatedTarget.State
        }
        let found = Mutex<[Remains]>([])
        let holder = Mutex<Workshop?>(nil)
        let shop = try Workshop(
            { parts in
                parts.probe = StepProbe { step, _ in
                    guard let shop = holder.withLock({ $0 }) else { return }
                    let path = shop.directory.file("copy-\(UInt64.random(in: 0...UInt64.max)).db")
                    do { try shop.database.backupSync(to: path) } catch { return }
                    found.withLock { $0.append(Remains(step: step, path: path, target: shop.target.snapshot)) }
                }
            }, state: state)
        holder.withLock { $0 = shop }
        let report = await Self.remove(shop)
        holder.withLock { $0 = nil }
        #expect(report.outcome.status == .success, "\(name): \(report)")
        let remains = found.withLock { $0 }
        #expect(remains.count >= 6, "\(name): \(remains.map(\.step))")
        for remain in remains {
            let place = "\(name), after \(remain.step.name)"
            let target = SimulatedTarget(remain.target)
            let start = try Workshop(copyOf: remain.path, in: shop.directory, target: target, at: Workshop.start, like: shop)
            let wasAsked = try start.open != nil
            let reports = try await start.settle(days: 1)
            #expect(try start.open == nil, "\(place): still open: \(reports.suffix(2))")
            target.land()
            let isThere = target.snapshot.live.contains { $0.key.hasPrefix("app") }
            // What was asked for is done; what was not is untouched, and the vault says the same as the target.
            if wasAsked { #expect(!isThere, "\(place)") }
            #expect(try start.stored().isActive == isThere, "\(place)")
            #expect(try start.kept()[1] == Array("old".utf8), "\(place)")
        }
    }

    // MARK: - A real server

    @Test(
        "a role of PostgreSQL is dropped, the answer cut off before or after, and the vault finds out",
        arguments: [CuttingProxy.Cut.before, .after, .silence])
    func postgreSQL(cut: CuttingProxy.Cut) async throws {
        let server = try await PostgreSQLServer()
        try await server.sql("CREATE ROLE app LOGIN PASSWORD 'Old-secret-1!'")
        let proxy = try CuttingProxy(to: server.port, at: ["DROP ROLE"], cut)
        let shop = try Workshop({
            $0.connector = { $0 == "postgresql" ? PostgreSQL() : nil }
            $0.stepLimit = .seconds(cut == .silence ? 5 : 60)
        })
        let asset = Asset(
            id: .random(), organization: .default, name: "real", address: "localhost", platform: .init(rawValue: 19),
            protocols: [AssetProtocol(name: "postgresql", port: Int(proxy.port))],
            // The proxy has to see the statement; SCRAM protects the password also in clear.
            specific: ["pg_ssl_mode": "disable"], dateCreated: Workshop.start, dateUpdated: Workshop.start)
        try shop.add(asset)
        let (worker, app) = (
            Workshop.account(20, on: asset, name: PostgreSQLServer.superuser, privileged: true),
            Workshop.account(21, on: asset, name: "app")
        )
        try shop.add(worker, secret: PostgreSQLServer.superuserPassword)
        try shop.add(app, secret: "Old-secret-1!")
        let report = await shop.turning.remove(app.id, in: .default, Workshop.order(), by: Workshop.principal)
        #expect([.success, .uncertain].contains(report.outcome.status), "\(report)")
        proxy.arm(nil)
        for _ in 0..<10 where try await shop.database.read({ try SecretChanges.nextDue(on: $0) }) != nil {
            shop.clock.advance(seconds: 60)
            try await Settlement(shop.turning).pass()
        }
        #expect(try await server.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'app'") == ["0"], "\(cut)")
        #expect(try !shop.stored(app.id).isActive && shop.kept(app.id)[1] == Array("Old-secret-1!".utf8))
        #expect(try await shop.database.read { try SecretChanges.nextDue(on: $0) } == nil)
    }

    // MARK: - A real host

    @Test(
        "an account of a host is taken away with everything of it, wherever the session is cut, and the vault says so only then",
        .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
    func linux() async throws {
        let programs = ["rm", "mv", "chmod", "chown", "userdel"]
        let cases = programs.flatMap { program in HostCut.Moment.allCases.map { (program, $0) } }
        let names = cases.indices.map { "u\($0)" }
        let host = try await TestHost.start(
            users: names.map { .init($0, password: "Old-secret-1!") }, hostKeys: [.ed25519],
            setUp: names.map { "echo '\($0) ALL=(ALL) NOPASSWD: /bin/ls' > /etc/sudoers.d/keyturn-\($0)" }.joined(separator: "\n")
        )
        let shop = try Workshop({
            $0.connector = { $0 == "linux" ? LinuxConnector() : nil }
            // One try in the run that was asked for it: the rest is the settlement's.
            $0.limits.reapplications = 0
        })
        let asset = Asset(
            id: .random(), organization: .default, name: "host", address: "127.0.0.1", platform: .init(rawValue: 1),
            protocols: [AssetProtocol(name: "ssh", port: host.port)], dateCreated: Workshop.start, dateUpdated: Workshop.start)
        try shop.add(asset)
        try shop.add(Workshop.account(40, on: asset, name: "root", privileged: true), secret: host.root.password)
        let cut = try await HostCut(host, at: programs)
        let patient = SecretTurning(
            { () -> TurnParts in
                var parts = shop.turning.parts
                parts.limits.reapplications = 2
                return parts
            }())
        for (number, (program, moment)) in cases.enumerated() {
            let (name, place) = (names[number], "\(moment) \(program)")
            let app = Workshop.account(UInt64(50 + number), on: asset, name: name)
            try shop.add(app, secret: "Old-secret-1!")
            try await cut.arm(program, moment, on: name)
            let report = await shop.turning.remove(app.id, in: .default, Workshop.order(), by: Workshop.principal)
            let isGone = try await !host.shell("getent passwd \(name)").succeeded
            #expect(report.outcome.status == (isGone ? .success : .uncertain), "\(place): \(report)")
            #expect(try shop.stored(app.id).isActive != isGone, "\(place)")
            for _ in 0..<5 where try await shop.database.read({ try SecretChanges.nextDue(on: $0) }) != nil {
                shop.clock.advance(seconds: 60)
                try await Settlement(patient).pass()
            }
            #expect(try await shop.database.read { try SecretChanges.nextDue(on: $0) } == nil, "\(place)")
            #expect(try !shop.stored(app.id).isActive, "\(place)")
            let left = try await host.expect(
                "getent passwd \(name); ls /etc/sudoers.d/keyturn-\(name) 2>/dev/null; "
                    + "for d in /home/\(name) /home/\(name).*; do [ -e $d ] && echo \"$d $(stat -c '%U-%a' $d)\"; done; exit 0")
            #expect(left == "/home/\(name).bak root-700\n", "\(place)")
        }
        await host.stop()
    }
}
