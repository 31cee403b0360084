internal import Cryptography
internal import Domain
internal import MariaDBClient
internal import Streams
internal import Synchronization

/// The worker, logged in to a server of MariaDB or MySQL.
final class MariaDBSession: WorkSession {
    let system: TargetIdentity.System
    let workerName: String
    let hostKey: String? = nil
    private let worker: TargetLogin
    private let way: Way
    private let isMariaDB: Bool
    /// nil once it is closed.
    private let connection: Mutex<MariaDBConnection?>

    init(_ connection: MariaDBConnection, way: Way, worker: TargetLogin, limit: Duration) throws(ConnectorFault) {
        self.worker = worker
        self.way = way
        isMariaDB = connection.isMariaDB
        do throws(MariaDBFault) {
            // What we send is UTF-8, and is read by these rules, whatever the server's own are.
            try connection.run("SET NAMES utf8mb4")
            try connection.run("SET SESSION sql_mode = ''")
            try connection.run("SET SESSION lock_wait_timeout = \(max(1, limit.components.seconds / 2))")
            guard let me = try connection.run("SELECT CURRENT_USER() AS me").value("me"), !me.isEmpty else {
                throw MariaDBFault(.brokenProtocol, "the server does not say who is logged in")
            }
            workerName = me
            system = try Self.system(connection)
        } catch {
            throw MariaDB.fault(error, hiding: worker)
        }
        self.connection = Mutex(connection)
    }

    private static func system(_ connection: MariaDBConnection) throws(MariaDBFault) -> TargetIdentity.System {
        let rows = try connection.run(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'hostname', 'port', 'datadir')")
        let variables = Dictionary(rows.rows.map { ($0.first.flatMap { $0 } ?? "", $0.last.flatMap { $0 } ?? "") }) { $1 }
        if let identifier = variables["server_uuid"] ?? variables["server_uid"], !identifier.isEmpty {
            return .database(kind: "mariadb", identifier: identifier)
        }
        // An older MariaDB has no name of its own: a data directory on a host belongs to one server.
        let place = [variables["hostname"], variables["port"], variables["datadir"]].map { $0 ?? "" }.joined(separator: "\n")
        guard let digest = try? SHA256.digest(Array(place.utf8)), place.utf8.count > 2 else {
            throw MariaDBFault(.brokenProtocol, "the server does not say which one it is")
        }
        return .database(kind: "mariadb", identifier: hexadecimal(digest))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    func close() {
        connection.withLock { $0 = nil }
        way.end()
    }

    private func live() throws(MariaDBFault) -> MariaDBConnection {
        guard let connection = connection.withLock({ $0 }) else { throw MariaDBFault(.cut, "the session is closed") }
        return connection
    }

    /// Asks something that changes nothing.
    private func ask(_ question: String) throws(ConnectorFault) -> MariaDBRows {
        do throws(MariaDBFault) { return try live().run(question) } catch { throw MariaDB.fault(error, hiding: worker) }
    }
}

/// An account: a name at a host.
private struct Entry {
    let user: String
    let host: String
    let plugin: String
    let stored: String
    let isLocked: Bool
    let isExpired: Bool
    /// When its password was set, as the server writes it; empty where it does not say.
    let dateOfPassword: String
    let hasSeveralMethods: Bool
    /// A client certificate, which we have not, or TLS.
    let needsTLS: Bool
    let needsCertificate: Bool

    var verifier: MariaDBVerifier? { plugin.isEmpty ? .native : MariaDBVerifier(rawValue: plugin) }

    var quoted: String {
        get throws(MariaDBFault) { try MariaDBQuoting.name(user) + "@" + MariaDBQuoting.name(host, longest: 255) }
    }

    var isSystem: Bool {
        ["root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "debian-sys-maint"].contains(user)
    }
}

extension MariaDBSession {
    private static let mariaDBQuestion = """
        SELECT User AS user, Host AS host, coalesce(JSON_VALUE(Priv, '$.plugin'), '') AS plugin,
            coalesce(JSON_VALUE(Priv, '$.authentication_string'), '') AS stored,
            coalesce(JSON_VALUE(Priv, '$.account_locked'), 'false') IN ('true', '1') AS locked,
            coalesce(JSON_VALUE(Priv, '$.password_last_changed'), '1') = '0' AS expired,
            coalesce(JSON_VALUE(Priv, '$.password_last_changed'), '') AS dated,
            JSON_EXISTS(Priv, '$.auth_or') AS several, coalesce(JSON_VALUE(Priv, '$.ssl_type'), '0') AS tls
        FROM mysql.global_priv WHERE coalesce(JSON_VALUE(Priv, '$.is_role'), 'false') NOT IN ('true', '1') AND CAST(User AS BINARY) =
        """

    private static let mySQLQuestion = """
        SELECT User AS user, Host AS host, plugin, coalesce(authentication_string, '') AS stored, account_locked = 'Y' AS locked,
            password_expired = 'Y' AS expired, coalesce(password_last_changed, '') AS dated, 0 AS several,
            CASE ssl_type WHEN '' THEN '0' WHEN 'ANY' THEN '1' ELSE '2' END AS tls
        FROM mysql.user WHERE CAST(User AS BINARY) =
        """

    /// Every account of that name.
    private func all(_ username: String) throws(ConnectorFault) -> [Entry] {
        guard !username.isEmpty else { return [] }
        let question = isMariaDB ? Self.mariaDBQuestion : Self.mySQLQuestion
        let rows = try ask(question + " " + MariaDBQuoting.value(username))
        return rows.rows.indices.compactMap { row in
            func value(_ column: String) -> String { rows.value(column, row: row) ?? "" }
            guard value("user") == username else { return nil }
            return Entry(
                user: value("user"), host: value("host"), plugin: value("plugin"), stored: value("stored"),
                isLocked: value("locked") == "1", isExpired: value("expired") == "1",
                dateOfPassword: value("dated"), hasSeveralMethods: value("several") == "1",
                needsTLS: value("tls") != "0", needsCertificate: !["0", "1"].contains(value("tls")))
        }
    }

    /// The accounts that are meant: see `MariaDB`.
    private func entries(_ username: String, _ parameters: [String: String]) throws(ConnectorFault) -> [Entry] {
        let all = try all(username)
        if parameters["all_hosts"] == "true" { return all }
        if let host = parameters["account_host"], !host.isEmpty {
            return all.filter { $0.host.lowercased() == host.lowercased() }
        }
        if all.count <= 1 { return all }
        let everywhere = all.filter { $0.host == "%" }
        guard !everywhere.isEmpty else {
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: TargetWords(
                    "the name has accounts at several hosts; name one in account_host: "
                        + all.map(\.host).joined(separator: ", ")
                ).text)
        }
        return everywhere
    }

    private func found(_ request: ChangeRequest) throws(ConnectorFault) -> [Entry] {
        guard request.secretType == .password else {
            throw ConnectorFault(
                .unsupported, effect: .none, words: "an account has a password and no \(request.secretType.label)")
        }
        let entries = try entries(request.username, request.parameters)
        guard !entries.isEmpty else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        return entries
    }

    func find(_ username: String) throws(ConnectorFault) -> RemoteAccount? { try find(username, parameters: [:]) }

    func find(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> RemoteAccount? {
        let entries = try entries(username, parameters)
        guard let first = entries.first else { return nil }
        let hosts = entries.map(\.host).sorted().joined(separator: ",")
        return RemoteAccount(
            username: first.user, identity: first.user + "@" + hosts, isSystem: first.isSystem,
            isLocked: entries.contains(where: \.isLocked),
            isWorker: entries.contains { $0.user + "@" + $0.host == workerName },
            attributes: [
                "hosts": TargetWords(hosts).text, "plugin": TargetWords(first.plugin).text,
                "expired": entries.contains(where: \.isExpired) ? "true" : "false",
            ])
    }
}

extension MariaDBSession {
    func others(
        _ username: String, foundAs identity: String, parameters: [String: String]
    ) throws(ConnectorFault) -> [String] {
        // Before it was created it was found as its bare name.
        guard identity.hasPrefix(username + "@") else { return [] }
        let former = Set(identity.dropFirst(username.count + 1).split(separator: ",").map(String.init))
        let meant = Set(try entries(username, parameters).map(\.host))
        return try all(username).map(\.host).filter { former.contains($0) && !meant.contains($0) }
            .map { TargetWords(username + "@" + $0).text }
    }
}

extension MariaDBSession: SecretChanging {
    func prepare(_ request: ChangeRequest) throws(ConnectorFault) {
        for entry in try found(request) { try check(entry) }
        let readOnly = try ask("SHOW GLOBAL VARIABLES LIKE 'read_only'").value("Value")
        guard readOnly == nil || readOnly == "OFF" else {
            throw ConnectorFault(.unsupported, effect: .none, words: "this server is read only")
        }
        try refuseStrict()
    }

    /// A server that checks passwords itself may insist on seeing them in statements, where logs would have them too.
    private func refuseStrict() throws(ConnectorFault) {
        let strict = try ask("SHOW GLOBAL VARIABLES LIKE 'strict_password_validation'").value("Value")
        guard isMariaDB, strict == "ON" else { return }
        let plugins = try ask(
            """
            SELECT count(*) AS count FROM information_schema.PLUGINS
            WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE'
            """
        ).value("count")
        guard plugins == "0" else {
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: "strict_password_validation wants to see passwords in statements; switched off, it takes verifiers")
        }
    }

    private func check(_ entry: Entry) throws(ConnectorFault) {
        guard !entry.isLocked else { throw ConnectorFault(.lockedOut, effect: .none, words: "the account is locked") }
        guard !entry.hasSeveralMethods else {
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: "the account can log in by several methods; a change would take the others away")
        }
        guard entry.verifier != nil else {
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: TargetWords("the account logs in by \(entry.plugin), which is not changed here").text)
        }
        guard !entry.needsCertificate else {
            throw ConnectorFault(
                .lockedOut, effect: .none, words: "the account logs in with a certificate, so a password alone proves nothing")
        }
    }

    func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault) {
        let entries = try found(request)
        for entry in entries { try check(entry) }
        var parts: [String] = []
        do throws(MariaDBFault) {
            for entry in entries {
                guard let verifier = entry.verifier else { continue }
                parts.append(try entry.quoted + clause(verifier, secret))
            }
        } catch { throw MariaDB.changeFault(error, accounts: 1, hiding: worker) }
        try change("ALTER USER " + parts.joined(separator: ", "), accounts: parts.count, secret)
    }

    /// An account has one password.
    func retire(_ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?) throws(ConnectorFault) {}

    /// A verifier, made here: the password itself goes into no statement and so into no log.
    private func clause(_ verifier: MariaDBVerifier, _ secret: borrowing Secret) throws(MariaDBFault) -> String {
        guard secret.withBytes({ !$0.contains(0) }) else { throw MariaDBFault(.badInput, "a password has no NUL byte") }
        let text = try MariaDBQuoting.literal(verifier.text(for: secret))
        return isMariaDB
            ? " IDENTIFIED VIA \(verifier.rawValue) USING \(text)" : " IDENTIFIED WITH '\(verifier.rawValue)' AS \(text)"
    }

    private func change(_ statement: String, accounts: Int, _ secret: borrowing Secret) throws(ConnectorFault) {
        let connection: MariaDBConnection
        do throws(MariaDBFault) { connection = try live() } catch { throw MariaDB.fault(error, hiding: worker) }
        do throws(MariaDBFault) { try connection.run(statement) } catch {
            let error = error.code == 1396 ? reason(connection) ?? error : error
            let fault = MariaDB.changeFault(error, accounts: accounts, hiding: worker)
            let words = TargetWords(fault.words).hiding(secret).text
            // ER_CANNOT_USER.
            if error.code == 1396 {
                let kind: ConnectorFault.Kind = statement.hasPrefix("CREATE") ? .accountExists : .noSuchAccount
                throw ConnectorFault(kind, effect: fault.effect, words: words)
            }
            throw ConnectorFault(fault.kind, effect: fault.effect, words: words)
        }
    }

    /// What the server says beside ER_CANNOT_USER, which it gives for every reason.
    private func reason(_ connection: MariaDBConnection) -> MariaDBFault? {
        guard let rows = try? connection.run("SHOW WARNINGS") else { return nil }
        for row in rows.rows.indices {
            guard let code = rows.value("Code", row: row).flatMap({ Int($0) }), code != 1396 else { continue }
            return MariaDBFault(.refused(code: code), rows.value("Message", row: row) ?? "")
        }
        return nil
    }
}

extension MariaDBSession: VerifierReading {
    func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        for entry in try found(request) {
            guard !entry.hasSeveralMethods, let verifier = entry.verifier else { return .unknown }
            do throws(MariaDBFault) {
                let isSame = try verifier.text(for: secret) == (verifier == .native ? entry.stored.uppercased() : entry.stored)
                guard isSame else { return .different }
            } catch { return .unknown }
        }
        return .same
    }
}

extension MariaDBSession: AccountPushing {
    func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault) {
        guard push.request.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "an account has a password")
        }
        guard let verifier = MariaDBVerifier(rawValue: push.parameters["plugin"] ?? MariaDBVerifier.native.rawValue) else {
            throw ConnectorFault(.unsupported, effect: .none, words: "plugin is mysql_native_password or ed25519")
        }
        let host = Self.host(ofNew: push.parameters)
        let statement: String
        do throws(MariaDBFault) {
            statement =
                try "CREATE USER \(MariaDBQuoting.name(push.username))@\(MariaDBQuoting.name(host, longest: 255))"
                + clause(verifier, secret)
        } catch { throw MariaDB.changeFault(error, accounts: 1, hiding: worker) }
        try change(statement, accounts: 1, secret)
    }

    private static func host(ofNew parameters: [String: String]) -> String {
        parameters["account_host"].flatMap { $0.isEmpty ? nil : $0 } ?? "%"
    }

    func identity(ofNew username: String, parameters: [String: String]) -> String {
        username + "@" + Self.host(ofNew: parameters)
    }

    /// An account has nothing that a push sets beside its password.
    func update(_ push: AccountPush) throws(ConnectorFault) { _ = try found(push.request) }
}

extension MariaDBSession: AccountRemoving {
    /// Of each entry its host, method, and the second in which its password was set: one that is made anew has a later one.
    func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String {
        try Self.mark(of: try removable(username, parameters))
    }

    private static func mark(of entries: [Entry]) throws(ConnectorFault) -> String {
        var digests: [String] = []
        for entry in entries.sorted(by: { $0.host < $1.host }) { digests.append(try digest(entry)) }
        return markOfEach + digests.joined(separator: ",")
    }

    private static let markOfEach = "each="

    private static func digest(_ entry: Entry) throws(ConnectorFault) -> String {
        let parts = [entry.host, entry.plugin, entry.dateOfPassword].map { "\($0.utf8.count):\($0)" }
        guard let digest = try? SHA256.digest(Array(parts.joined().utf8)) else {
            throw ConnectorFault(.unsupported, effect: .none)
        }
        return hexadecimal(digest)
    }

    /// Whether all of these were marked. Of several there may be fewer by now: a server drops them one by one.
    private static func isMarked(_ entries: [Entry], _ mark: String) throws(ConnectorFault) -> Bool {
        guard mark.hasPrefix(markOfEach) else { return false }
        let marked = Set(mark.dropFirst(markOfEach.count).split(separator: ",").map(String.init))
        for entry in entries where !marked.contains(try digest(entry)) { return false }
        return true
    }

    func remove(_ removal: AccountRemoval) throws(ConnectorFault) {
        let entries = try removable(removal.username, removal.parameters)
        guard try Self.isMarked(entries, removal.mark) else {
            throw ConnectorFault(
                .replaced, effect: .none,
                words: "the account has another method or another date than the one that was to be removed")
        }
        var names: [String] = []
        do throws(MariaDBFault) {
            for entry in entries { names.append(try entry.quoted) }
        } catch { throw MariaDB.changeFault(error, accounts: 1, hiding: worker) }
        let nothing = Secret(copying: UnsafeRawBufferPointer(start: nil, count: 0))
        try change("DROP USER " + names.joined(separator: ", "), accounts: names.count, nothing)
    }

    private func removable(_ username: String, _ parameters: [String: String]) throws(ConnectorFault) -> [Entry] {
        let entries = try entries(username, parameters)
        guard !entries.isEmpty else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard !entries.contains(where: \.isSystem), username != worker.username else {
            throw ConnectorFault(.forbidden, effect: .none, words: "an account of the system, or the worker itself")
        }
        return entries
    }
}
