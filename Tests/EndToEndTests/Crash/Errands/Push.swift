import TestSupport

/// Accounts that are pushed, in turn: one that neither side has, one that only the host has, and one that only Keyturn has.
struct Push: HostErrand {
    let title = "account pushed"
    let verb = "push-account"
    let order =
        #","secret_strategy":"random","password_rules":\#(CrashSite.rules),"params":{"linux":{"shell":"/bin/bash","sudo":"/usr/bin/id"}}"#

    private static let (nowhere, onHost, inVault) = (0, 1, 2)

    let site: HostSite

    init(_ site: HostSite) { self.site = site }

    func settle(_ names: [String]) async throws -> [Subject] {
        let subjects = names.enumerated().map { place, name in
            Subject(name, secret: place % 3 == Self.nowhere ? "" : "First-of-\(name)-aB3", kind: place % 3)
        }
        for subject in subjects where subject.kind == Self.inVault {
            _ = try await site.crash.admin.account(subject.username, on: asset, secret: subject.secret)
        }
        let there = subjects.filter { $0.kind == Self.onHost }
        if !there.isEmpty {
            try await site.town.settle(there.map { Login(username: $0.username, secret: $0.secret) })
        }
        return subjects
    }

    func faults(_ subjects: [Subject]) async throws -> [String] {
        let present = try await present(subjects)
        let allowed = try await site.host.expect("ls -A /etc/sudoers.d")
        let connection = APIConnection(site.crash.server)
        return try await gather(subjects) { subject in
            let row = try await self.row(of: subject)
            var served: String?
            if let row, row.hasSecret { served = try await self.served(row, over: connection) }
            if subject.kind == Self.inVault, served == nil { return "the secret that Keyturn held is not served" }
            guard present.contains(subject.username) else {
                if subject.kind == Self.onHost { return "it is not on the host any more" }
                return subject.kind == Self.nowhere && served != nil ? "a secret is served of one that is not there" : nil
            }
            if let served {
                // What is created is created whole.
                let isWhole = subject.kind == Self.onHost || allowed.contains("keyturn-\(subject.username)\n")
                guard isWhole else { return "it was created without its sudo commands" }
                return try await opens(subject, served) ? nil : "the secret that is served does not open it"
            }
            // Not begun: nothing was sent to it.
            guard subject.kind == Self.onHost else { return "it was created, and Keyturn does not hold its secret" }
            return try await opens(subject, subject.secret) ? nil : "its secret was changed, and Keyturn does not hold it"
        }
    }

    private func opens(_ subject: Subject, _ secret: String) async throws -> Bool {
        try await site.town.opens(Login(username: subject.username, secret: secret))
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let present = try await present(subjects)
        var done: Set<Subject> = []
        for subject in subjects where present.contains(subject.username) {
            if try await self.row(of: subject)?.hasSecret ?? false { done.insert(subject) }
        }
        return done
    }
}
