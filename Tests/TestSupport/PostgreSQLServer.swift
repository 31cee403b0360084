/// A server of PostgreSQL on a port of its own, with TLS for `localhost` and `db.test`, and one superuser.
package final class PostgreSQLServer: Sendable {
    package static let superuser = "keyturn_admin"
    package static let superuserPassword = "Adm1n-of-the-tests"

    package let port: UInt16
    package let certificates: TestCertificates
    package let process: DatabaseProcess

    /// - Parameters:
    ///   - access: Lines of `pg_hba.conf` before those that ask everybody for SCRAM.
    ///   - settings: Further settings of the server.
    package init(access: [String] = [], settings: [String: String] = [:]) async throws {
        let directory = try TemporaryDirectory("postgresql")
        port = try FreePort.any()
        certificates = try TestCertificates(in: directory, names: ["DNS:localhost", "DNS:db.test"])
        try directory.write(Self.superuserPassword, to: "password")
        try directory.write(
            (["local all all trust"] + access + ["host all all 127.0.0.1/32 scram-sha-256"]).joined(separator: "\n") + "\n",
            to: "pg_hba.conf")
        var all = [
            "listen_addresses": "127.0.0.1", "port": "\(port)", "unix_socket_directories": directory.path, "ssl": "on",
            "ssl_cert_file": certificates.certificateFile, "ssl_key_file": certificates.keyFile, "fsync": "off",
            "hba_file": directory.file("pg_hba.conf"), "log_statement": "all", "shared_buffers": "16MB",
            "max_connections": "30", "authentication_timeout": "60s",
        ]
        all.merge(settings) { $1 }
        try directory.write(all.map { "\($0.key) = '\($0.value)'\n" }.joined(), to: "settings.conf")
        let programs = try Self.programs()
        process = try DatabaseProcess(
            directory,
            prepare: """
                \(programs)/initdb -D data -U \(Self.superuser) --pwfile=password --auth=trust -E UTF8 --no-sync >initdb.log
                cat settings.conf >> data/postgresql.conf
                """,
            server: "\(programs)/postgres -D data")
        try await process.waitUntilReady { try await self.psql("SELECT 1").succeeded }
    }

    /// Debian keeps the server's programs off the path.
    private static func programs() throws -> String {
        let found = try ExternalProgram.run(
            "sh", ["-c", "for d in /usr/lib/postgresql/*/bin; do [ -x $d/initdb ] && echo $d; done | tail -n 1"])
        let path = found.text.split(separator: "\n").first.map(String.init) ?? ""
        guard !path.isEmpty else { throw ProgramFault.notFound("initdb") }
        return path
    }

    private func psql(_ statement: String) async throws -> Finished {
        try await RunningProgram.run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", process.directory.path, "-p", "\(port)", "-U",
                Self.superuser, "-d", "postgres",
            ],
            input: Array(statement.utf8), environment: ["PGCLIENTENCODING": "UTF8"])
    }

    /// Runs statements as the superuser, from the machine itself; the rows, columns between bars.
    @discardableResult
    package func sql(_ statements: String) async throws -> [String] {
        let done = try await psql(statements)
        guard done.succeeded else { throw ProgramFault.unexpected(statements, output: done.standardError) }
        return done.text.split(separator: "\n").map(String.init)
    }

    /// What the server has logged.
    package var log: String { process.log }
}
