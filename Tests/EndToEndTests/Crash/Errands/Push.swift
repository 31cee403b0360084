/// Accounts that are pushed, in turn: one that neither side has, one that only the target has, and one that only Keyturn has.
struct Push: Errand {
    static let work = "account pushed"

    let title: String
    let crash: CrashSite
    let town: any Town
    let asset: String
    let verb = "push-account"
    /// A user of Redis may do nothing unless somebody says so, not even ask who it is.
    let order =
        #","secret_strategy":"random","password_rules":\#(CrashSite.rules),"params":{"linux":{"shell":"/bin/bash","sudo":"/usr/bin/id"},"redis":{"acl_rules":"+acl|whoami"}}"#

    private static let (nowhere, onTarget, inVault) = (0, 1, 2)

    func settle(_ names: [String]) async throws -> [Subject] {
        let subjects = names.enumerated().map { place, name in
            Subject(name, secret: place % 3 == Self.nowhere ? "" : "First-of-\(name)-aB3", kind: place % 3)
        }
        for subject in subjects where subject.kind == Self.inVault {
            _ = try await crash.admin.account(subject.username, on: asset, secret: subject.secret)
        }
        let there = subjects.filter { $0.kind == Self.onTarget }
        if !there.isEmpty { try await town.settle(there.map { Login(username: $0.username, secret: $0.secret) }) }
        return subjects
    }

    func faults(_ subjects: [Subject]) async throws -> [String] {
        let names = subjects.map(\.username)
        let present = try await present(subjects)
        let (unwritten, incomplete) = (try await town.unwritten(names), try await town.incomplete(names))
        let connection = APIConnection(crash.server)
        return try await gather(subjects) { subject in
            let row = try await self.row(of: subject)
            var served: String?
            if let row, row.hasSecret { served = try await self.served(row, over: connection) }
            if subject.kind == Self.inVault, served == nil { return "the secret that Keyturn held is not served" }
            guard present.contains(subject.username) else {
                if subject.kind == Self.onTarget { return "it is not there any more" }
                return subject.kind == Self.nowhere && served != nil ? "a secret is served of one that is not there" : nil
            }
            if let served {
                if unwritten.contains(subject.username) { return "the server would forget it at a restart" }
                let isWhole = subject.kind == Self.onTarget || !incomplete.contains(subject.username)
                guard isWhole else { return "it was created, but not whole" }
                return try await opens(subject, served) ? nil : "the secret that is served does not open it"
            }
            // Not begun: nothing was sent to it.
            guard subject.kind == Self.onTarget else { return "it was created, and Keyturn does not hold its secret" }
            return try await opens(subject, subject.secret) ? nil : "its secret was changed, and Keyturn does not hold it"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let present = try await present(subjects)
        var done: Set<Subject> = []
        for subject in subjects where present.contains(subject.username) {
            if try await row(of: subject)?.hasSecret ?? false { done.insert(subject) }
        }
        return done
    }
}
