/// A server of MariaDB on a port of its own, with TLS for `localhost` and `db.test`, and one administrator.
package final class MariaDBServer: Sendable {
    package static let administrator = "keyturn_admin"
    package static let administratorPassword = "Adm1n-of-the-tests"

    package let port: UInt16
    package let certificates: TestCertificates
    package let process: DatabaseProcess

    /// - Parameter options: Further options of the server, such as `--skip-grant-tables`.
    package init(options: [String] = []) async throws {
        let directory = try TemporaryDirectory("mariadb")
        port = try FreePort.any()
        certificates = try TestCertificates(in: directory, names: ["DNS:localhost", "DNS:db.test"])
        let all = [
            "--no-defaults", "--datadir=\(directory.file("data"))", "--socket=\(directory.file("socket"))", "--port=\(port)",
            "--bind-address=127.0.0.1", "--skip-name-resolve", "--pid-file=\(directory.file("pid"))",
            "--ssl-cert=\(certificates.certificateFile)", "--ssl-key=\(certificates.keyFile)", "--plugin-load-add=auth_ed25519",
            "--general-log=1", "--general-log-file=\(directory.file("general.log"))", "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--max-connections=30", "--connect-timeout=60",
        ]
        process = try DatabaseProcess(
            directory,
            prepare: """
                PATH="$PATH:/usr/sbin:/sbin"
                mariadb-install-db --no-defaults --datadir=$PWD/data --auth-root-authentication-method=normal --skip-test-db >install.log 2>&1
                """,
            server: "mariadbd " + (all + options).joined(separator: " "))
        try await process.waitUntilReady { try await self.client("SELECT 1").succeeded }
        guard !options.contains("--skip-grant-tables") else { return }
        try await sql(
            """
            DROP USER IF EXISTS ''@'localhost'; DROP USER IF EXISTS ''@'%';
            CREATE USER \(Self.administrator)@'%' IDENTIFIED BY '\(Self.administratorPassword)';
            GRANT ALL ON *.* TO \(Self.administrator)@'%' WITH GRANT OPTION;
            """)
    }

    private func client(_ statement: String) async throws -> Finished {
        try await RunningProgram.run(
            "mariadb",
            [
                "--no-defaults", "-N", "-B", "-r", "-u", "root", "-S", process.directory.file("socket"),
                "--default-character-set=utf8mb4",
            ],
            input: Array(statement.utf8))
    }

    /// Runs statements as root, from the machine itself; the rows, columns between tabs.
    @discardableResult
    package func sql(_ statements: String) async throws -> [String] {
        let done = try await client(statements)
        guard done.succeeded else { throw ProgramFault.unexpected(statements, output: done.standardError) }
        return done.text.split(separator: "\n").map(String.init)
    }

    /// Every statement that the server was sent.
    package var log: String { String(decoding: (try? process.directory.read("general.log")) ?? [], as: UTF8.self) }
}
