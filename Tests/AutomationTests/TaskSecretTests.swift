import Access
import Cryptography
import Domain
import Sealing
import Storage
import Testing
import Vault

@testable import Automation

/// A run works from a copy of its task's order, but the secret is the task's own: also after the task was edited, or is gone.
@Suite("Secrets of tasks")
struct TaskSecretTests {
    private static let chosen = Array("chosen-one".utf8)
    private static let asked = TaskOrder(kind: .changeSecret, accounts: ["app"], strategy: .specific)

    /// Stores a task that sets the secret `chosen`, or another one.
    private func task(
        _ order: TaskOrder, setting text: String = String(decoding: chosen, as: UTF8.self), in shop: Workshop
    ) async throws -> AutomationTask {
        let (keyring, now) = (shop.keyring, Workshop.start)
        let principal = Principal(actor: .system("test"), permissions: [.createAutomation])
        return try await shop.turning.parts.gate.change(
            .createAutomation, as: principal, in: .default, from: .internal(now: now)
        ) { permit in
            let warrant = permit.warrant()
            let stored = try await shop.database.write { db in
                let id = AutomationTaskID.random()
                let sealed = try TaskSecrets(keyring: keyring).sealed(secret(text), of: id, by: warrant, now: now, in: db)
                let task = AutomationTask(
                    id: id, organization: .default, name: "t", order: order, secret: sealed, dateCreated: now, dateUpdated: now)
                try AutomationTasks.insert(keyring.keys().authenticated(task, with: SealingWorkspace()), on: db)
                return task
            }
            return .init(stored)
        }
    }

    private func perform(_ order: TaskOrder, of task: AutomationTask, in shop: Workshop) async throws -> WorkReport {
        let work = TurningWork(shop.turning, taskSecrets: TaskSecrets(keyring: shop.keyring))
        let piece = WorkOrder(
            execution: .random(), record: .random(), organization: .default, task: task.id, asset: shop.asset.id,
            account: shop.app.id, username: "app", secretType: .password, version: nil, worker: shop.worker.id, order: order,
            parameters: [:])
        return try await shop.turning.parts.gate.change(
            .rotateAccount, as: Workshop.principal, in: .default, from: .internal(now: Workshop.start)
        ) { permit in .init(await work.perform(piece, by: permit.warrant())) }
    }

    @Test("the secret of a task is set as it is")
    func asItIs() async throws {
        let shop = try Workshop()
        let report = try await perform(Self.asked, of: task(Self.asked, in: shop), in: shop)
        #expect(report.status == .success && shop.live == Self.chosen)
    }

    @Test("a secret without rules that the asset's platform does not take is not sent, and the record says what is wrong with it")
    func notTaken() async throws {
        let shop = try Workshop()
        let report = try await perform(Self.asked, of: task(Self.asked, setting: "short", in: shop), in: shop)
        #expect(report.status == .failed && report.reason == .unsupported, "\(report)")
        #expect(report.detail.contains("at least 8 characters") && !report.detail.contains("short"))
        #expect(try shop.live == Array("old".utf8) && shop.open == nil && shop.kept().count == 1)
    }

    /// Orders that a task may have by the time that a run of `asked`, with privileged and system accounts, sets its secret.
    static let edits: [(TaskOrder, isFit: Bool)] = {
        var wide = asked
        (wide.includesPrivileged, wide.includesSystem) = (true, true)
        var (key, random, narrow, withoutSystem) = (wide, wide, wide, wide)
        key.secretType = .sshKey
        random.strategy = .random
        narrow.includesPrivileged = false
        withoutSystem.includesSystem = false
        var other = wide
        (other.accounts, other.worker) = (["somebody"], "else")
        return [(wide, true), (other, true), (key, false), (random, false), (narrow, false), (withoutSystem, false)]
    }()

    @Test("a secret that was given for something else is not set by a run from before", arguments: edits.indices)
    func edited(place: Int) async throws {
        let (now, isFit) = Self.edits[place]
        let shop = try Workshop()
        let report = try await perform(Self.edits[0].0, of: task(now, in: shop), in: shop)
        if isFit {
            #expect(report.status == .success && shop.live == Self.chosen)
        } else {
            #expect(report.status == .failed && report.reason == .noSecret && report.detail.contains("changed since"))
            #expect(try shop.live == Array("old".utf8) && shop.open == nil && shop.kept().count == 1)
        }
    }

    @Test("of a task that was deleted meanwhile the record says that, and not that the account is gone")
    func deleted() async throws {
        let shop = try Workshop()
        let task = try await task(Self.asked, in: shop)
        try await shop.database.write { db in _ = try AutomationTasks.delete(task.id, in: .default, on: db) }
        let report = try await perform(Self.asked, of: task, in: shop)
        #expect(report.status == .failed && report.reason == .noSecret && report.detail.contains("The task is gone"))
        #expect(shop.live == Array("old".utf8))
    }

    @Test("of a version that is not kept any more the record says that, and not that the account is gone")
    func forgotten() async throws {
        let shop = try Workshop()
        let report = await shop.turn { $0.strategy = .kept(version: 77) }
        #expect(report.outcome.status == .skipped && report.outcome.reason == .noSecret)
        #expect(try report.outcome.words.contains("77") && shop.open == nil && shop.live == Array("old".utf8))
    }
}
