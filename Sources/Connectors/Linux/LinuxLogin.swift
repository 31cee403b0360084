internal import Cryptography
internal import Domain
internal import SSH

/// A login whose name and ways to root's power are still to be found out.
struct LinuxLogin {
    let session: SSHSession
    let limit: Duration

    /// Who the host says that this is.
    func identity() throws(ConnectorFault) -> (name: String, uid: Int64) {
        let nobody = LinuxShell(session: session, power: .own, limit: limit)
        let answer = try nobody.run("id")
        guard answer.status == 0, let identity = Self.identity(in: answer.text) else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: RemoteWords.of(answer.output))
        }
        return identity
    }

    /// What id(1) says: `uid=1000(name) gid=…`.
    static func identity(in text: String) -> (name: String, uid: Int64)? {
        guard let match = text.firstMatch(of: /^uid=([0-9]+)\((.+?)\) gid=/), let uid = Int64(match.output.1) else { return nil }
        return (String(match.output.2), uid)
    }

    /// The way to root that was asked for, tried out; throws where there is none.
    func power(of worker: Worker, as identity: (name: String, uid: Int64)) throws(ConnectorFault) -> LinuxShell.Power {
        let uid = identity.uid
        switch worker.power {
        case .own:
            guard uid == 0 else { throw Self.powerless("the account is not root and has no way to it") }
            return .own
        case .sudo:
            return uid == 0 ? .own : try sudo(of: worker, named: identity.name)
        case .su(let root):
            if uid == 0 { return .own }
            guard root.username == "root", root.secretType == .password else {
                throw Self.powerless("su needs the password of root")
            }
            let power = LinuxShell.Power.su(RootPassword(root, of: root.username))
            guard try leadsToRoot(power, credential: root) else { throw Self.powerless("su did not lead to root") }
            return power
        }
    }

    private func sudo(of worker: Worker, named name: String) throws(ConnectorFault) -> LinuxShell.Power {
        // Asked without a terminal first; it fails at once where a password or a terminal is wanted.
        if (try? leadsToRoot(.sudo, credential: worker.credential)) == true { return .sudo }
        if (try? leadsToRoot(.sudoOnTerminal(nil), credential: worker.credential)) == true {
            return .sudoOnTerminal(nil)
        }
        guard worker.credential.secretType == .password else {
            throw Self.powerless("sudo asks for a password, and the account logs in with a key")
        }
        let power = LinuxShell.Power.sudoOnTerminal(RootPassword(worker.credential, of: name))
        guard try leadsToRoot(power, credential: worker.credential) else { throw Self.powerless("sudo did not lead to root") }
        return power
    }

    private func leadsToRoot(_ power: LinuxShell.Power, credential: TargetLogin) throws(ConnectorFault) -> Bool {
        let shell = LinuxShell(session: session, power: power, limit: limit)
        let answer = try credential.withSecret { (secret) throws(ConnectorFault) in
            try shell.run("id -u", input: nil, hiding: secret)
        }
        return answer.status == 0 && answer.text == "0"
    }

    private static func powerless(_ words: String) -> ConnectorFault {
        ConnectorFault(.notPermitted, effect: .none, words: words)
    }
}
