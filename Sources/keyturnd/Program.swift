internal import ArgumentParser

/// The server and its operator's commands.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyturnd",
        abstract: "Keyturn, a vault for the secrets of privileged accounts: server and operator commands.",
        subcommands: [Init.self, Serve.self])
}
