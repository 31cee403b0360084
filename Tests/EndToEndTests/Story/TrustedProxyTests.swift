import JSON
import Outbound
import TestSupport
import Testing

/// A proxy in between, here at 127.0.0.9: it is believed, and nobody else is.
@Suite("Behind a trusted proxy")
struct TrustedProxyTests {
    private static let proxy = "127.0.0.9"
    private static let configuration = "trusted_proxies: [127.0.0.9]\n"
    private static let login = "/api/v1/authentication/auth/"

    /// What a proxy passes on, line by line.
    private static func forwarded(_ lines: [String]) -> [(String, String)] { lines.map { ("X-Forwarded-For", $0) } }

    private static let untold: [(lines: [String], reason: String)] = [
        ([], "client address: a trusted proxy sent no forwarded address"),
        (["nonsense"], "client address: a forwarded address cannot be read"),
        (["203.0.113.9,"], "client address: a forwarded address cannot be read"),
        (["127.0.0.9", "127.0.0.9"], "client address: all forwarded addresses are trusted proxies"),
    ]

    @Test("an application is where the proxy says; where that cannot be told it is refused like everybody")
    func application() async throws {
        let vault = try await SmallVault.start(configuration: Self.configuration)
        let key = try await vault.admin.application("behind", networks: ["203.0.113.0/24"])
        let through = APIConnection(vault.server, from: Self.proxy)
        func fetch(_ lines: [String], over connection: APIConnection) async throws -> Int {
            var form = ApplicationKey.Form()
            form.more = Self.forwarded(lines)
            return try await key.fetch(over: connection, ApplicationKey.target, form).status
        }
        for lines in [["203.0.113.9"], ["198.51.100.7, 203.0.113.9"], ["nonsense, 203.0.113.9", "127.0.0.9"]] {
            #expect(try await fetch(lines, over: through) == 200, "\(lines)")
        }
        #expect(try await fetch(["203.0.113.9, 198.51.100.7"], over: through) == 401)
        #expect(try await fetch(["203.0.113.9"], over: APIConnection(vault.server)) == 401, "only proxies are believed")
        for one in Self.untold { #expect(try await fetch(one.lines, over: through) == 401, "\(one.lines)") }

        let entries = try await AuditExport(vault.server).entries("secret.fetch")
        #expect(
            entries.map { $0["address"]?.string ?? "" }.prefix(5) == [
                "203.0.113.9", "203.0.113.9", "203.0.113.9", "198.51.100.7", "127.0.0.1",
            ])
        #expect(entries.suffix(4).map { $0["reason"]?.string ?? "" } == Self.untold.map(\.reason))
    }

    @Test("a request that was overheard behind the proxy is worth nothing to another client of the same proxy")
    func replay() async throws {
        let vault = try await SmallVault.start(configuration: Self.configuration)
        let key = try await vault.admin.application("behind", networks: ["*"])
        let through = APIConnection(vault.server, from: Self.proxy)
        let signed = try key.headers()
        func fetch(_ client: String) async throws -> Int {
            try await through.send(.get, ApplicationKey.target, headers: signed + Self.forwarded([client])).status
        }
        #expect(try await fetch("203.0.113.9") == 200)
        #expect(try await fetch("203.0.113.10") == 401)
        #expect(try await fetch("::ffff:203.0.113.9") == 200, "the same address in its other form")
    }

    @Test("an administrator whose address the proxy does not tell is refused, with a password and with a token")
    func administrator() async throws {
        let vault = try await SmallVault.start(configuration: Self.configuration)
        let through = APIConnection(vault.server, from: Self.proxy)
        let first = vault.server.firstLogin
        let password = Array(#"{"username":"\#(first.username)","password":"\#(first.password)"}"#.utf8)
        func logIn(_ lines: [String]) async throws -> Int {
            let headers = [("Content-Type", "application/json")] + Self.forwarded(lines)
            return try await through.send(.post, Self.login, headers: headers, body: password).status
        }
        func list(_ lines: [String]) async throws -> Int {
            let headers = [("Authorization", "Bearer " + vault.admin.token)] + Self.forwarded(lines)
            return try await through.send(.get, "/api/v1/orgs/orgs/", headers: headers).status
        }
        #expect(try await logIn(["203.0.113.9"]) == 201)
        #expect(try await list(["203.0.113.9"]) == 200)
        for one in Self.untold {
            #expect(try await logIn(one.lines) == 401, "\(one.lines)")
            #expect(try await list(one.lines) == 401, "\(one.lines)")
        }
        let export = try await AuditExport(vault.server)
        let logins = export.entries("session.login")
        #expect(logins.suffix(4).map { $0["reason"]?.string ?? "" } == Self.untold.map(\.reason))
        #expect(logins.dropLast(4).last?["address"]?.string == "203.0.113.9")
        let lists = export.entries("organization.view", outcome: "refused")
        #expect(lists.map { $0["reason"]?.string ?? "" } == Self.untold.map(\.reason))
    }
}
