import Foundation
import JSON
import Outbound
import TestSupport

/// A kind of work other than a change of a password, as the tests of crashes need it; one file a kind.
protocol Errand: Sendable {
    /// As tables name it.
    var title: String { get }
    /// Part of the API's paths.
    var verb: String { get }
    /// Fields of its tasks, besides names and asset.
    var order: String { get }
    /// The numbered steps that it has.
    var steps: Set<String> { get }
    /// Those of them behind which the work's state is stored once more.
    var stepsBeforeCommits: Set<String> { get }

    var crash: CrashSite { get }
    /// Where the work is done, and the asset that stands for it.
    var town: any Town { get }
    var asset: String { get }
    /// Makes what is there before the work: accounts on the target, and in Keyturn.
    func settle(_ names: [String]) async throws -> [Subject]
    /// What must not be on the target at the moment of a kill behind a step, in words; empty if all is as it should be.
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String]
    /// Once nothing is open any more: what is wrong, in words.
    func faults(_ subjects: [Subject]) async throws -> [String]
    /// Those for whom the work was done.
    func done(_ subjects: [Subject]) async throws -> Set<Subject>
}

/// One account that an errand is about.
struct Subject: Sendable, Hashable {
    let username: String
    /// What it opens to before the work; empty where nothing does.
    let secret: String
    /// The public half of that, where it is a key.
    let publicKey: String
    /// Its kind among those of the errand.
    let kind: Int

    init(_ username: String, secret: String, publicKey: String = "", kind: Int = 0) {
        self.username = username
        self.secret = secret
        self.publicKey = publicKey
        self.kind = kind
    }
}

/// What Keyturn has of an account.
struct VaultRow: Sendable {
    let id: String
    let hasSecret: Bool
    let isActive: Bool
}

enum Errands {
    /// The steps of work that sets a secret: all that there are.
    static let allSteps: Set<String> = [
        "check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close", "doubt", "inspect",
        "reapply", "guess",
    ]
    /// Those of work that takes an account away.
    static let stepsOfRemoval: Set<String> = [
        "check", "preflight", "remember", "install", "promote", "close", "doubt", "inspect", "reapply",
    ]
}

extension Errand {
    var order: String { "" }
    var steps: Set<String> { Errands.allSteps }
    var stepsBeforeCommits: Set<String> { steps }
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String] { [] }

    /// Starts it for these; its execution.
    func begin(_ subjects: [Subject]) async throws -> String {
        let names = subjects.map { "\"\($0.username)\"" }.joined(separator: ",")
        let task = try await crash.admin.create(
            "accounts/\(verb)-automations",
            #"{"name":"\#(title) \#(UUID())","accounts":[\#(names)],"assets":["\#(asset)"]\#(order)}"#
        ).string("id")
        return try await crash.admin.create("accounts/\(verb)-executions", #"{"automation":"\#(task)"}"#).string("task")
    }

    // MARK: - On the target

    func present(_ subjects: [Subject]) async throws -> Set<String> { try await town.present(subjects.map(\.username)) }

    func opens(_ subject: Subject, _ secret: String) async throws -> Bool {
        try await town.opens(Login(username: subject.username, secret: secret))
    }

    /// Accounts with a password, there and in Keyturn.
    func settleOnBothSides(_ names: [String]) async throws -> [Subject] {
        let subjects = names.map { Subject($0, secret: "First-of-\($0)-aB3") }
        try await town.settle(subjects.map { Login(username: $0.username, secret: $0.secret) })
        for subject in subjects { _ = try await crash.admin.account(subject.username, on: asset, secret: subject.secret) }
        return subjects
    }

    // MARK: - In Keyturn

    func row(of subject: Subject) async throws -> VaultRow? {
        let path = "/api/v1/accounts/accounts/?asset=\(asset)&username=\(subject.username)"
        let answer = try await crash.admin.call(.get, path)
        guard answer.status == 200, let json = answer.json else {
            throw ProgramFault.unexpected("the list of accounts", output: answer.text)
        }
        guard let found = (json.array ?? json["results"]?.array)?.first(where: { _ in true }) else { return nil }
        return VaultRow(
            id: found["id"]?.string ?? "", hasSecret: found["has_secret"]?.bool ?? false,
            isActive: found["is_active"]?.bool ?? false)
    }

    /// What applications are served of an account; nil if they are served nothing.
    func served(_ row: VaultRow, over connection: APIConnection) async throws -> String? {
        let answer = try await crash.key.fetch(over: connection, ApplicationKey.route + "?account_id=\(row.id)")
        return answer.status == 200 ? answer.string("secret") : nil
    }

    /// Those that are wrong, asked for a few at a time.
    func gather(
        _ subjects: [Subject], _ fault: @escaping @Sendable (Subject) async throws -> String?
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            var faults: [String] = []
            for (place, subject) in subjects.enumerated() {
                if place >= 4, let one = try await group.next() { faults += [one].compactMap { $0 } }
                group.addTask { [title] in try await fault(subject).map { "\(title) of \(subject.username): \($0)" } }
            }
            for try await one in group { faults += [one].compactMap { $0 } }
            return faults
        }
    }
}
