import TestSupport

/// Accounts that are taken away from a database; Keyturn keeps them, switched off.
struct DatabaseRemoval: Errand {
    let verb = "remove-account"
    let steps = Errands.stepsOfRemoval

    let site: DatabaseSite
    let town: any DatabaseTown
    let asset: String
    var crash: CrashSite { site.crash }
    var title: String { DatabaseSite.removed(town.platform) }

    func settle(_ names: [String]) async throws -> [Subject] {
        let subjects = names.map { Subject($0, secret: "First-of-\($0)-aB3") }
        try await town.settle(subjects.map { Login(username: $0.username, secret: $0.secret) })
        for subject in subjects {
            _ = try await crash.admin.account(subject.username, on: asset, secret: subject.secret)
        }
        return subjects
    }

    /// Nothing is taken away before it was written down that it would be.
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String] {
        let present = try await town.present(subjects.map(\.username))
        let before = ["check", "preflight", "remember"].contains(step)
        let after = ["install", "promote", "close", "reapply"].contains(step)
        return subjects.compactMap { subject in
            let isThere = present.contains(subject.username)
            if before, !isThere { return "\(subject.username) was removed before its removal was written down" }
            return after && isThere ? "\(subject.username) is still there" : nil
        }
    }

    /// Both sides say the same, and the secret is kept in any case.
    func faults(_ subjects: [Subject]) async throws -> [String] {
        let names = subjects.map(\.username)
        let (present, unwritten) = (try await town.present(names), try await town.unwritten(names))
        let connection = APIConnection(crash.server)
        return try await gather(subjects) { subject in
            guard let row = try await self.row(of: subject), row.hasSecret else { return "Keyturn does not keep it" }
            let isThere = present.contains(subject.username)
            guard isThere == row.isActive else {
                return isThere ? "it is there, and Keyturn says that it is not" : "it is gone, and Keyturn does not know"
            }
            guard isThere else { return unwritten.contains(subject.username) ? "it would be back after a restart" : nil }
            guard let secret = try await served(row, over: connection) else { return "nothing is served" }
            let isLive = try await town.opens(Login(username: subject.username, secret: secret))
            return isLive ? nil : "the secret that is served does not open it"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let present = try await town.present(subjects.map(\.username))
        return Set(subjects.filter { !present.contains($0.username) })
    }
}
