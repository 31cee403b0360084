internal import ArgumentParser
internal import Server

/// Runs the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Logs to standard error. SIGTERM and SIGINT end it in order; SIGHUP reads certificate and log level again. Without its key \
            file it starts sealed and waits for 'keyturnd unseal'.
            """)

    @OptionGroup var vault: VaultOptions
    @Option(help: "Address and port to listen on (127.0.0.1:8443).") var listen: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical (info).") var logLevel: String?
    @Flag(help: "Do not warn of running as root.") var allowRoot = false
    @Flag(help: "Log lines of JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration(listen: listen, logLevel: logLevel, logsJSON: json)
        let warnings = try ProcessHardening.apply(allowRoot: allowRoot, locksMemory: configuration.locksMemory)
        for warning in warnings { Terminal.complain("warning: " + warning) }
        try await ServerRun(configuration: configuration, file: vault.config.map(WorkingDirectory.absolute)).run()
    }
}
