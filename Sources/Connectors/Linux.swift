internal import Cryptography
package import Domain
internal import SSH

/// Linux hosts over SSH.
///
/// Proven on Debian 12: shadow and util-linux, OpenSSH, sudo. Other kinds of Unix have neither `chpasswd` nor `runuser`.
package struct LinuxConnector: Connector {
    package let name = "linux"
    package let platformTypes: Set<String> = ["linux"]
    package let protocolNames = ["ssh"]
    package let secretTypes: Set<SecretType> = [.password, .sshKey]
    private let guesses = RefusedGuesses()

    package init() {}

    package func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        let session: SSHSession
        do throws(SSHFault) {
            session = try target.sshSession(as: worker.credential)
        } catch {
            throw ConnectorFault(error)
        }
        do throws(ConnectorFault) {
            let login = LinuxLogin(session: session, limit: target.stepLimit)
            let identity = try login.identity()
            guard identity.name == worker.credential.username else {
                throw ConnectorFault(
                    .brokenProtocol, effect: .none,
                    words: "logged in as another account: " + RemoteWords.of(Array(identity.name.utf8)))
            }
            let power = try login.power(of: worker, as: identity)
            let shell = LinuxShell(session: session, power: power, limit: target.stepLimit)
            return LinuxSession(shell: shell, target: target, workerName: identity.name, workerID: identity.uid)
        } catch {
            session.close()
            throw error
        }
    }

    package func verify(
        _ credential: TargetLogin, on target: Target, by plan: VerificationPlan
    ) throws(ConnectorFault) -> Verdict {
        let verification = LinuxVerification(credential: credential, target: target, guesses: guesses)
        return switch plan {
        case .direct: try verification.directly()
        case .su(let from): try verification.bySu(from: from)
        }
    }
}
