import Foundation
import JSON
import Outbound
import TestSupport

/// A kind of work on hosts, other than a change of a password, as the tests of crashes need it; one file a kind, one line in `Errands`.
protocol Errand: Sendable {
    /// As tables name it.
    static var title: String { get }
    /// Part of the API's paths.
    static var verb: String { get }
    /// Fields of its tasks, besides names and asset.
    static var order: String { get }
    /// The numbered steps that it has.
    static var steps: Set<String> { get }
    init(_ site: HostSite)

    var site: HostSite { get }
    /// Where the work is done.
    var asset: String { get }
    /// Makes what is there before the work: accounts on the host, and in Keyturn.
    func settle(_ names: [String]) async throws -> [Subject]
    /// What must not be on the host at the moment of a kill behind a step, in words; empty if all is as it should be.
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
    static let all: [any Errand.Type] = [KeyChange.self, Push.self, Removal.self, ThroughGateway.self]
    /// The steps of work that sets a secret: all that there are.
    static let allSteps: Set<String> = [
        "check", "preflight", "remember", "install", "attempt", "verify", "promote", "retire", "close", "doubt", "inspect",
        "reapply", "guess",
    ]
}

extension Errand {
    var title: String { Self.title }

    static var order: String { "" }
    static var steps: Set<String> { Errands.allSteps }
    var asset: String { site.direct }
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String] { [] }

    /// Starts it for these; its execution.
    func begin(_ subjects: [Subject]) async throws -> String {
        let names = subjects.map { "\"\($0.username)\"" }.joined(separator: ",")
        let admin = site.crash.admin
        let task = try await admin.create(
            "accounts/\(Self.verb)-automations",
            #"{"name":"\#(Self.title) \#(UUID())","accounts":[\#(names)],"assets":["\#(asset)"]\#(Self.order)}"#
        ).string("id")
        return try await admin.create("accounts/\(Self.verb)-executions", #"{"automation":"\#(task)"}"#).string("task")
    }

    // MARK: - In Keyturn

    func row(of subject: Subject) async throws -> VaultRow? {
        let path = "/api/v1/accounts/accounts/?asset=\(asset)&username=\(subject.username)"
        let answer = try await site.crash.admin.call(.get, path)
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
        let answer = try await site.crash.key.fetch(over: connection, ApplicationKey.route + "?account_id=\(row.id)")
        return answer.status == 200 ? answer.string("secret") : nil
    }

    // MARK: - On the host

    /// Which of them the host has.
    func present(_ subjects: [Subject]) async throws -> Set<String> {
        let names = subjects.map(\.username).joined(separator: " ")
        let text = try await site.host.expect("for name in \(names); do getent passwd -- $name | cut -d : -f 1; done; true")
        return Set(text.split(separator: "\n").map(String.init))
    }

    /// Those that are wrong, asked for a few at a time.
    func gather(
        _ subjects: [Subject], _ fault: @escaping @Sendable (Subject) async throws -> String?
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            var faults: [String] = []
            for (place, subject) in subjects.enumerated() {
                if place >= 4, let one = try await group.next() { faults += [one].compactMap { $0 } }
                group.addTask { try await fault(subject).map { "\(Self.title) of \(subject.username): \($0)" } }
            }
            for try await one in group { faults += [one].compactMap { $0 } }
            return faults
        }
    }
}
