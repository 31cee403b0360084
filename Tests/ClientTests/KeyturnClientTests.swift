import Client
import TestSupport
import Testing

@Suite("Client")
struct KeyturnClientTests {
    static let shared = Result { try StubKeyturn.start() }
    let server: StubServer

    init() throws {
        server = try Self.shared.get()
    }

    func client(
        secret: String = StubKeyturn.keySecret, endpoint: String? = nil, deadline: Duration = .seconds(120)
    ) throws -> KeyturnClient {
        KeyturnClient(
            try Credentials(
                endpoint: endpoint ?? server.endpoint, keyID: StubKeyturn.keyID, secret: Array(secret.utf8),
                certificateAuthority: server.certificateAuthority), deadline: deadline)
    }

    @Test("a secret comes with what the server says of it, whatever characters the names have")
    func fetches() async throws {
        let secret = try await client().fetch(asset: "web 1/ü", account: "root")
        let (bytes, username, asset) = (secret.reveal { Array($0) }, secret.username, secret.asset)
        #expect(bytes == Array(StubKeyturn.accountSecret.utf8))
        #expect(username == "root" && asset == "web 1/ü")
        let (version, type, date, id) = (secret.version, secret.secretType, secret.dateChanged, secret.accountID)
        #expect(version == 3 && type == "password" && date == "2026/11/20 21:24:38 +0000" && id == "7")
        let byID = try await client().fetch(accountID: "7").byteCount
        #expect(byID == bytes.count)
    }

    @Test("a server that answers with the secret alone is understood")
    func older() async throws {
        let secret = try await client().fetch(asset: "old", account: "x")
        let (count, type) = (secret.byteCount, secret.secretType)
        #expect(count == 1 && type == "password")
    }

    @Test(
        "each refusal has its reason",
        arguments: [
            ("absent", ClientError.Reason.notFound, 400), ("sealed", .sealed, 503), ("down", .unavailable, 503),
            ("busy", .throttled(retryAfter: .seconds(7)), 429), ("twice", .ambiguous, 409), ("null", .noSecret, 200),
            ("garbage", .unexpectedAnswer, 200), ("number", .unexpectedAnswer, 200), ("forbidden", .forbidden, 403),
            ("html", .unexpectedAnswer, 500), ("wrong", .invalidRequest, 400),
        ])
    func reasons(asset: String, reason: ClientError.Reason, status: Int) async throws {
        let client = try client()
        let error = await #expect(throws: ClientError.self) { _ = try await client.fetch(asset: asset, account: "root") }
        #expect(error?.reason == reason)
        #expect(error?.status == status)
        #expect(error?.description.utf8.contains { $0 < 0x20 } == false)
    }

    @Test("the detail and the request id of a refusal are kept")
    func details() async throws {
        let client = try client()
        let sealed = await #expect(throws: ClientError.self) { _ = try await client.fetch(asset: "sealed", account: "root") }
        #expect(sealed?.description == "The vault is sealed. (status 503, request r-1)")
        let wrong = await #expect(throws: ClientError.self) { _ = try await client.fetch(asset: "wrong", account: "root") }
        #expect(wrong?.detail == "At least one")
    }

    @Test("a wrong key, a server that is not there, an untrusted one and a slow one are told apart")
    func failures() async throws {
        func reason(_ client: KeyturnClient, _ asset: String = "web 1/ü") async -> ClientError.Reason? {
            do throws(ClientError) {
                _ = try await client.fetch(asset: asset, account: "root")
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(await reason(try client(secret: "wrong")) == .unauthenticated)
        #expect(await reason(try client(endpoint: "https://localhost:1")) == .unavailable)
        #expect(await reason(try client(endpoint: "https://127.0.0.1:\(server.port)")) == .untrustedServer)
        #expect(await reason(try client(deadline: .seconds(1)), "slow") == .timedOut)
    }

    @Test("one client serves many tasks at once")
    func concurrent() async throws {
        let client = try client()
        let good = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await client.fetch(accountID: "7").version } }
            return try await group.reduce(0) { $0 + ($1 == 3 ? 1 : 0) }
        }
        #expect(good == 20)
    }
}
