import JSON
import Outbound
import TestSupport

/// A server with an administrator at the command line and over the API, who may reveal.
struct Operations {
    let server: ServerProcess
    let admin: Administrator

    init(configuration: String? = nil) async throws {
        server = try await ServerProcess.start(configuration: configuration)
        admin = try await Administrator(server)
        _ = try await run(["login", server.url, "--ca", server.firstLogin.caCertificate], server.firstLogin.password)
        try await admin.confirm(server)
    }

    /// What a command of `keyturn` prints, which must succeed.
    func run(_ arguments: [String], _ input: String = "") async throws -> String {
        let outcome = try await server.client(arguments, input: Array(input.utf8))
        guard outcome.succeeded else {
            throw ProgramFault.unexpected(
                arguments.joined(separator: " "),
                output: outcome.text + outcome.standardError + (server.program?.standardError ?? ""))
        }
        return outcome.text
    }

    /// The id of an account by its user name.
    func account(_ username: String, _ type: String = "password") async throws -> String? {
        try await first("/api/v1/accounts/accounts/?username=\(username)&secret_type=\(type)")
    }

    /// The id of the first of a list.
    func first(_ path: String) async throws -> String? {
        let found = try await admin.call(.get, path).json
        return (found?.array ?? found?["results"]?.array)?.first { _ in true }?["id"]?.string
    }

    func secret(_ account: String) async throws -> String {
        try await admin.call(.get, "/api/v1/accounts/account-secrets/\(account)/").string("secret")
    }
}
