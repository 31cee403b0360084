/// Accounts that are taken away from the target; Keyturn keeps them, switched off.
struct Removal: Errand {
    static let work = "account removed"

    let title: String
    let crash: CrashSite
    let town: any Town
    let asset: String
    let verb = "remove-account"
    let steps = Errands.stepsOfRemoval
    /// Its promotion is its end, and one commit with it.
    var stepsBeforeCommits: Set<String> { steps.subtracting(["promote", "close"]) }

    func settle(_ names: [String]) async throws -> [Subject] { try await settleOnBothSides(names) }

    /// Nothing is taken away before it was written down that it would be.
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String] {
        let present = try await present(subjects)
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
        let present = try await present(subjects)
        let unwritten = try await town.unwritten(subjects.map(\.username))
        let connection = APIConnection(crash.server)
        return try await gather(subjects) { subject in
            guard let row = try await self.row(of: subject), row.hasSecret else { return "Keyturn does not keep it" }
            let isThere = present.contains(subject.username)
            guard isThere == row.isActive else {
                return isThere ? "it is there, and Keyturn says that it is not" : "it is gone, and Keyturn does not know"
            }
            guard isThere else { return unwritten.contains(subject.username) ? "it would be back after a restart" : nil }
            guard let secret = try await served(row, over: connection) else { return "nothing is served" }
            return try await opens(subject, secret) ? nil : "the secret that is served does not open it"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let present = try await present(subjects)
        return Set(subjects.filter { !present.contains($0.username) })
    }
}
