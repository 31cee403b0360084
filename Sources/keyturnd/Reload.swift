internal import ArgumentParser
internal import JSON
internal import Server

/// Makes a server read its certificate and log level again.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the server read its certificate and log level again, as SIGHUP does; connections stay.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        _ = try vault.configuration().control.send(.reload)
        try Terminal.report(json: json) { $0.field("reloaded", true) }
    }
}
