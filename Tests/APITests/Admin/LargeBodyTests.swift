import API
import Access
import Cryptography
import Domain
import Foundation
import Outbound
import Sealing
import Server
import Storage
import Testing

/// Large bodies are for those who are logged in; everybody else is held to what a login needs.
@Suite("Large bodies")
struct LargeBodyTests {
    private static let path = "/api/v1/labels/labels/"
    /// 20 KiB of what the operation refuses by itself, so that 400 means that it was read.
    private static let body = Array(("{\"none\":\"" + String(repeating: "x", count: 20 << 10) + "\"}").utf8)

    private static func post(_ server: LiveServer, _ token: String) async throws -> LiveServer.Answer {
        try await server.send(
            .post, path, ["Content-Type": "application/json", "Authorization": "Bearer " + token], body: body)
    }

    private static func logIn(_ server: LiveServer) async throws -> String {
        let keyring = server.assembly.keyring
        try await server.assembly.database.write { db in
            var bytes = Array("correct horse".utf8)
            _ = try UserAccounts.create(
                username: "second", name: "Second", role: .administrator, password: Secret(moving: &bytes), keyring: keyring,
                now: .now, in: db)
        }
        let answer = try await server.send(
            .post, "/api/v1/authentication/auth/", ["Content-Type": "application/json"],
            body: Array(#"{"username":"second","password":"correct horse"}"#.utf8))
        return try #require(answer.text.firstMatch(of: /"token":"([^"]+)"/)).1.description
    }

    @Test("a token that names no login in force opens no large body; one that does, does, also after a new start")
    func tokens() async throws {
        let server = try await LiveServer()
        let forged = try await Self.post(server, String(repeating: "a", count: 36))
        #expect(forged.status == 413 && forged.text.contains("Without a login in force"), "\(forged.text)")
        let token = try await Self.logIn(server)
        #expect(try await Self.post(server, token).status == 400)

        let logins = server.assembly.backend.logins
        logins.forgetLive()
        #expect(try await Self.post(server, token).status == 413)
        try await logins.reloadLive()
        #expect(try await Self.post(server, token).status == 400)

        try await server.assembly.seal(by: .operatorLocal("root"))
        #expect(try await Self.post(server, token).status == 503)
        try await server.unseal()
        #expect(try await Self.post(server, token).status == 400)
        let loggedOut = try await server.send(.delete, "/api/v1/authentication/auth/", ["Authorization": "Bearer " + token])
        #expect(loggedOut.status == 204)
        #expect(try await Self.post(server, token).status == 413)
    }
}
