internal import Cryptography
package import Domain
internal import RedisClient
internal import Streams

/// Users of Redis 6 and newer (ACL).
///
/// Redis proves a password by being told it, so the channel has to be safe: the asset's `use_ssl` asks for TLS with a certificate for its
/// address, issued by `ca_cert` or an authority of the system (`allow_invalid_cert` takes any). Without TLS nothing is sent, unless the
/// asset says `allow_clear_text`.
///
/// Users are told to the server by SHA-256 hashes alone, so that no password comes to `ACL LOG`, `MONITOR` or a file.
package struct Redis: Connector {
    package let name = "redis"
    package let platformTypes: Set<String> = ["redis"]
    package let protocolNames = ["redis"]
    package let secretTypes: Set<SecretType> = [.password]

    package init() {}

    package func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        let way = try Way(to: target)
        let connection = try worker.credential.admission.around({ Self.fault($0, hiding: worker.credential) }) {
            () throws(RedisFault) in try Self.connect(target, way, worker.credential)
        }
        return try RedisSession(connection, to: target, way: way, worker: worker.credential)
    }

    package func verify(
        _ credential: TargetLogin, on target: Target, by plan: VerificationPlan
    ) throws(ConnectorFault) -> Verdict {
        guard case .direct = plan, credential.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a user is proved by a login with its password")
        }
        let way = try Way(to: target)
        do throws(RedisFault) { _ = try Self.connect(target, way, credential) } catch {
            let told = Self.fault(error, hiding: credential)
            switch told.kind {
            case .loginRejected: return .rejected(words: told.words)
            case .lockedOut: return .lockedOut(words: told.words)
            default: throw told
            }
        }
        // A user with `nopass` is let in with anything.
        if target.wasSeenRefusing { return .proven }
        guard target.mayGuess() else { return .unverifiable(words: "no wrong login may be tried now, to see it refused") }
        let wrong = try TargetLogin.wrong(for: credential.username)
        let secondWay = try Way(to: target)
        do throws(RedisFault) {
            _ = try Self.connect(target, secondWay, wrong)
            return .unverifiable(words: "the server takes any password")
        } catch {
            if error.code == "WRONGPASS" { return .proven }
            throw Self.fault(error, hiding: credential)
        }
    }

    private static func connect(
        _ target: Target, _ way: Way, _ credential: TargetLogin
    ) throws(RedisFault) -> RedisConnection {
        let endpoint = way.endpoint(of: target)
        guard endpoint.trust.isEncrypted || target.isOn("allow_clear_text") else {
            throw RedisFault(.noSafeChannel, "the asset has no TLS, and does not say that its passwords may go in clear")
        }
        // The way must not end before the login has.
        defer { withExtendedLifetime(way) {} }
        let connection = try RedisConnection(
            to: endpoint, limits: RedisLimits(step: target.stepLimit, conversation: target.conversationLimit))
        try credential.withSecret { (secret) throws(RedisFault) in try connection.logIn(credential.username, secret) }
        return connection
    }
}

extension Redis {
    static func fault(
        _ fault: RedisFault, effect: ConnectorFault.Effect = .none, hiding credential: TargetLogin
    ) -> ConnectorFault {
        ConnectorFault(kind(of: fault), effect: effect, words: credential.withSecret { TargetWords(fault.words).hiding($0).text })
    }

    /// A fault of a command that sets or makes something: one that the server refuses has had no effect.
    static func changeFault(_ fault: RedisFault, hiding credential: TargetLogin) -> ConnectorFault {
        self.fault(fault, effect: fault.code != nil || fault.kind == .badInput ? .none : .unknown, hiding: credential)
    }

    private static func kind(of fault: RedisFault) -> ConnectorFault.Kind {
        guard let code = fault.code else { return ConnectorFault.Kind(fault) }
        switch code {
        case "WRONGPASS": return .loginRejected
        case "NOPERM": return .notPermitted
        case "DENIED", "NOAUTH": return .lockedOut
        case "LOADING", "MASTERDOWN": return .unreachable
        // Before Redis 6 there are no users; `AUTH` with a name is a wrong number of arguments.
        case "ERR": return fault.words.contains("max number of clients") ? .unreachable : .unsupported
        default: return .unsupported
        }
    }
}
