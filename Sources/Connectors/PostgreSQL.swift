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
    package let protocolName = "postgresql"
    package let secretTypes: Set<SecretType> = [.password]

    package init() {}

    package func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        let endpoint = try Self.endpoint(of: target)
        let connection: PostgresConnection
        do throws(PostgresFault) {
            connection = try Self.connect(endpoint, worker.credential, .any, target)
        } catch {
            throw Self.fault(error, atLogin: true, hiding: worker.credential)
        }
        return try PostgreSQLSession(connection, worker: worker.credential, limit: target.stepLimit)
    }

    package func verify(
        _ credential: Credential, on target: Target, by plan: VerificationPlan
    ) throws(ConnectorFault) -> Verdict {
        guard case .direct = plan, credential.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a role is proved by a login with its password")
        }
        let endpoint = try Self.endpoint(of: target)
        do throws(PostgresFault) {
            let proof: PostgresProof = endpoint.channel == .clear ? .any : .channelBound
            let connection = try Self.connect(endpoint, credential, proof, target)
            return connection.usedPassword ? .proven : .unverifiable(words: "the server asks for no password")
        } catch {
            // A pooler between, or a role whose verifier is MD5: where the server has proved who it is, any method will do.
            if error.kind == .noSafeChannel && endpoint.channel.provesServer {
                return try verifyUnbound(credential, endpoint, target)
            }
            return try Self.verdict(on: error, endpoint, credential)
        }
    }

    /// A method by which the server need not know the password: that it refuses a wrong one has to be seen too.
    private func verifyUnbound(
        _ credential: Credential, _ endpoint: PostgresEndpoint, _ target: Target
    ) throws(ConnectorFault) -> Verdict {
        do throws(PostgresFault) {
            let connection = try Self.connect(endpoint, credential, .any, target)
            guard connection.usedPassword else { return .unverifiable(words: "the server asks for no password") }
        } catch {
            return try Self.verdict(on: error, nil, credential)
        }
        let wrong = try Credential.wrong(for: credential.username)
        do throws(PostgresFault) {
            _ = try Self.connect(endpoint, wrong, .any, target)
            return .unverifiable(words: "the server takes any password")
        } catch {
            if error.sqlState == "28P01" { return .proven }
            throw Self.fault(error, atLogin: true, hiding: credential)
        }
    }

    /// - Parameter endpoint: where the login was bound to the channel.
    private static func verdict(
        on fault: PostgresFault, _ endpoint: PostgresEndpoint?, _ credential: Credential
    ) throws(ConnectorFault) -> Verdict {
        let told = self.fault(fault, atLogin: true, hiding: credential)
        if fault.kind == .notAsked { return .unverifiable(words: told.words) }
        // The database and the right to connect to it are looked at after the password. Only a server that is known is believed.
        if let state = fault.sqlState, ["3D000", "42501", "55000"].contains(state) {
            return endpoint?.channel.provesServer == true ? .proven : .lockedOut(words: told.words)
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
        _ endpoint: PostgresEndpoint, _ credential: Credential, _ proof: PostgresProof, _ target: Target
    ) throws(PostgresFault) -> PostgresConnection {
        try credential.withSecret { (secret) throws(PostgresFault) in
            try PostgresConnection(
                to: endpoint, user: credential.username, password: secret, proof: proof,
                limits: PostgresLimits(step: target.stepLimit))
        }
    }

    static func endpoint(of target: Target) throws(ConnectorFault) -> PostgresEndpoint {
        PostgresEndpoint(
            name: target.address, port: target.port, database: target.setting("db_name") ?? "postgres",
            channel: try channel(of: target))
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
