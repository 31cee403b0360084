internal import Cryptography
package import Domain
internal import PostgresClient

/// Roles of PostgreSQL 10 and newer.
///
/// Which channel is used is the asset's `pg_ssl_mode` (JumpServer's name and values):
///
/// | mode | channel |
/// |---|---|
/// | `verify-full` | TLS, the certificate issued for the asset's address, by `ca_cert` or an authority of the system |
/// | `verify-ca` | TLS, the certificate issued by `ca_cert`; without one the same as `verify-full` |
/// | `require`, `prefer`, none | as `verify-ca` if there is a `ca_cert`; else TLS with any certificate and SCRAM bound to the channel |
/// | `disable`, `allow` | no TLS, and SCRAM alone |
///
/// `allow_invalid_cert` turns the first two into the third. Nothing falls back: a password, or an MD5 answer, leaves only over a
/// channel on which the server has proved who it is.
package struct PostgreSQL: Connector {
    package let name = "postgresql"
    package let platformTypes: Set<String> = ["postgresql"]
    package let protocolNames = ["postgresql"]
    package let secretTypes: Set<SecretType> = [.password]

    package init() {}

    package func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        let way = try Way(to: target)
        let channel = try Self.channel(of: target)
        let connection = try worker.credential.admission.around({ Self.fault($0, atLogin: true, hiding: worker.credential) }) {
            () throws(PostgresFault) in try Self.connect(target, channel, way, worker.credential, .any)
        }
        return try PostgreSQLSession(connection, way: way, worker: worker.credential, limit: target.stepLimit)
    }

    package func verify(
        _ credential: TargetLogin, on target: Target, by plan: VerificationPlan
    ) throws(ConnectorFault) -> Verdict {
        guard case .direct = plan, credential.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a role is proved by a login with its password")
        }
        let channel = try Self.channel(of: target)
        let way = try Way(to: target)
        do throws(PostgresFault) {
            let proof: PostgresProof = channel == .clear ? .any : .channelBound
            let connection = try Self.connect(target, channel, way, credential, proof)
            return connection.usedPassword ? .proven : .unverifiable(words: "the server asks for no password")
        } catch {
            // A pooler between, or a role whose verifier is MD5: where the server has proved who it is, any method will do.
            if error.kind == .noSafeChannel && channel.provesServer { return try verifyUnbound(credential, channel, target) }
            return try Self.verdict(on: error, channel, credential)
        }
    }

    /// A method by which the server need not know the password: that it refuses a wrong one has to be seen too.
    private func verifyUnbound(
        _ credential: TargetLogin, _ channel: PostgresChannel, _ target: Target
    ) throws(ConnectorFault) -> Verdict {
        let way = try Way(to: target)
        do throws(PostgresFault) {
            let connection = try Self.connect(target, channel, way, credential, .any)
            guard connection.usedPassword else { return .unverifiable(words: "the server asks for no password") }
        } catch {
            return try Self.verdict(on: error, nil, credential)
        }
        if target.wasSeenRefusing { return .proven }
        guard target.mayGuess() else { return .unverifiable(words: "no wrong login may be tried now, to see it refused") }
        let wrong = try TargetLogin.wrong(for: credential.username)
        let secondWay = try Way(to: target)
        do throws(PostgresFault) {
            _ = try Self.connect(target, channel, secondWay, wrong, .any)
            return .unverifiable(words: "the server takes any password")
        } catch {
            if error.sqlState == "28P01" { return .proven }
            throw Self.fault(error, atLogin: true, hiding: credential)
        }
    }

    /// - Parameter channel: what the login was bound to, if it was.
    private static func verdict(
        on fault: PostgresFault, _ channel: PostgresChannel?, _ credential: TargetLogin
    ) throws(ConnectorFault) -> Verdict {
        let told = self.fault(fault, atLogin: true, hiding: credential)
        if fault.kind == .notAsked { return .unverifiable(words: told.words) }
        // The database and the right to connect to it are looked at after the password. Only a server that is known is believed.
        if let state = fault.sqlState, ["3D000", "42501", "55000"].contains(state) {
            return channel?.provesServer == true ? .proven : .lockedOut(words: told.words)
        }
        switch told.kind {
        case .loginRejected: return .rejected(words: told.words)
        case .lockedOut: return .lockedOut(words: told.words)
        default: throw told
        }
    }
}

extension PostgreSQL {
    private static func connect(
        _ target: Target, _ channel: PostgresChannel, _ way: Way, _ credential: TargetLogin, _ proof: PostgresProof
    ) throws(PostgresFault) -> PostgresConnection {
        let endpoint = PostgresEndpoint(
            name: target.address, reachedAt: way.reachedAt, port: way.port, database: target.setting("db_name") ?? "postgres",
            channel: channel)
        // The way must not end before the login has.
        defer { withExtendedLifetime(way) {} }
        return try credential.withSecret { (secret) throws(PostgresFault) in
            try PostgresConnection(
                to: endpoint, user: credential.username, password: secret, proof: proof,
                limits: PostgresLimits(step: target.stepLimit, conversation: target.conversationLimit))
        }
    }

    private static func channel(of target: Target) throws(ConnectorFault) -> PostgresChannel {
        let authorities = target.setting("ca_cert")
        switch target.setting("pg_ssl_mode")?.lowercased() {
        case "disable", "allow": return .clear
        // Explicit, and harmless: what is bound to the channel cannot be used on another.
        case _ where target.isOn("allow_invalid_cert"): return .bound
        case "verify-full": return .verified(authorities: authorities)
        case "verify-ca": return authorities.map { .verifiedAuthority(authorities: $0) } ?? .verified(authorities: nil)
        case "require", "prefer", nil: return authorities.map { .verifiedAuthority(authorities: $0) } ?? .bound
        default:
            throw ConnectorFault(.unsupported, effect: .none, words: "the asset's pg_ssl_mode is none that is known")
        }
    }
}
