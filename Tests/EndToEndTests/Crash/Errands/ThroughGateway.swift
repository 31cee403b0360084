import TestSupport

/// Passwords that are changed on the same host, which is reached through a gateway of its zone.
struct ThroughGateway: HostErrand {
    let title = "password changed through a gateway"
    let verb = "change-secret"
    let order = #","secret_type":"password","secret_strategy":"random","password_rules":\#(CrashSite.rules)"#

    let site: HostSite
    var asset: String { site.far }

    init(_ site: HostSite) { self.site = site }

    func settle(_ names: [String]) async throws -> [Subject] {
        let subjects = names.map { Subject($0, secret: "First-of-\($0)-aB3") }
        try await site.town.settle(subjects.map { Login(username: $0.username, secret: $0.secret) })
        for subject in subjects {
            _ = try await site.crash.admin.account(subject.username, on: asset, secret: subject.secret)
        }
        return subjects
    }

    func faults(_ subjects: [Subject]) async throws -> [String] {
        let connection = APIConnection(site.crash.server)
        return try await gather(subjects) { subject in
            guard let row = try await self.row(of: subject), let secret = try await served(row, over: connection) else {
                return "nothing is served"
            }
            let isLive = try await site.town.opens(Login(username: subject.username, secret: secret))
            return isLive ? nil : "the secret that is served does not open it"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let connection = APIConnection(site.crash.server)
        var done: Set<Subject> = []
        for subject in subjects {
            guard let row = try await self.row(of: subject), try await served(row, over: connection) != subject.secret else {
                continue
            }
            done.insert(subject)
        }
        return done
    }
}
