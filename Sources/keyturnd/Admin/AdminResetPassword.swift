internal import ArgumentParser
internal import Cryptography
internal import Domain
internal import JSON
internal import Server

/// Sets an administrator's password.
struct AdminResetPassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset-password",
        abstract: "Set an administrator's password and end their logins.",
        discussion: """
            The password is asked for twice, or read as one line from standard input. A stopped vault is opened with its key file, or \
            with the recovery code, which comes before the password.
            """)

    @Argument(help: "User name.") var username = "admin"
    @OptionGroup var vault: VaultOptions
    @Flag(help: "Open a stopped vault with the recovery code.") var recoveryCode = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        if configuration.control.isServerRunning {
            let command = ControlCommand.resetPassword(username: username, password: try Self.password())
            _ = try configuration.control.send(command)
        } else {
            try await reset(configuration)
        }
        try Terminal.report(json: json) { $0.field("username", username) }
    }

    private func reset(_ configuration: Configuration) async throws {
        let stopped = try StoppedVault(data: configuration.dataDirectory, checkpoints: configuration.checkpoints)
        try await stopped.finishing { vault in
            let key =
                recoveryCode ? ControlKey.recoveryCode(SecretHandoff(try Terminal.secret(prompt: "Recovery code: "))) : .keyFile
            try vault.unseal(with: key, keys: configuration.keys)
            let password = try Self.password()
            try await vault.change("control.reset-password", objects: [AuditObject(kind: "user", id: "", name: username)]) {
                request in
                try await PasswordReset.run(
                    of: username, to: password, request: request, database: vault.database, keyring: vault.keyring)
            }
        }
    }

    private static func password() throws -> SecretHandoff {
        let password = try Terminal.secret(prompt: "New password: ")
        if Terminal.isForPeople {
            let again = try Terminal.secret(prompt: "Once more: ")
            guard password.isEqual(to: again) else {
                throw OperatorFault(.refused, "these are two passwords; nothing was changed")
            }
        }
        return SecretHandoff(password)
    }
}
