internal import Cryptography
internal import Domain
internal import RedisClient
internal import Streams
internal import Synchronization

/// The worker, logged in to a server of Redis.
final class RedisSession: WorkSession {
    let system: TargetIdentity.System
    let workerName: String
    let hostKey: String? = nil
    private let worker: TargetLogin
    private let way: Way
    /// The file that `CONFIG REWRITE` would write; empty where the server was started without one.
    private let configurationFile: String
    /// nil once it is closed.
    private let connection: Mutex<RedisConnection?>

    init(_ connection: RedisConnection, to target: Target, way: Way, worker: TargetLogin) throws(ConnectorFault) {
        self.worker = worker
        self.way = way
        do throws(RedisFault) {
            let server = Self.facts(try connection.run("INFO", "server"))
            guard let version = server["redis_version"], let major = version.split(separator: ".").first.flatMap({ Int($0) }),
                major >= 6
            else { throw RedisFault(.refused(code: "ERR"), "Redis before 6 has no users") }
            guard let name = try connection.run("ACL", "WHOAMI").string, !name.isEmpty
            else { throw RedisFault(.brokenProtocol, "the server does not say who is logged in") }
            workerName = name
            system = Self.system(target)
            configurationFile = server["config_file"] ?? ""
        } catch {
            throw Redis.fault(error, hiding: worker)
        }
        self.connection = Mutex(connection)
    }

    /// A server is known by its place: it has a run id and a replication id, and draws both anew at every start.
    private static func system(_ target: Target) -> TargetIdentity.System {
        .database(kind: "redis", identifier: "\(target.address.lowercased()):\(target.port)")
    }

    /// The lines `name:value` of `INFO`.
    private static func facts(_ value: RedisValue) -> [String: String] {
        let lines = (value.string ?? "").utf8.split { $0 == 10 || $0 == 13 }.map { String(decoding: Array($0), as: UTF8.self) }
        let pairs = lines.compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        return Dictionary(pairs) { first, _ in first }
    }

    func close() {
        connection.withLock { $0 = nil }
        way.end()
    }

    private func live() throws(RedisFault) -> RedisConnection {
        guard let connection = connection.withLock({ $0 }) else { throw RedisFault(.cut, "the session is closed") }
        return connection
    }

    private func ask(_ parts: String...) throws(ConnectorFault) -> RedisValue {
        do throws(RedisFault) { return try live().run(parts) } catch { throw Redis.fault(error, hiding: worker) }
    }
}

/// A user as `ACL GETUSER` has it.
private struct User {
    let flags: Set<String>
    /// SHA-256 hashes in hexadecimal.
    let hashes: [String]
    /// Commands, keys, channels and selectors.
    let rules: [String]

    var isOn: Bool { flags.contains("on") }
    var needsNoPassword: Bool { flags.contains("nopass") }
}

/// What keeps users over a restart.
private enum Persistence {
    case accessFile
    case configuration
}

extension RedisSession {
    private func user(_ name: String) throws(ConnectorFault) -> User? {
        guard !name.isEmpty else { return nil }
        let answer = try ask("ACL", "GETUSER", name)
        if case .text(nil) = answer { return nil }
        guard let flags = answer["flags"]?.items, let hashes = answer["passwords"]?.items else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: "the server does not describe its user")
        }
        let rules = ["commands", "keys", "channels", "selectors"].map { answer[$0]?.words ?? "" }
        return User(flags: Set(flags.compactMap(\.string)), hashes: hashes.compactMap(\.string), rules: rules)
    }

    func find(_ username: String) throws(ConnectorFault) -> RemoteAccount? {
        guard let user = try user(username) else { return nil }
        return RemoteAccount(
            username: username, isSystem: username == "default", isLocked: !user.isOn,
            attributes: ["passwords": "\(user.hashes.count)", "nopass": user.needsNoPassword ? "true" : "false"])
    }

    /// nil where the server would forget at a restart.
    private func persistence() throws(ConnectorFault) -> Persistence? {
        let file = try ask("CONFIG", "GET", "aclfile")["aclfile"]?.string ?? ""
        if !file.isEmpty { return .accessFile }
        return configurationFile.isEmpty ? nil : .configuration
    }

    private func keepsPrevious(_ parameters: [String: String]) -> Bool { parameters["keep_previous"] == "true" }

    private func checked(_ request: ChangeRequest) throws(ConnectorFault) -> (User, Persistence?) {
        guard request.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a user has passwords and no \(request.secretType.label)")
        }
        guard let user = try user(request.username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard !user.needsNoPassword else {
            throw ConnectorFault(.unsupported, effect: .none, words: "the user is let in with any password (nopass)")
        }
        return (user, try checkedPersistence(request.username, request.parameters))
    }

    private func checkedPersistence(_ name: String, _ parameters: [String: String]) throws(ConnectorFault) -> Persistence? {
        let persistence = try persistence()
        guard persistence != nil || keepsPrevious(parameters) else {
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: "the server has neither an aclfile nor a configuration file, and would forget the change at a restart")
        }
        // In the configuration file these would have another meaning, and the server might not start again.
        if persistence == .configuration, name.utf8.contains(where: { $0 <= 0x20 || "\"'\\#".utf8.contains($0) || $0 == 0x7F }) {
            throw ConnectorFault(
                .unsupported, effect: .none, words: "a name with quotes cannot be kept in the configuration file")
        }
        return persistence
    }
}

extension RedisSession: SecretChanging {
    func prepare(_ request: ChangeRequest) throws(ConnectorFault) {
        let (user, _) = try checked(request)
        guard user.isOn else {
            throw ConnectorFault(.lockedOut, effect: .none, words: "the user is off, so no password of it can be proved")
        }
    }

    /// Adds the new password; the old ones stay until `retire`.
    func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault) {
        let (_, persistence) = try checked(request)
        let hash = try hash(secret)
        try set(request.username, ["#" + hash], persistence)
        try expect(hash, of: request.username)
    }

    /// The other passwords go; with `keep_others`, only the old one that is known; with `keep_previous`, none.
    func retire(_ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?) throws(ConnectorFault) {
        guard !keepsPrevious(request.parameters) else { return }
        let (user, persistence) = try checked(request)
        let kept = try hash(secret)
        guard user.hashes.contains(kept) else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: "the secret to keep is not there")
        }
        var others = user.hashes.filter { $0 != kept }
        if request.parameters["keep_others"] == "true" {
            var known: String?
            switch old {
            case .some(let old): known = try hash(old)
            case .none: known = nil
            }
            others = others.filter { $0 == known }
        }
        // They may be gone in memory alone: a server that was cut off there would have them back after a restart.
        guard !others.isEmpty else { return try save(persistence) }
        try set(request.username, others.map { "!" + $0 }, persistence)
        try expect(kept, of: request.username)
    }

    /// Lower-case hexadecimal, as the server has it.
    private func hash(_ secret: borrowing Secret) throws(ConnectorFault) -> String {
        let isFit = secret.withBytes { $0.count > 0 && !$0.contains(0) }
        guard isFit, let digest = secret.withBytes({ try? SHA256.digest($0) }) else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a password is not empty and has no NUL byte")
        }
        return Self.hexadecimal(digest)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Changes a user, and has the server write it down. When only the second fails, the change lives until a restart.
    private func set(_ name: String, _ rules: [String], _ persistence: Persistence?) throws(ConnectorFault) {
        do throws(RedisFault) { _ = try live().run(["ACL", "SETUSER", name] + rules) } catch {
            throw Redis.changeFault(error, hiding: worker)
        }
        try save(persistence)
    }

    private func save(_ persistence: Persistence?) throws(ConnectorFault) {
        do throws(RedisFault) {
            switch persistence {
            case .accessFile: _ = try live().run("ACL", "SAVE")
            case .configuration: _ = try live().run("CONFIG", "REWRITE")
            case nil: break
            }
        } catch { throw Redis.fault(error, effect: .unknown, hiding: worker) }
    }

    /// Reads back what was set.
    private func expect(_ hash: String, of name: String) throws(ConnectorFault) {
        do throws(ConnectorFault) {
            guard try user(name)?.hashes.contains(hash) == true else {
                throw ConnectorFault(.brokenProtocol, effect: .unknown, words: "the server does not have what it took")
            }
        } catch { throw ConnectorFault(error.kind, effect: .unknown, words: error.words) }
    }
}

extension RedisSession: VerifierReading {
    func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        guard let user = try user(request.username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard !user.needsNoPassword else { return .unknown }
        return user.hashes.contains(try hash(secret)) ? .same : .different
    }
}

extension RedisSession: MemorySaving {
    func save() throws(ConnectorFault) { try save(persistence()) }
}

extension RedisSession: AccountPushing {
    /// The user may do nothing but log in, unless `acl_rules` says what: `~app:* +@read`.
    func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault) {
        guard push.request.secretType == .password else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a user has passwords")
        }
        let isName = !push.username.utf8.contains { $0 <= 0x20 || $0 == 0x7F } && !push.username.isEmpty
        guard isName else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a name has no spaces and no control characters")
        }
        guard try user(push.username) == nil else { throw ConnectorFault(.accountExists, effect: .none) }
        let persistence = try checkedPersistence(push.username, push.parameters)
        try set(push.username, ["reset", "on", "#" + hash(secret)] + rules(push), persistence)
    }

    func update(_ push: AccountPush) throws(ConnectorFault) {
        let (_, persistence) = try checked(push.request)
        let rules = try rules(push)
        if !rules.isEmpty { try set(push.username, rules, persistence) }
    }

    /// Only rules about commands, keys and channels: never about passwords or being on.
    private func rules(_ push: AccountPush) throws(ConnectorFault) -> [String] {
        let rules = (push.parameters["acl_rules"] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        let words: Set<String> = ["allcommands", "nocommands", "allkeys", "resetkeys", "allchannels", "resetchannels"]
        guard rules.allSatisfy({ words.contains($0.lowercased()) || "+-~&%".contains($0.prefix(1)) }) else {
            throw ConnectorFault(.unsupported, effect: .none, words: "acl_rules name commands, keys and channels alone")
        }
        return rules
    }
}

extension RedisSession: AccountRemoving {
    /// What the user is and may do. A server gives its users no number and no date: one that is made anew with the same rules looks the
    /// same. Its passwords are left out, since whoever reads the mark could guess at them.
    func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String {
        let user = try removable(username)
        let parts = user.flags.sorted() + ["\(user.hashes.count)"] + user.rules
        guard let digest = try? SHA256.digest(Array(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8)) else {
            throw ConnectorFault(.unsupported, effect: .none)
        }
        return "rules=" + Self.hexadecimal(digest)
    }

    func remove(_ removal: AccountRemoval) throws(ConnectorFault) {
        // One that is gone in memory alone would be back after a restart.
        if try user(removal.username) == nil { try save(persistence()) }
        guard try mark(removal.username, parameters: removal.parameters) == removal.mark else {
            throw ConnectorFault(.replaced, effect: .none, words: "the user has other rules than the one that was to be removed")
        }
        let persistence = try persistence()
        do throws(RedisFault) { _ = try live().run("ACL", "DELUSER", removal.username) } catch {
            throw Redis.changeFault(error, hiding: worker)
        }
        try save(persistence)
    }

    private func removable(_ username: String) throws(ConnectorFault) -> User {
        guard username != "default", username != workerName, username != worker.username else {
            throw ConnectorFault(.forbidden, effect: .none, words: "the default user, or the worker itself")
        }
        guard let user = try user(username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        return user
    }
}

extension RedisValue {
    /// Everything of it, in one line.
    fileprivate var words: String {
        switch self {
        case .status(let text), .error(let text): text
        case .number(let number): "\(number)"
        case .text(let text): text ?? ""
        case .list(let items): "[" + items.map(\.words).joined(separator: " ") + "]"
        }
    }
}
