import JSON
import Outbound
import TestSupport

/// The first administrator, logged in at a server of a test.
struct Administrator: Sendable {
    let token: String
    private let connection: APIConnection

    /// Logs in.
    init(_ server: ServerProcess) async throws {
        let connection = APIConnection(server)
        let answer = try await connection.send(
            .post, "/api/v1/authentication/auth/", headers: [("Content-Type", "application/json")],
            body: Array(#"{"username":"\#(server.firstLogin.username)","password":"\#(server.firstLogin.password)"}"#.utf8))
        guard answer.status == 201 else {
            throw ProgramFault.unexpected("the login was answered \(answer.status)", output: answer.text)
        }
        self.init(token: answer.string("token"), connection)
    }

    /// The same log-in over a connection of its own: for another task, or after the server was started again.
    init(_ other: Administrator, at server: ServerProcess, deadline: Duration = .seconds(120)) {
        self.init(token: other.token, APIConnection(server, deadline: deadline))
    }

    private init(token: String, _ connection: APIConnection) {
        self.token = token
        self.connection = connection
    }

    func call(_ method: HTTPRequest.Method, _ target: String, _ body: String? = nil) async throws -> APIConnection.Answer {
        var headers = [("Authorization", "Bearer " + token)]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        return try await connection.send(method, target, headers: headers, body: body.map { Array($0.utf8) })
    }

    /// Creates something; throws what the server said if it did not.
    func create(_ resource: String, _ body: String) async throws -> APIConnection.Answer {
        let answer = try await call(.post, "/api/v1/\(resource)/", body)
        guard answer.status == 201 else {
            throw ProgramFault.unexpected("POST \(resource) was answered \(answer.status)", output: answer.text)
        }
        return answer
    }

    /// Says the password again, as a reveal demands.
    func confirm(_ server: ServerProcess) async throws {
        let answer = try await call(
            .post, "/api/v1/authentication/confirm/",
            #"{"confirm_type":"password","secret_key":"\#(server.firstLogin.password)"}"#)
        guard answer.status == 200 else {
            throw ProgramFault.unexpected("the confirmation was answered \(answer.status)", output: answer.text)
        }
    }
}

// MARK: - What the tests register

extension Administrator {
    func asset(_ name: String, address: String = "10.0.0.7") async throws -> String {
        try await create("assets/assets", #"{"name":"\#(name)","address":"\#(address)","platform":1}"#).string("id")
    }

    func account(_ username: String, on asset: String, secret: String) async throws -> String {
        try await create(
            "accounts/accounts", #"{"username":"\#(username)","asset":"\#(asset)","secret":"\#(secret)"}"#
        ).string("id")
    }

    /// An application that may fetch what the filter shows, and its first key.
    func application(
        _ name: String, filter: String = #"{"type":"all"}"#, networks: [String] = ["127.0.0.1"]
    ) async throws -> ApplicationKey {
        let list = networks.map { "\"\($0)\"" }.joined(separator: ",")
        let made = try await create(
            "accounts/integration-applications",
            #"{"name":"\#(name)","accounts":\#(filter),"ip_group":[\#(list)],"rate_limit":10000000}"#)
        return ApplicationKey(id: made.string("id"), secret: made.string("secret"))
    }
}

/// A server with one asset `db1`, its account `root`, and an application that may fetch it from 127.0.0.1.
struct SmallVault: Sendable {
    static let secret = "correct horse battery"

    let server: ServerProcess
    let admin: Administrator
    let asset: String
    let account: String
    let key: ApplicationKey

    static func start(configuration: String? = nil, launcher: [String] = []) async throws -> SmallVault {
        try await fill(ServerProcess.start(configuration: configuration, launcher: launcher))
    }

    /// Registers all of it at a server that runs.
    static func fill(_ server: ServerProcess) async throws -> SmallVault {
        let admin = try await Administrator(server)
        let asset = try await admin.asset("db1")
        let account = try await admin.account("root", on: asset, secret: secret)
        let key = try await admin.application("billing")
        return SmallVault(server: server, admin: admin, asset: asset, account: account, key: key)
    }
}
