import Connectors
import Domain
import TestSupport

/// A server of PostgreSQL for the contract, reached over verified TLS.
struct PostgreSQLFixture: ConnectorFixture {
    let server: PostgreSQLServer
    let connector: any Connector = PostgreSQL()
    let worker: Worker

    init() async throws {
        self.init(try await PostgreSQLServer())
    }

    init(_ server: PostgreSQLServer) {
        self.server = server
        worker = Worker(
            credential: TargetLogin(
                username: PostgreSQLServer.superuser, secretType: .password,
                secret: .of(PostgreSQLServer.superuserPassword)))
    }

    var target: Target { target() }

    /// The server by a mode and settings of the asset.
    func target(
        _ mode: String = "verify-full", _ settings: [String: String]? = nil, address: String = "localhost", port: Int? = nil,
        step: Duration = .seconds(60)
    ) -> Target {
        var specific = settings ?? ["ca_cert": server.certificates.authority]
        specific["pg_ssl_mode"] = mode
        return Target(
            asset: AssetID.random(), type: "postgresql", address: address, port: port ?? Int(server.port), specific: specific,
            stepLimit: step)
    }

    let hostileNames = [
        "a\"b", "a'b", "a\\b", "x\"; DROP ROLE keyturn_admin; --", "x'; ALTER ROLE keyturn_admin PASSWORD NULL; --",
        "back\\'slash\"",
        " leading and trailing ", "UPPER and lower", "newline\nin\tit", "$1", "%s%n", "ünïcödé", "😀 emoji", "\"\u{301}combined",
        "it''s", "user@host", "'@'", "current_user", String(repeating: "n", count: 63),
    ]

    let hostileSecrets = [
        "it's", "\"double\"", "back\\slash", "'; DROP ROLE keyturn_admin; --", "new\nline and\ttab", " spaces ", "pässwörd", "😀🔑",
        "$1 %s \\0", "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", String(repeating: "long", count: 60), "SCRAM-SHA-256$x", "''''",
        "\\",
    ]

    let impossibleNames = ["", "a\0b", "public", String(repeating: "n", count: 64), String(repeating: "é", count: 40)]

    func verifiers() async throws -> [String: String] {
        let rows = try await server.sql(
            "SELECT encode(convert_to(rolname::text, 'UTF8'), 'hex') || '|' || coalesce(rolpassword, '') FROM pg_authid")
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let parts = row.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(decoding: try Hex.decode(parts[0]), as: UTF8.self), parts.count > 1 ? String(parts[1]) : "")
            })
    }
}

/// Bytes as a server prints them.
enum Hex {
    static func decode(_ text: Substring) throws -> [UInt8] {
        let digits = Array(text.utf8)
        return try stride(from: 0, to: digits.count - 1, by: 2).map { index in
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
                throw ProgramFault.unexpected("not hexadecimal", output: String(text))
            }
            return byte
        }
    }
}
