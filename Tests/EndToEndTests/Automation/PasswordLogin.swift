import TestSupport

/// A login at a host by the real `ssh` of the machine, with a password.
struct PasswordLogin {
    private let directory: TemporaryDirectory
    private let host: TestHost

    init(at host: TestHost) throws {
        self.host = host
        directory = try TemporaryDirectory("login")
        let script = try directory.write("#!/bin/sh\ncat \(directory.file("password"))\n", to: "askpass")
        _ = try ExternalProgram.run("chmod", ["700", script])
    }

    /// Whether the host lets the user in.
    func succeeds(_ username: String, _ password: String) async throws -> Bool {
        try directory.write(password, to: "password")
        let done = try await RunningProgram.run(
            "setsid",
            [
                "-w", "ssh", "-F", "/dev/null", "-p", "\(host.port)", "-o", "StrictHostKeyChecking=no", "-o",
                "UserKnownHostsFile=/dev/null", "-o", "PreferredAuthentications=password", "-o", "PubkeyAuthentication=no", "-o",
                "NumberOfPasswordPrompts=1", "\(username)@127.0.0.1", "id -un",
            ],
            environment: ["SSH_ASKPASS": directory.file("askpass"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"])
        return done.succeeded && done.text == username + "\n"
    }
}
