import TestSupport

/// A new SSH key in the place of the one that an account has, beside one that somebody put there himself.
struct KeyChange: HostErrand {
    let title = "SSH key changed"
    let verb = "change-secret"
    let order =
        #","secret_type":"ssh_key","secret_strategy":"random","ssh_key_change_strategy":"set_jms""#
    /// The steps behind which the new key may not have been proved yet.
    private static let unproven = Errands.allSteps.subtracting(["promote", "retire", "close"])

    let site: HostSite
    /// The key that is nobody's business.
    private let foreign: String

    init(_ site: HostSite) {
        self.site = site
        foreign = site.foreignKey
    }

    func settle(_ names: [String]) async throws -> [Subject] {
        var subjects: [Subject] = []
        var commands = ["set -e"]
        for name in names {
            let pair = try TestKeyPair.make(.ed25519)
            let subject = Subject(
                name, secret: String(decoding: pair.privateKey, as: UTF8.self), publicKey: Self.body(of: pair.publicKey))
            subjects.append(subject)
            commands.append(
                """
                useradd --create-home --shell /bin/bash \(name)
                install -d -m 700 -o \(name) -g \(name) /home/\(name)/.ssh
                printf '%s\\n' '\(foreign)' '\(pair.publicKey)' > /home/\(name)/.ssh/authorized_keys
                chown \(name): /home/\(name)/.ssh/authorized_keys
                chmod 600 /home/\(name)/.ssh/authorized_keys
                """)
        }
        try await site.host.expect(commands.joined(separator: "\n"))
        for subject in subjects {
            _ = try await site.crash.admin.create(
                "accounts/accounts",
                #"{"username":"\#(subject.username)","asset":"\#(asset)","secret_type":"ssh_key","secret":\#(LinuxTown.quoted(subject.secret))}"#
            )
        }
        return subjects
    }

    /// The old key stays until the new one was proved, and is gone when it was retired.
    func faults(_ subjects: [Subject], deadBehind step: String) async throws -> [String] {
        let keys = try await keys(of: subjects)
        return subjects.compactMap { subject in
            let has = keys[subject.username, default: []].contains(subject.publicKey)
            if Self.unproven.contains(step), !has { return "\(subject.username) lost its old key before the new one was proved" }
            if ["retire", "close"].contains(step), has { return "\(subject.username) has its old key after it was retired" }
            return nil
        }
    }

    func faults(_ subjects: [Subject]) async throws -> [String] {
        let keys = try await keys(of: subjects)
        let connection = APIConnection(site.crash.server)
        return try await gather(subjects) { [foreign] subject in
            guard let row = try await self.row(of: subject), let key = try await served(row, over: connection) else {
                return "nothing is served"
            }
            let login = try KeyLogin(at: site.host, key)
            guard try await login.succeeds(subject.username) else { return "the key that is served does not open it" }
            let wanted: Set<String> = [Self.body(of: foreign), Self.body(of: try login.publicKey())]
            let there = keys[subject.username, default: []]
            return there == wanted
                ? nil : "\(there.subtracting(wanted).count) keys too many, \(wanted.subtracting(there).count) too few"
        }
    }

    func done(_ subjects: [Subject]) async throws -> Set<Subject> {
        let keys = try await keys(of: subjects)
        return Set(subjects.filter { !keys[$0.username, default: []].contains($0.publicKey) })
    }

    /// The keys of each as its file has them, without kinds and comments.
    private func keys(of subjects: [Subject]) async throws -> [String: Set<String>] {
        let names = subjects.map(\.username).joined(separator: " ")
        let text = try await site.host.expect(
            "for name in \(names); do sed \"s/^/$name /\" /home/$name/.ssh/authorized_keys; done")
        var keys: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ").map(String.init)
            if parts.count >= 3 { keys[parts[0], default: []].insert(parts[2]) }
        }
        return keys
    }

    /// The key itself out of a line.
    private static func body(of line: String) -> String {
        let parts = line.split(separator: " ")
        return parts.count >= 2 ? String(parts[1]) : ""
    }
}
