internal import Cryptography
internal import Domain
internal import PostgresClient
internal import Synchronization

/// The worker, logged in to a server of PostgreSQL.
final class PostgreSQLSession: WorkSession {
    let system: TargetIdentity.System
    let workerName: String
    let hostKey: String? = nil
    private let worker: TargetLogin
    private let way: Way
    private let isSuperuser: Bool
    /// nil once it is closed.
    private let connection: Mutex<PostgresConnection?>

    init(_ connection: PostgresConnection, way: Way, worker: TargetLogin, limit: Duration) throws(ConnectorFault) {
        self.worker = worker
        self.way = way
        do throws(PostgresFault) {
            try Self.prepare(connection, limit)
            let me = try connection.run("SELECT session_user::text AS name, rolsuper FROM pg_roles WHERE rolname = session_user")
            let system = try connection.run("SELECT system_identifier::text AS id FROM pg_control_system()")
            guard let name = me.value("name"), let identifier = system.value("id") else {
                throw PostgresFault(.brokenProtocol, "the server does not say who is logged in, or which server it is")
            }
            workerName = name
            isSuperuser = me.value("rolsuper") == "t"
            self.system = .database(kind: "postgresql", identifier: identifier)
        } catch {
            throw PostgreSQL.fault(error, atLogin: true, hiding: worker)
        }
        self.connection = Mutex(connection)
    }

    /// Settings that what follows relies on, whatever the role's own are.
    private static func prepare(_ connection: PostgresConnection, _ limit: Duration) throws(PostgresFault) {
        let milliseconds = max(1000, limit.components.seconds * 1000)
        for setting in [
            // Names and operators are those of the server, not of a schema that somebody put before.
            "search_path = pg_catalog", "statement_timeout = \(milliseconds)", "lock_timeout = \(milliseconds / 2)",
            // A change that was answered is not forgotten in a crash.
            "synchronous_commit = on", "default_transaction_read_only = off",
        ] { try connection.run("SET " + setting) }
        // Verifiers are no passwords, yet they do not belong in logs and statistics either. Most workers may set these, not all.
        for setting in [
            "log_statement = 'none'", "log_min_duration_statement = -1", "log_min_duration_sample = -1",
            "log_min_error_statement = 'panic'", "track_activities = off",
        ] {
            do throws(PostgresFault) { try connection.run("SET " + setting) } catch {
                guard case .refused(_, isFatal: false) = error.kind else { throw error }
            }
        }
    }

    func find(_ username: String) throws(ConnectorFault) -> RemoteAccount? {
        try role(username)?.account
    }

    func close() {
        connection.withLock { $0 = nil }
        way.end()
    }

    /// Asks something that changes nothing.
    private func ask(_ question: String, _ values: [String?] = []) throws(ConnectorFault) -> PostgresRows {
        do throws(PostgresFault) { return try live().run(question, values) } catch {
            throw PostgreSQL.fault(error, atLogin: false, hiding: worker)
        }
    }

    private func live() throws(PostgresFault) -> PostgresConnection {
        guard let connection = connection.withLock({ $0 }) else { throw PostgresFault(.cut, "the session is closed") }
        return connection
    }
}

/// A role as `pg_roles` has it.
private struct Role {
    let account: RemoteAccount
    let mayLogIn: Bool
    let isExpired: Bool
    let isSuperuser: Bool
}

extension PostgreSQLSession {
    /// Compared as text: a parameter of type `name` would be cut at 63 bytes and find another role.
    private static let question = """
        SELECT rolname::text AS name, oid::text AS oid, rolcanlogin, rolsuper, rolcreaterole, rolreplication,
            rolvaliduntil::text AS until, coalesce(rolvaliduntil <= now(), false) AS expired
        FROM pg_roles WHERE rolname::text = $1::text
        """

    /// Objects that `initdb` makes have lower numbers (`FirstNormalObjectId`).
    private static let firstOwnNumber = 16_384

    private func role(_ username: String) throws(ConnectorFault) -> Role? {
        guard !username.utf8.contains(0), username.utf8.count <= PostgresQuoting.longestName else { return nil }
        let rows = try ask(Self.question, [username])
        guard !rows.isEmpty else { return nil }
        guard let name = rows.value("name"), name == username, let number = rows.value("oid").flatMap({ Int($0) }) else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: "the server answers about another role")
        }
        var attributes = ["oid": "\(number)"]
        for flag in ["rolsuper", "rolcreaterole", "rolreplication", "rolcanlogin"] {
            attributes[flag] = rows.value(flag) == "t" ? "true" : "false"
        }
        if let until = rows.value("until") { attributes["valid_until"] = TargetWords(until).text }
        let mayLogIn = rows.value("rolcanlogin") == "t"
        let isExpired = rows.value("expired") == "t"
        return Role(
            account: RemoteAccount(
                username: name, isSystem: number < Self.firstOwnNumber || name.hasPrefix("pg_"),
                isLocked: !mayLogIn || isExpired, attributes: attributes),
            mayLogIn: mayLogIn, isExpired: isExpired, isSuperuser: rows.value("rolsuper") == "t")
    }

    /// What the server stores for the role; nil where the worker may not read it, or there is nothing.
    private func storedVerifier(_ username: String) throws(ConnectorFault) -> String? {
        do throws(ConnectorFault) {
            return try ask("SELECT rolpassword FROM pg_authid WHERE rolname::text = $1::text", [username]).value("rolpassword")
        } catch {
            if error.kind == .notPermitted { return nil }
            throw error
        }
    }
}

extension PostgreSQLSession: SecretChanging {
    func prepare(_ request: ChangeRequest) throws(ConnectorFault) {
        try checkForm(request)
        guard let role = try role(request.username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard role.mayLogIn else {
            throw ConnectorFault(.lockedOut, effect: .none, words: "the role may not log in, so no password of it can be proved")
        }
        guard !role.isExpired else {
            throw ConnectorFault(
                .lockedOut, effect: .none, words: "the role's VALID UNTIL has passed, so no password of it can be proved")
        }
        guard try ask("SELECT pg_is_in_recovery() AS standby").value("standby") == "f" else {
            throw ConnectorFault(.unsupported, effect: .none, words: "this server is a standby, which changes nothing")
        }
        guard isSuperuser || !role.isSuperuser || request.username == workerName else {
            throw ConnectorFault(.notPermitted, effect: .none, words: "only a superuser changes a superuser")
        }
    }

    func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault) {
        try checkForm(request)
        let form = try form(for: request)
        try change("ALTER ROLE", request, form, secret, ending: "")
    }

    /// A role has one password.
    func retire(_ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?) throws(ConnectorFault) {}

    /// One statement that carries a verifier, made here: the password itself goes into no statement and so into no log.
    private func change(
        _ verb: String, _ request: ChangeRequest, _ form: PostgresVerifierForm, _ secret: borrowing Secret, ending: String
    ) throws(ConnectorFault) {
        let connection: PostgresConnection
        let statement: String
        do throws(PostgresFault) {
            connection = try live()
            let verifier = try connection.verifier(for: secret, user: request.username, form: form)
            statement = try
                "\(verb) \(PostgresQuoting.identifier(request.username)) PASSWORD \(PostgresQuoting.literal(verifier))\(ending)"
        } catch {
            throw PostgreSQL.fault(error, atLogin: false, hiding: worker)
        }
        do throws(PostgresFault) { try connection.run(statement) } catch {
            let fault = PostgreSQL.changeFault(error, hiding: worker)
            throw ConnectorFault(fault.kind, effect: fault.effect, words: TargetWords(fault.words).hiding(secret).text)
        }
    }

    /// Explicitly asked for; else as it is stored; else as the server makes new ones.
    private func form(for request: ChangeRequest) throws(ConnectorFault) -> PostgresVerifierForm {
        if let asked = request.parameters["password_encryption"].flatMap(PostgresVerifierForm.init(rawValue:)) { return asked }
        if let stored = try storedVerifier(request.username).flatMap(PostgresVerifierForm.init(ofVerifier:)) { return stored }
        let setting = try ask("SHOW password_encryption").value("password_encryption")
        return setting.flatMap(PostgresVerifierForm.init(rawValue:)) ?? .md5
    }

    private func checkForm(_ request: ChangeRequest) throws(ConnectorFault) {
        guard request.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a role has a password and no \(request.secretType.label)")
        }
        if let form = request.parameters["password_encryption"], PostgresVerifierForm(rawValue: form) == nil {
            throw ConnectorFault(.unsupported, effect: .none, words: "password_encryption is scram-sha-256 or md5")
        }
    }
}

extension PostgreSQLSession: VerifierReading {
    func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        try checkForm(request)
        guard let stored = try storedVerifier(request.username) else { return .unknown }
        if let scram = ScramVerifier(stored) {
            do throws(CryptographyFault) {
                guard let isSame = try scram.matches(secret) else { return .unknown }
                return isSame ? .same : .different
            } catch { return .unknown }
        }
        guard PostgresVerifierForm(ofVerifier: stored) == .md5 else { return .unknown }
        do throws(PostgresFault) {
            return try live().verifier(for: secret, user: request.username, form: .md5) == stored ? .same : .different
        } catch {
            throw PostgreSQL.fault(error, atLogin: false, hiding: worker)
        }
    }
}

extension PostgreSQLSession: AccountPushing {
    func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault) {
        try checkForm(push.request)
        try change("CREATE ROLE", push.request, try form(for: push.request), secret, ending: " LOGIN")
    }

    /// A role has nothing that a push sets beside its password.
    func update(_ push: AccountPush) throws(ConnectorFault) {
        try checkForm(push.request)
        guard try role(push.username) != nil else { throw ConnectorFault(.noSuchAccount, effect: .none) }
    }
}

extension PostgreSQLSession: AccountRemoving {
    /// The role's number, which no other role gets.
    func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String {
        let role = try removable(username)
        return "oid=\(role.account.attributes["oid"] ?? "")"
    }

    /// A role that owns something, in any database, or has been granted something stays: what becomes of that is for a person to say
    /// (`REASSIGN OWNED`, `DROP OWNED`). The server says what it is: of this database by name, of the others how much.
    func remove(_ removal: AccountRemoval) throws(ConnectorFault) {
        guard try mark(removal.username, parameters: removal.parameters) == removal.mark else {
            throw ConnectorFault(.replaced, effect: .none, words: "the role has another oid than the one that was to be removed")
        }
        do throws(PostgresFault) { try live().run("DROP ROLE " + PostgresQuoting.identifier(removal.username)) } catch {
            throw PostgreSQL.changeFault(error, hiding: worker)
        }
    }

    private func removable(_ username: String) throws(ConnectorFault) -> Role {
        guard let role = try role(username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard !role.account.isSystem, username != workerName else {
            throw ConnectorFault(.forbidden, effect: .none, words: "a role of the system, or the worker itself")
        }
        return role
    }
}
