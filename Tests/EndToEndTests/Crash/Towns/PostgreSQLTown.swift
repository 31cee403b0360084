import TestSupport

struct PostgreSQLTown: DatabaseTown {
    static let platform = "PostgreSQL"
    static let obstacle: String? = nil

    let server: PostgreSQLServer
    let worker = workerLogin
    let proxy: CuttingProxy
    var wire: any Wire { proxy }

    init() async throws {
        server = try await PostgreSQLServer(settings: ["max_connections": "100"])
        proxy = try CuttingProxy(to: server.port, at: ["ALTER ROLE", "CREATE ROLE", "DROP ROLE"])
        try await server.sql("CREATE ROLE \(worker.username) SUPERUSER LOGIN PASSWORD '\(worker.secret)'")
    }

    func asset(named name: String, throughWire: Bool) -> AssetBody {
        let port = throughWire ? proxy.port : server.port
        let channel =
            throughWire
            ? #""pg_ssl_mode":"disable","use_ssl":false"#
            : #""pg_ssl_mode":"verify-full","use_ssl":true,"ca_cert":\#(Self.quoted(server.certificates.authority))"#
        return AssetBody(
            resource: "assets/databases",
            json:
                #"{"name":"\#(name)","address":"localhost","platform":19,"protocols":[{"name":"postgresql","port":\#(port)}],"db_name":"postgres",\#(channel)}"#
        )
    }

    func settle(_ people: [Login]) async throws {
        try await server.sql(people.map { "CREATE ROLE \($0.username) LOGIN PASSWORD '\($0.secret)';" }.joined(separator: "\n"))
    }

    func opens(_ login: Login) async throws -> Bool {
        try await RunningProgram.run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-w", "-h", "127.0.0.1", "-p", "\(server.port)", "-U", login.username, "-d", "postgres",
                "-c", "SELECT 1",
            ],
            // Left to itself it tries again without TLS what was refused with it.
            environment: ["PGPASSWORD": login.secret, "PGSSLMODE": "require"]
        ).succeeded
    }

    func present(_ names: [String]) async throws -> Set<String> {
        Set(try await server.sql("SELECT rolname FROM pg_roles WHERE rolname IN (\(Self.list(names)))"))
    }

    func rejections() async throws -> [String: Int] {
        Self.counts(server.log, /password authentication failed for user "([^"]+)"/)
    }

    func empower(_ isAble: Bool) async throws {
        try await server.sql("ALTER ROLE \(worker.username) \(isAble ? "SUPERUSER" : "NOSUPERUSER NOCREATEROLE")")
    }
}
