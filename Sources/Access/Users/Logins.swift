package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Who an administrator is: password logins, the sessions that follow, and the fresh confirmation before plaintext is shown.
package final class Logins: Sendable {
    package struct Rules: Sendable {
        /// How long a login lasts, in seconds.
        package var sessionSeconds: Int64 = 86_400
        /// How long a confirmation lasts, in seconds.
        package var confirmationSeconds: Int64 = 300
        /// Failures of one account from one address before they are locked out, and for how many seconds.
        package var failures = 5
        package var lockOutSeconds: Int64 = 900

        package init() {}
    }

    /// A login that worked: the bearer token, shown this once.
    package struct Started: ~Copyable {
        package let token: Secret
        package let user: User
        package let session: Session
    }

    private static let tokenLength = 36
    let database: Database
    let keyring: Keyring
    private let gate: Gate
    private let rules: Rules
    let clock: WallClock
    private let hashing = PasswordHashing()
    private let limits: LoginLimits
    let live = LiveSessions()

    package init(database: Database, keyring: Keyring, gate: Gate, rules: Rules = Rules(), clock: WallClock = .system) {
        self.database = database
        self.keyring = keyring
        self.gate = gate
        self.rules = rules
        limits = LoginLimits(failures: rules.failures, windowSeconds: rules.lockOutSeconds)
        self.clock = clock
    }

    // MARK: - Logging in

    /// Checks a password and begins a session. Unknown names, inactive users and wrong passwords are one refusal and the same work.
    package func logIn(username: String, password: SecretHandoff, from origin: RequestOrigin) async throws -> Started {
        let name = Username.canonical(username)
        let known = try await user(named: name)
        let shown = try known.isNobody ? fingerprint(ofName: username) : name ?? ""
        guard let user = try await verifiedUser(password, known, name ?? "", origin, .login, shownAs: shown) else {
            throw Refusal.unauthenticated(reason: "wrong user name or password")
        }
        // A session is a row of the database: it must not take the room that is left for the audit.
        try await gate.requireRoom(.login, by: .user(user.id, name: user.username), in: nil, from: origin)
        let now = clock.now()
        let keys = try keyring.keys()
        let token = try SecureRandom.characters(count: Self.tokenLength, from: SecureRandom.alphanumerics)
        let session = Session(
            tokenDigest: try digest(token, keys), user: user.id, dateCreated: now,
            dateExpires: now.adding(seconds: rules.sessionSeconds),
            confirmedUntil: nil)
        // Checking the password took a while: it must still be the user's when the session begins, or a reset in between would be for nothing.
        let isStill = try await database.write { db -> Bool in
            let workspace = try SealingWorkspace()
            guard let stored = try Users.get(user.id, on: db) else { return false }
            let current = try keys.verified(stored, with: workspace)
            guard current.isActive, current.password == user.password else { return false }
            _ = try Sessions.deleteExpired(before: now, on: db)
            try Sessions.insert(keys.authenticated(session, with: workspace), on: db)
            return true
        }
        guard isStill else {
            try await refused(origin, "password changed meanwhile", .login, user.username)
            throw Refusal.unauthenticated(reason: "wrong user name or password")
        }
        try await gate.recordGrant(.login, by: .user(user.id, name: user.username), in: nil, from: origin)
        live.insert([session], now: now)
        return Started(token: token, user: user, session: session)
    }

    /// Proves again who the user of a session is; plaintext may be shown for a while then.
    package func confirm(_ principal: Principal, password: SecretHandoff, from origin: RequestOrigin) async throws {
        guard let session = principal.session, case .user(let id, let name) = principal.actor else { throw Refusal.noCredentials }
        guard try await verifiedUser(password, user(id), name, origin, .confirm, shownAs: name, by: principal.actor) != nil else {
            throw Refusal.invalid("error", "Password is incorrect")
        }
        try await gate.requireRoom(.confirm, by: principal.actor, in: nil, from: origin)
        var confirmed = session
        confirmed.confirmedUntil = clock.now().adding(seconds: rules.confirmationSeconds)
        let row = try keyring.keys().authenticated(confirmed, with: SealingWorkspace())
        // Written down before it is in force, so that no confirmation stands that the audit does not know of.
        try await gate.recordGrant(.confirm, by: principal.actor, in: nil, from: origin)
        guard try await database.write({ db in try Sessions.update(row, on: db) }) else { throw Refusal.noCredentials }
    }

    /// Ends a session at once, and writes it down afterwards: a session must be able to end whatever the audit does.
    package func logOut(_ principal: Principal, from origin: RequestOrigin) async throws {
        guard let session = principal.session else { return }
        try await database.write { db in _ = try Sessions.delete(tokenDigest: session.tokenDigest, on: db) }
        live.remove(session.tokenDigest)
        try await gate.recordGrant(AuditAction(rawValue: "session.logout"), by: principal.actor, in: nil, from: origin)
    }

    // MARK: - Bearer tokens

    /// Whoever the `Authorization` header proves; a bad one is refused and written down.
    package func principal(authorization: [UInt8]?, from origin: RequestOrigin, for operation: String) async throws -> Principal {
        guard let authorization else {
            try await refused(origin, "no credentials for " + operation)
            throw Refusal.noCredentials
        }
        let fault: String
        do {
            if let principal = try await session(authorization) { return principal }
            fault = "bad bearer token for " + operation
        } catch let changed as SealingFault where changed != .sealed {
            // A session or user that somebody made or changed in the database proves nothing.
            fault = "integrity: \(changed)"
        }
        try await refused(origin, fault)
        throw Refusal.unauthenticated(reason: fault)
    }

    private func session(_ authorization: [UInt8]) async throws -> Principal? {
        guard let token = Self.token(authorization) else { return nil }
        let keys = try keyring.keys()
        let digest = try digest(token, keys)
        let found = try await database.read { db -> (Session, User)? in
            guard let stored = try Sessions.get(tokenDigest: digest, on: db) else { return nil }
            let workspace = try SealingWorkspace()
            let session = try keys.verified(stored, with: workspace)
            guard let owner = try Users.get(session.user, on: db) else { return nil }
            return (session, try keys.verified(owner, with: workspace))
        }
        guard let (session, user) = found, user.isActive, clock.now() < session.dateExpires else {
            live.remove(digest)
            return nil
        }
        live.insert([session], now: clock.now())
        return Principal(actor: .user(user.id, name: user.username), permissions: user.role.permissions, session: session)
    }

    /// The token of an `Authorization` header, where it has the form of one.
    static func token(_ authorization: some RandomAccessCollection<UInt8>) -> Secret? {
        let scheme = Array("bearer ".utf8)
        guard authorization.count == scheme.count + tokenLength,
            zip(authorization, scheme).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 })
        else { return nil }
        var copy = Array(authorization.dropFirst(scheme.count))
        return Secret(moving: &copy)
    }

    /// Tokens are stored as a keyed digest: whoever reads the database cannot use one, whoever writes it cannot make one.
    func digest(_ token: borrowing Secret, _ keys: KeySet) throws -> [UInt8] {
        let (hmac, key) = (try HMACSHA256(), try keys.tokenKey())
        let code = try Secret(capacity: HMACSHA256.byteCount) { output in
            try token.withBytes { token in
                try key.withBytes { try hmac.authenticate(token, key: $0, into: output) }
            }
            return HMACSHA256.byteCount
        }
        return code.withBytes { Array($0) }
    }

    // MARK: - Passwords

    /// What is known of a user name, or why nothing is.
    private enum Known: Sendable {
        case user(User, PasswordVerifier?)
        case nobody
        /// The stored row or password is not what was stored: as good as unknown, but written down as what it is.
        case changed(String)

        var verifier: PasswordVerifier? {
            if case .user(_, let verifier) = self { verifier } else { nil }
        }

        var isNobody: Bool { if case .nobody = self { true } else { false } }
    }

    /// The user whose password it is; counts the try, checks the password whatever is known, writes a refusal down.
    private func verifiedUser(
        _ password: SecretHandoff, _ known: Known, _ name: String, _ origin: RequestOrigin, _ action: AuditAction,
        shownAs shown: String, by actor: Actor = .anonymous
    ) async throws -> User? {
        if let seconds = limits.admit(account: name, address: origin.address, now: clock.now()) {
            try await refused(origin, "locked out", action, shown, by: actor)
            throw Refusal.tooMany(retryAfterSeconds: seconds)
        }
        let isMatch: Bool
        do {
            isMatch = try await hashing.isMatch(password, known.verifier)
        } catch {
            // Nobody looked at the guess, so it is none.
            limits.withdraw(account: name, address: origin.address)
            throw error
        }
        let reason: String
        switch known {
        case .user(let user, _) where isMatch && user.isActive:
            limits.forget(account: name, address: origin.address)
            return user
        case .user: reason = isMatch ? "inactive user" : "wrong password"
        case .nobody: reason = "unknown user"
        case .changed(let fault): reason = fault
        }
        try await refused(origin, reason, action, shown, by: actor)
        return nil
    }

    /// What stands in the audit for a name that is nobody's: a password that was typed in the wrong field must not be read there.
    ///
    /// The same name has the same four digits, so that repeated tries are seen to belong together; they are keyed, and too few to tell
    /// afterwards which name it was.
    private func fingerprint(ofName name: String) throws -> String {
        var bytes = Array("unknown user\0".utf8) + Array(name.lowercased().utf8)
        let code = try digest(Secret(moving: &bytes), keyring.keys())
        let digits = code.prefix(2).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return "unknown #" + digits.joined()
    }

    private func verifier(of user: User) throws -> PasswordVerifier? {
        let opened = try keyring.keys().open(user.password, at: .userPassword(user.id), with: SealingWorkspace())
        return opened.withBytes { PasswordVerifier(bytes: Array($0)) }
    }

    private func refused(
        _ origin: RequestOrigin, _ reason: String, _ action: AuditAction = AuditAction(rawValue: "session.use"),
        _ name: String = "", by actor: Actor = .anonymous
    ) async throws {
        guard case .anonymous = actor else {
            // Somebody known: each of their refusals is written down under their name, however many there are.
            return try await gate.recordRefusal(action, by: actor, in: nil, from: origin, reason: reason)
        }
        try await gate.recordStrangerRefusal(
            action, from: origin, reason: reason, objects: name.isEmpty ? [] : [AuditObject(kind: "user", id: "", name: name)])
    }

    private func user(named name: String?) async throws -> Known {
        guard let name else { return .nobody }
        return try await user { db in try Users.get(username: name, on: db) }
    }

    private func user(_ id: UserID) async throws -> Known {
        try await user { db in try Users.get(id, on: db) }
    }

    private func user(_ read: @escaping @Sendable (any SQLConnection) throws -> Authenticated<User>?) async throws -> Known {
        let keys = try keyring.keys()
        guard let stored = try await database.read(read) else { return .nobody }
        do {
            let user = try keys.verified(stored, with: SealingWorkspace())
            return .user(user, try verifier(of: user))
        } catch let fault as SealingFault where fault != .sealed {
            return .changed("integrity: \(fault)")
        }
    }
}
