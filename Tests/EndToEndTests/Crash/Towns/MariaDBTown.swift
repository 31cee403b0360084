import TestSupport

struct MariaDBTown: DatabaseTown {
    static let platform = "MariaDB"
    static let obstacle: String? = nil

    let server: MariaDBServer
    let worker = workerLogin
    let proxy: CuttingProxy
    var wire: any Wire { proxy }

    init() async throws {
        server = try await MariaDBServer(options: ["--max-connections=100"])
        proxy = try CuttingProxy(to: server.port, at: ["ALTER USER", "CREATE USER", "DROP USER"])
        try await server.sql("CREATE USER \(worker.username)@'%' IDENTIFIED BY '\(worker.secret)'")
        try await empower(true)
    }

    func asset(named name: String, throughWire: Bool) -> AssetBody {
        let port = throughWire ? proxy.port : server.port
        let channel =
            throughWire ? #""use_ssl":false"# : #""use_ssl":true,"ca_cert":\#(Self.quoted(server.certificates.authority))"#
        return AssetBody(
            resource: "assets/databases",
            json:
                #"{"name":"\#(name)","address":"localhost","platform":18,"protocols":[{"name":"mariadb","port":\#(port)}],\#(channel)}"#
        )
    }

    func settle(_ people: [Login]) async throws {
        try await server.sql(
            people.map { "CREATE USER \($0.username)@'%' IDENTIFIED BY '\($0.secret)';" }.joined(separator: "\n"))
    }

    func opens(_ login: Login) async throws -> Bool {
        try await RunningProgram.run(
            "mariadb",
            [
                "--no-defaults", "-N", "-B", "-u", login.username, "-h", "127.0.0.1", "-P", "\(server.port)", "--protocol=tcp",
                "--skip-ssl", "-e", "SELECT 1",
            ],
            environment: ["MYSQL_PWD": login.secret]
        ).succeeded
    }

    func present(_ names: [String]) async throws -> Set<String> {
        Set(try await server.sql("SELECT User FROM mysql.global_priv WHERE User IN (\(Self.list(names)))"))
    }

    func rejections() async throws -> [String: Int] { Self.counts(server.log, /Access denied for user '([^']+)'@/) }

    func empower(_ isAble: Bool) async throws {
        let name = worker.username + "@'%'"
        try await server.sql(
            isAble
                ? "GRANT ALL ON *.* TO \(name) WITH GRANT OPTION" : "REVOKE ALL PRIVILEGES, GRANT OPTION FROM \(name)")
    }
}
