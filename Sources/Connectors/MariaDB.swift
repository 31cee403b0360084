internal import Cryptography
package import Domain
internal import MariaDBClient
internal import Streams

/// Accounts of MariaDB 10.4 and newer, and of MySQL 5.7 and newer.
///
/// The asset's `use_ssl` asks for TLS with a certificate for its address, issued by `ca_cert` or an authority of the system;
/// `allow_invalid_cert` takes any. Without `use_ssl` there is no TLS. On every channel the password is proved and never shown: a server that
/// asks for it in clear (`pam`, `sha256_password`) gets nothing.
///
/// An account is a name and a host: `account_host` names one, `all_hosts` means every one of the name; without either, it is the only
/// one there is, or the one at `%`. The plugin that an account has is kept: `mysql_native_password` and `ed25519` can be changed.
/// What only MySQL has is written by its manual and has not been proved on a server.
package struct MariaDB: Connector {
    package let name = "mariadb"
    package let platformTypes: Set<String> = ["mariadb", "mysql"]
    package let protocolNames = ["mariadb", "mysql"]
    package let secretTypes: Set<SecretType> = [.password]

    package init() {}

    package func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        let way = try Way(to: target)
        let connection = try worker.credential.admission.around({ Self.fault($0, hiding: worker.credential) }) {
            () throws(MariaDBFault) in try Self.connect(target, way, worker.credential)
        }
        return try MariaDBSession(connection, way: way, worker: worker.credential, limit: target.stepLimit)
    }

    package func verify(
        _ credential: TargetLogin, on target: Target, by plan: VerificationPlan
    ) throws(ConnectorFault) -> Verdict {
        guard case .direct = plan, credential.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "an account is proved by a login with its password")
        }
        let way = try Way(to: target)
        defer { withExtendedLifetime(way) {} }
        do throws(MariaDBFault) {
            let connection = try Self.connect(target, way, credential)
            if let doubt = try doubt(of: credential, connection) { return .unverifiable(words: doubt) }
            // Here one wrong password more may lock the account.
            if try isQuickToLock(connection) {
                return connection.provesServer ? .proven : .unverifiable(words: "one wrong password would lock the account")
            }
        } catch {
            let told = Self.fault(error, hiding: credential)
            // The account has no password at all: it is known by its socket or its certificate.
            if error.code == 1698 { return .unverifiable(words: told.words) }
            switch told.kind {
            case .loginRejected: return .rejected(words: told.words)
            case .lockedOut: return .lockedOut(words: told.words)
            default: throw told
            }
        }
        return try control(credential, target)
    }

    /// No method here makes the server prove anything: that a wrong password is refused has to be seen.
    private func control(_ credential: TargetLogin, _ target: Target) throws(ConnectorFault) -> Verdict {
        if target.wasSeenRefusing { return .proven }
        guard target.mayGuess() else { return .unverifiable(words: "no wrong login may be tried now, to see it refused") }
        let wrong = try TargetLogin.wrong(for: credential.username)
        let way = try Way(to: target)
        do throws(MariaDBFault) {
            _ = try Self.connect(target, way, wrong)
            return .unverifiable(words: "the server takes any password")
        } catch {
            if error.code == 1045 { return .proven }
            throw Self.fault(error, hiding: credential)
        }
    }

    /// Why a login that succeeded says nothing about the account.
    private func doubt(of credential: TargetLogin, _ connection: MariaDBConnection) throws(MariaDBFault) -> String? {
        let me = try connection.run("SELECT CURRENT_USER() AS me").value("me") ?? ""
        guard let end = me.lastIndex(of: "@"), me[..<end] == credential.username else {
            return "the server logs in somebody else than the account"
        }
        return nil
    }

    private func isQuickToLock(_ connection: MariaDBConnection) throws(MariaDBFault) -> Bool {
        let most = try connection.run("SHOW GLOBAL VARIABLES LIKE 'max_password_errors'").value("Value").flatMap { Int($0) }
        return most.map { $0 < 3 } ?? false
    }

    private static func connect(
        _ target: Target, _ way: Way, _ credential: TargetLogin
    ) throws(MariaDBFault) -> MariaDBConnection {
        let endpoint = way.endpoint(of: target)
        // The way must not end before the login has.
        defer { withExtendedLifetime(way) {} }
        return try credential.withSecret { (secret) throws(MariaDBFault) in
            try MariaDBConnection(
                to: endpoint, user: credential.username, password: secret,
                limits: MariaDBLimits(step: target.stepLimit, conversation: target.conversationLimit))
        }
    }
}

extension MariaDB {
    static func fault(_ fault: MariaDBFault, hiding credential: TargetLogin) -> ConnectorFault {
        ConnectorFault(kind(of: fault), effect: .none, words: words(fault, credential))
    }

    /// A fault of a statement that sets or makes something. One that the server refuses has had no effect, if it was about one account.
    static func changeFault(_ fault: MariaDBFault, accounts: Int, hiding credential: TargetLogin) -> ConnectorFault {
        let words = words(fault, credential)
        guard let code = fault.code else {
            return ConnectorFault(kind(of: fault), effect: fault.kind == .badInput ? .none : .unknown, words: words)
        }
        // ER_NOT_VALID_PASSWORD, of all plugins that look at passwords.
        let kind: ConnectorFault.Kind =
            code == 1819
            ? .refusedByPolicy(PolicyRefusal(kind: words.lowercased().contains("reuse") ? .history : .quality, words: words))
            : kind(of: fault)
        return ConnectorFault(kind, effect: accounts == 1 && saysNothingDone(code) ? .none : .unknown, words: words)
    }

    /// What is said before an account is touched: rights, options, syntax, plugins, the password's form, an account that is or is not there.
    /// Other refusals may come after it: the server changes its accounts first, and only then writes its log (ER_ERROR_ON_WRITE).
    private static func saysNothingDone(_ code: Int) -> Bool {
        [
            1044, 1045, 1047, 1064, 1133, 1142, 1143, 1227, 1290, 1370, 1372, 1396, 1410, 1470, 1524, 1792, 1819, 1820, 1827,
            1836,
        ].contains(code)
    }

    private static func words(_ fault: MariaDBFault, _ credential: TargetLogin) -> String {
        credential.withSecret { TargetWords(fault.words).hiding($0).text }
    }

    /// Numbers are listed in the manual's "MariaDB Error Codes".
    private static func kind(of fault: MariaDBFault) -> ConnectorFault.Kind {
        guard let code = fault.code else { return ConnectorFault.Kind(fault) }
        switch code {
        case 1045: return .loginRejected
        // Blocked hosts, hosts that are not allowed, expired passwords, locked accounts, exhausted limits.
        case 1129, 1130, 1203, 1226, 1698, 1820, 1862, 3118, 4150, 4151: return .lockedOut
        case 1040: return .unreachable
        case 3159: return .noSafeChannel
        case 1044, 1142, 1143, 1227, 1370, 1410: return .notPermitted
        // The server runs with an option that forbids it: read only, or verifiers instead of passwords.
        case 1290, 1792, 1836: return .unsupported
        case 1205, 1317, 1969: return .timedOut
        case 1053, 1927: return .cut
        default: return .brokenProtocol
        }
    }
}
