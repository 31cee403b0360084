import Connectors
import Domain
import TestSupport

/// A server of MariaDB for the contract, reached over verified TLS.
struct MariaDBFixture: ConnectorFixture {
    let server: MariaDBServer
    let connector: any Connector = MariaDB()
    let worker: Worker

    init() async throws { self.init(try await MariaDBServer()) }

    init(_ server: MariaDBServer) {
        self.server = server
        worker = Worker(
            credential: TargetLogin(
                username: MariaDBServer.administrator, secretType: .password, secret: .of(MariaDBServer.administratorPassword)))
    }

    var target: Target { target(["use_ssl": "true", "ca_cert": server.certificates.authority]) }

    func target(
        _ settings: [String: String], address: String = "localhost", port: Int? = nil, step: Duration = .seconds(60)
    ) -> Target {
        Target(
            asset: AssetID.random(), type: "mariadb", address: address, port: port ?? Int(server.port), specific: settings,
            stepLimit: step)
    }

    let hostileNames = [
        "a`b", "a'b", "a\"b", "a\\b", "x`@`%`; DROP USER keyturn_admin; -- ", "x'@'%' IDENTIFIED BY ''; -- ", " leading",
        "UPPER and lower",
        "newline\nin\tit", "?", "%s%n", "%", "_", "ünïcödé", "`\u{301}combined", "it''s", "user@host", "@'%'", "current_user",
        String(repeating: "n", count: 80),
    ].map { $0.hasSuffix(" ") ? $0 + "." : $0 }

    let hostileSecrets = [
        "it's", "\"double\"", "back\\slash", "'; DROP USER keyturn_admin; -- ", "new\nline and\ttab", " spaces ", "pässwörd",
        "😀🔑",
        "? %s \\0", "*0123456789ABCDEF0123456789ABCDEF01234567", String(repeating: "long", count: 60), "''''", "\\", "`",
    ]

    let impossibleNames = ["", "'@'", "'keyturn_admin'", "a\0b", "trailing ", "emoji 😀", String(repeating: "n", count: 81)]

    func verifiers() async throws -> [String: String] {
        let rows = try await server.sql(
            "SELECT HEX(User), HEX(Host), COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '') FROM mysql.global_priv")
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let parts = row.split(separator: "\t", omittingEmptySubsequences: false)
                let name = String(decoding: try Hex.decode(parts[0]), as: UTF8.self)
                let host = String(decoding: try Hex.decode(parts[1]), as: UTF8.self)
                return (host == "%" ? name : name + "@" + host, parts.count > 2 ? String(parts[2]) : "")
            })
    }
}
