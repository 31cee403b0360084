internal import ArgumentParser

/// Commands about administrators.
struct AdminCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Help administrators who cannot log in.", subcommands: [AdminResetPassword.self])
}
