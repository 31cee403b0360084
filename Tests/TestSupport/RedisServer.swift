/// A server of Redis on two ports of its own, one with TLS for `localhost` and `db.test`, and one user who may do everything.
package final class RedisServer: Sendable {
    package static let administrator = "keyturn_admin"
    package static let administratorPassword = "Adm1n-of-the-tests"

    /// Where it keeps its users.
    package enum Persistence: Sendable, CaseIterable {
        case accessFile
        case configuration
        case nowhere
    }

    /// With TLS.
    package let port: UInt16
    package let clearPort: UInt16
    package let certificates: TestCertificates
    package let process: DatabaseProcess

    package init(_ persistence: Persistence = .accessFile) async throws {
        let directory = try TemporaryDirectory("redis")
        port = try FreePort.any()
        clearPort = try FreePort.any()
        certificates = try TestCertificates(in: directory, names: ["DNS:localhost", "DNS:db.test"])
        let user = "user \(Self.administrator) on >\(Self.administratorPassword) ~* &* +@all"
        var settings = [
            "bind 127.0.0.1", "port \(clearPort)", "tls-port \(port)", "tls-cert-file \(certificates.certificateFile)",
            "tls-key-file \(certificates.keyFile)", "tls-ca-cert-file \(directory.file("authority.pem"))", "tls-auth-clients no",
            "save \"\"", "dir \(directory.path)",
        ]
        switch persistence {
        case .accessFile:
            settings.append("aclfile \(directory.file("users.acl"))")
            try directory.write(user + "\n", to: "users.acl")
        case .configuration: settings.append(user)
        case .nowhere: break
        }
        try directory.write(settings.joined(separator: "\n") + "\n", to: "redis.conf")
        // Settings on the command line leave the server without a file.
        let arguments = settings.map { "--" + $0 }.joined(separator: " ")
        process = try DatabaseProcess(
            directory, prepare: "", server: "redis-server " + (persistence == .nowhere ? arguments : directory.file("redis.conf"))
        )
        let login = persistence == .nowhere ? [] : Self.login
        try await process.waitUntilReady { try await self.client(login + ["PING"]).text.contains("PONG") }
        if persistence == .nowhere {
            _ = try await client([
                "ACL", "SETUSER", Self.administrator, "on", ">" + Self.administratorPassword, "~*", "&*", "+@all",
            ])
        }
    }

    private static let login = ["--no-auth-warning", "--user", administrator, "--pass", administratorPassword]

    private func client(_ arguments: [String]) async throws -> Finished {
        try await RunningProgram.run("redis-cli", ["-h", "127.0.0.1", "-p", "\(clearPort)"] + arguments)
    }

    /// Runs a command as the administrator; the lines of its answer.
    @discardableResult
    package func run(_ command: String...) async throws -> [String] {
        let done = try await client(Self.login + command)
        guard done.succeeded, !done.text.hasPrefix("ERR"), !done.text.hasPrefix("NOPERM") else {
            throw ProgramFault.unexpected(command.joined(separator: " "), output: done.text + done.standardError)
        }
        return done.text.split(separator: "\n").map(String.init)
    }

    /// The file in which it keeps its users.
    package func kept(_ persistence: Persistence) -> String {
        let name = persistence == .accessFile ? "users.acl" : "redis.conf"
        return String(decoding: (try? process.directory.read(name)) ?? [], as: UTF8.self)
    }
}
