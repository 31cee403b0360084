internal import ArgumentParser
internal import JSON
internal import Server

/// Tells how a server fares.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell how the server fares.", discussion: "Ends with status 5 when it does not run or is not ready.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let configuration = try vault.configuration()
        do {
            let status = try configuration.control.send(.status)
            Terminal.report(status, json: json)
            guard status["ready"]?.bool == true else { throw ExitStatus.unavailable }
        } catch let fault as ControlFault where fault.code == "not_running" {
            try Terminal.report(json: json) {
                $0.field("running", false)
                $0.field("data_directory", configuration.dataDirectory)
            }
            throw ExitStatus.unavailable
        }
    }
}
