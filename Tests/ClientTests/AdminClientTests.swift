import Client
import Cryptography
import Foundation
import JSON
import Outbound
import TestSupport
import Testing

@Suite("Admin client")
struct AdminClientTests {
    static let shared = Result { try StubKeyturn.start() }
    let server: StubServer

    init() throws {
        server = try Self.shared.get()
    }

    func logIn(password: String = StubKeyturn.password) async throws -> Session {
        var bytes = Array(password.utf8)
        return try await AdminClient.logIn(
            endpoint: try Endpoint(server.endpoint), certificateAuthority: server.certificateAuthority, organization: nil,
            username: StubKeyturn.username, password: Secret(moving: &bytes))
    }

    private func body(_ text: String) -> WipedBytes { WipedBytes(Array(text.utf8)) }

    @Test("a log-in is traded for a token, which opens the calls; a wrong password is not")
    func logsIn() async throws {
        let session = try await logIn()
        #expect(session.username == "admin" && session.dateExpired == "2026/11/21 21:24:38 +0000")
        #expect(try await AdminClient(session).list(.platforms, limit: 10).total == 2)
        let error = await #expect(throws: ClientError.self) { try await logIn(password: "wrong") }
        #expect(error?.reason == .unauthenticated)
    }

    @Test("a saved log-in serves a later run, is private, and is gone once removed")
    func saves() async throws {
        let directory = try TemporaryDirectory()
        let place = directory.path + "/a/b"
        #expect(throws: ClientError.self) { try Session.load(from: place) }
        try await logIn().save(in: place)
        let attributes = try FileManager.default.attributesOfItem(atPath: place + "/session.json")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let loaded = try Session.load(from: place)
        #expect(loaded.endpoint.text == server.endpoint)
        #expect(try await AdminClient(loaded).list(.assets, limit: 1).rows.count <= 1)
        #expect(try Session.remove(from: place))
        #expect(try !Session.remove(from: place))
    }

    @Test("a directory that others may enter is refused for the token")
    func refusesOpenDirectory() async throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path)
        let session = try await logIn()
        let error = #expect(throws: ClientError.self) { try session.save(in: directory.path) }
        #expect(error?.detail.contains("chmod 700") == true)
    }

    @Test("things are found by name or id, and a near match is no match")
    func finds() async throws {
        let client = AdminClient(try await logIn())
        let path = "/api/v1/assets/hosts/"
        let made = try await client.call(.post, path, body: body(#"{"name":"find me","address":"10.0.0.1","platform":1}"#))
        let id = try #require(made?.identifier)
        #expect(try await client.find(.assets, "find me").identifier == id)
        #expect(try await client.find(.assets, id)["name"]?.string == "find me")
        #expect(try await client.find(.platforms, "17")["name"]?.string == "PostgreSQL")
        let absent = await #expect(throws: ClientError.self) { try await client.find(.assets, "find") }
        #expect(absent?.reason == .notFound)
        _ = try await client.call(.post, path, body: body(#"{"name":"find me"}"#))
        let twice = await #expect(throws: ClientError.self) { try await client.find(.assets, "find me") }
        #expect(twice?.reason == .ambiguous)
    }

    @Test("wrong fields are named in the error")
    func namesFields() async throws {
        let client = AdminClient(try await logIn())
        let error = await #expect(throws: ClientError.self) {
            try await client.call(.post, Resource.assets.path, body: body("{}"))
        }
        #expect(error?.reason == .invalidRequest)
        #expect(error?.detail == "name: This field is required.; protocols: port: Bad.")
    }

    @Test("a reveal needs the password once more, and is granted after it was given")
    func confirms() async throws {
        let client = AdminClient(try await logIn())
        let made = try await client.call(.post, Resource.accounts.path, body: body(#"{"name":"root","secret":"s3cret"}"#))
        let id = try #require(made?.identifier)
        #expect(made?["secret"] == nil)
        let refused = await #expect(throws: ClientError.self) { try await client.call(.get, Resource.accountSecrets.item(id)) }
        #expect(refused?.reason == .confirmationRequired)
        let wrong = await #expect(throws: ClientError.self) {
            try await client.confirm(
                password: Secret(capacity: 1) {
                    $0[0] = 65
                    return 1
                })
        }
        #expect(wrong?.detail == "Wrong password")
        var password = Array(StubKeyturn.password.utf8)
        try await client.confirm(password: Secret(moving: &password))
        #expect(try await client.call(.get, Resource.accountSecrets.item(id))?["secret"]?.isString("s3cret") == true)
    }
}
