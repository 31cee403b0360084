/// Passwords that are changed on the same host, which is reached through a gateway of its zone.
struct ThroughGateway: HostErrand {
    let title = "password changed through a gateway"
    let verb = "change-secret"
    let order = #","secret_type":"password","secret_strategy":"random","password_rules":\#(CrashSite.rules)"#

    let site: HostSite
    var asset: String { site.far }

    init(_ site: HostSite) { self.site = site }

    func settle(_ names: [String]) async throws -> [Subject] { try await settleOnBothSides(names) }

    func faults(_ subjects: [Subject]) async throws -> [String] {
        let connection = APIConnection(crash.server)
        return try await gather(subjects) { subject in
            guard let row = try await self.row(of: subject), let secret = try await served(row, over: connection) else {
                return "nothing is served"
            }
            return try await opens(subject, secret) ? nil : "the secret that is served does not open it"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let connection = APIConnection(crash.server)
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
