import Access
import Cryptography
import Domain
import Sealing
import Storage
import Testing

@Suite("Logins", .serialized)
struct LoginsTests {
    static let password = "correct horse battery staple"
    let house: TestHouse
    let logins: Logins

    init() throws {
        house = try TestHouse()
        logins = Logins(database: house.database, keyring: house.keyring, gate: house.gate, clock: house.clock)
        let keyring = house.keyring
        try house.database.writeSync { db in
            _ = try UserAccounts.create(
                username: "Admin", name: "A", role: .administrator, password: secret(Self.password), keyring: keyring,
                now: TestHouse.start, in: db)
        }
    }

    /// The bearer header of a login, or the refusal.
    func logIn(_ username: String = "admin", _ password: String = password, from address: String = "192.0.2.1") async throws
        -> [UInt8]
    {
        let started = try await logins.logIn(
            username: username, password: SecretHandoff(secret(password)), from: house.origin(address))
        return started.token.withBytes { Array("Bearer ".utf8) + $0 }
    }

    func principal(_ bearer: [UInt8]?) async throws -> Principal {
        try await logins.principal(authorization: bearer, from: house.origin(), for: "a test")
    }

    func reasons() throws -> [String] { try house.entries().map { "\($0.action.rawValue) \($0.outcome.rawValue) \($0.reason)" } }

    @Test("a login gives a bearer token that proves who it is, whatever the case of the name, and is written down")
    func login() async throws {
        let bearer = try await logIn("ADMIN")
        let principal = try await principal(bearer)
        #expect(principal.actor.name == "admin" && principal.permissions.contains(.revealAccount))
        #expect(!principal.isConfirmed(at: TestHouse.start))
        #expect(try reasons() == ["session.login granted "])
    }

    @Test("wrong password, unknown name, impossible name and inactive user are one refusal, told apart in the audit alone")
    func refused() async throws {
        var refusals: [Refusal?] = []
        for (name, password) in [("admin", "wrong"), ("nobody", Self.password), ("no body", Self.password), ("admin", "")] {
            refusals.append(await #expect(throws: Refusal.self) { _ = try await logIn(name, password) })
        }
        var user = try #require(try house.database.readSync { try Users.get(username: "admin", on: $0)?.value })
        user.isActive = false
        try house.store(user) { _ = try Users.update($0, on: $1) }
        refusals.append(await #expect(throws: Refusal.self) { _ = try await logIn() })
        #expect(Set(refusals.map { "\(String(describing: $0))" }).count == 1)
        #expect(
            try reasons().map { $0.replacing("session.login refused ", with: "") } == [
                "wrong password", "unknown user", "unknown user", "wrong password", "inactive user",
            ])
    }

    @Test("a password in the place of the name is not in the audit; the same mistake has the same mark, a real name is named")
    func passwordAsName() async throws {
        for name in ["hunter2", "Hunter2", "my pass phrase", "hunter3", "admin"] { _ = try? await logIn(name, "x") }
        let entries = try house.entries()
        let names = entries.map { $0.objects.map(\.name).joined() }
        #expect(names.count == 5 && names[4] == "admin" && names[0] == names[1])
        #expect(Set(names[..<4]).count == 3)
        for name in names[..<4] { #expect(name.wholeMatch(of: /unknown #[0-9a-f]{4}/) != nil, "\(name)") }
        let rows = try house.auditDatabase.readSync { try AuditEntries.page(after: 0, limit: 100, $0) }
        for row in rows { #expect(!String(decoding: row.body, as: UTF8.self).lowercased().contains("hunter")) }
        for _ in 0..<6 { _ = try? await logIn("hunter2", "x") }
        #expect(try house.entries().last?.reason == "locked out")
        #expect(try house.entries().last?.objects.map(\.name) == [names[0]])
    }

    @Test("on a full disk nobody logs in, since a session would take the room of the audit; logging out goes on")
    func fullDisk() async throws {
        let bearer = try await logIn()
        let full = Logins(
            database: house.database, keyring: house.keyring, gate: Gate(audit: house.audit, hasRoom: { false }),
            clock: house.clock)
        await #expect(throws: Refusal.unavailable("The disk is nearly full: nothing can be changed.")) {
            _ = try await full.logIn(
                username: "admin", password: SecretHandoff(secret(Self.password)), from: house.origin())
        }
        #expect(try reasons().last == "session.login refused the disk is nearly full")
        let admin = try await principal(bearer)
        await #expect(throws: Refusal.self) {
            try await full.confirm(admin, password: SecretHandoff(secret(Self.password)), from: house.origin())
        }
        #expect(try reasons().last == "session.confirm refused the disk is nearly full")
        try await full.logOut(admin, from: house.origin())
        await #expect(throws: Refusal.self) { _ = try await principal(bearer) }
    }

    @Test("whether a login is in force is known from memory: after logging in, after a new start, and not after its end")
    func live() async throws {
        func isLive(_ logins: Logins, _ bearer: [UInt8]) -> Bool { bearer.withUnsafeBytes { logins.isLive($0) } }
        let (first, second) = (try await logIn(), try await logIn())
        #expect(isLive(logins, first) && isLive(logins, second))
        #expect(!isLive(logins, Array("Bearer ".utf8) + [UInt8](repeating: 0x61, count: 36)))
        #expect(!isLive(logins, []) && !isLive(logins, Array("Bearer".utf8)) && !isLive(logins, Array(first.dropFirst(7))))

        let again = Logins(database: house.database, keyring: house.keyring, gate: house.gate, clock: house.clock)
        #expect(!isLive(again, first))
        try await again.reloadLive()
        #expect(isLive(again, first))
        try await logins.logOut(try await principal(first), from: house.origin())
        #expect(!isLive(logins, first) && isLive(logins, second))
        _ = try? await again.principal(authorization: first, from: house.origin(), for: "a test")
        #expect(!isLive(again, first), "found out when it is used")

        house.setClock(86_400)
        #expect(!isLive(logins, second))
        house.setClock(0)
        house.keyring.seal()
        #expect(!isLive(logins, second))
        try house.unseal()
        try house.run("UPDATE sessions SET date_expires = date_expires + 1")
        try await logins.reloadLive()
        #expect(!isLive(logins, second), "a changed row is nobody's login")
    }

    @Test("after five failures the right password is refused too, under any spelling, and an address elsewhere is not hurt")
    func lockedOut() async throws {
        for name in ["admin", "Admin", "ADMIN", "aDmin", "admiN"] { _ = try? await logIn(name, "wrong") }
        guard case .tooMany? = await #expect(throws: Refusal.self, performing: { _ = try await logIn("AdMiN") }) else {
            return #expect(Bool(false), "not locked")
        }
        #expect(try reasons().last == "session.login refused locked out")
        _ = try await logIn(from: "192.0.2.200")
        house.setClock(901)
        _ = try await logIn()
    }

    @Test("parallel guesses count each")
    func parallel() async throws {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<12 { group.addTask { _ = try? await logIn("admin", "wrong") } }
        }
        let reasons = try reasons()
        #expect(reasons.count { $0.hasSuffix("wrong password") } == 5 && reasons.count { $0.hasSuffix("locked out") } == 7)
    }

    @Test("a session ends by itself, by logging out, and with the user; each is refused and written down")
    func ends() async throws {
        let (first, second) = (try await logIn(), try await logIn())
        try await logins.logOut(try await principal(first), from: house.origin())
        #expect(try reasons().last == "session.logout granted ")
        await #expect(throws: Refusal.self) { _ = try await principal(first) }
        house.setClock(86_400)
        await #expect(throws: Refusal.self) { _ = try await principal(second) }
        house.setClock(0)
        _ = try await principal(second)
        let keyring = house.keyring
        try house.database.writeSync { db in
            _ = try UserAccounts.reset(
                username: "admin", verifier: UserAccounts.verifier(for: secret("another")), keyring: keyring,
                now: TestHouse.start, in: db)
        }
        await #expect(throws: Refusal.self, "a new password ends what the old one began") { _ = try await principal(second) }
        await #expect(throws: Refusal.self) { _ = try await logIn() }
        _ = try await logIn("admin", "another")
    }

    @Test("what the database holds of a session is no token")
    func digest() async throws {
        let bearer = try await logIn()
        let digest = try #require(
            try house.database.readSync { db in
                try db.first("SELECT token_digest FROM sessions", []) { try $0.blob(0) }
            })
        let token = Array(bearer.dropFirst(7))
        #expect(!digest.elementsEqual(token))
        let plain = try SHA256.digest(token)
        #expect(plain != digest, "it is keyed")
        for bad in [digest, Array(digest.map { String($0, radix: 16) }.joined().utf8.prefix(36)), Array(digest.prefix(36))] {
            await #expect(throws: Refusal.self) { _ = try await principal(Array("Bearer ".utf8) + bad) }
        }
    }

    @Test(
        "a bearer header of any other form proves nothing",
        arguments: ["", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer \u{0}"])
    func badBearer(text: String) async throws {
        await #expect(throws: Refusal.self) { _ = try await principal(Array(text.utf8)) }
        await #expect(throws: Refusal.noCredentials) { _ = try await principal(nil) }
        #expect(try house.entries().count == 2)
    }

    @Test(
        "a session or user row that somebody changed is refused like a wrong token, and written down as damage",
        arguments: [
            "UPDATE sessions SET date_expires = date_expires + 1", "UPDATE sessions SET confirmed_until = 9999999999999",
            "UPDATE sessions SET mac = zeroblob(36)", "UPDATE users SET role = 'auditor'", "UPDATE users SET mac = zeroblob(36)",
        ])
    func tamperedSession(change: String) async throws {
        let bearer = try await logIn()
        try house.run(change)
        guard case .unauthenticated? = await #expect(throws: Refusal.self, performing: { _ = try await principal(bearer) }) else {
            return #expect(Bool(false), "another refusal")
        }
        #expect(try reasons().last?.contains("integrity: rowNotAuthentic") == true)
    }

    @Test(
        "a user row that somebody changed is refused like a wrong password, and written down as damage",
        arguments: [
            "UPDATE users SET role = 'auditor'", "UPDATE users SET password = zeroblob(90)",
            "UPDATE users SET username = 'admin2'",
        ])
    func tamperedUser(change: String) async throws {
        try house.run(change)
        let name = change.contains("admin2") ? "admin2" : "admin"
        guard case .unauthenticated? = await #expect(throws: Refusal.self, performing: { _ = try await logIn(name) }) else {
            return #expect(Bool(false), "another refusal")
        }
        #expect(try reasons().last?.contains("integrity:") == true)
    }

    @Test("a confirmation needs the password, lasts its while, and is of the one session")
    func confirmation() async throws {
        let (bearer, other) = (try await logIn(), try await logIn())
        await #expect(throws: Refusal.invalid("error", "Password is incorrect")) {
            try await logins.confirm(try await principal(bearer), password: SecretHandoff(secret("wrong")), from: house.origin())
        }
        let refused = try #require(try house.entries().last)
        #expect(refused.action == .confirm && refused.outcome == .refused && refused.reason == "wrong password")
        #expect(refused.actor.name == "admin", "it is known who tried")
        #expect(try await !principal(bearer).isConfirmed(at: TestHouse.start))
        try await logins.confirm(
            try await principal(bearer), password: SecretHandoff(secret(Self.password)), from: house.origin())
        let confirmed = try await principal(bearer)
        #expect(confirmed.isConfirmed(at: TestHouse.start.adding(seconds: 299)))
        #expect(!confirmed.isConfirmed(at: TestHouse.start.adding(seconds: 300)))
        #expect(try await !principal(other).isConfirmed(at: TestHouse.start))
    }

    @Test("while the audit cannot be written nobody is let in and no confirmation comes into force")
    func auditFails() async throws {
        let bearer = try await logIn()
        let admin = try await principal(bearer)
        try house.breakAudit()
        await #expect(throws: Refusal.self) { _ = try await logIn() }
        await #expect(throws: Refusal.self) {
            try await logins.confirm(admin, password: SecretHandoff(secret(Self.password)), from: house.origin())
        }
        #expect(try await !principal(bearer).isConfirmed(at: TestHouse.start))
    }
}
