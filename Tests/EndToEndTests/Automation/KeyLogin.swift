import TestSupport

/// A login at a host by the real `ssh` of the machine, with a private key.
struct KeyLogin {
    private let directory: TemporaryDirectory
    private let host: TestHost

    init(at host: TestHost, _ privateKey: String) throws {
        self.host = host
        directory = try TemporaryDirectory("login")
        try directory.write(privateKey.hasSuffix("\n") ? privateKey : privateKey + "\n", to: "key")
    }

    /// Whether the host lets the user in.
    func succeeds(_ username: String) async throws -> Bool {
        let done = try await RunningProgram.run(
            "ssh",
            [
                "-F", "/dev/null", "-p", "\(host.port)", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey", "-o", "IdentitiesOnly=yes", "-i",
                directory.file("key"), "\(username)@127.0.0.1", "id -un",
            ], environment: ["SSH_AUTH_SOCK": nil])
        return done.succeeded && done.text == username + "\n"
    }

    /// The line for `authorized_keys`.
    func publicKey() throws -> String {
        let made = try ExternalProgram.run("ssh-keygen", ["-y", "-f", directory.file("key")])
        guard made.status == 0 else { throw ProgramFault.unexpected("ssh-keygen", output: made.standardError) }
        return made.text.split(separator: "\n").first.map(String.init) ?? ""
    }
}
