internal import ArgumentParser
internal import JSON
internal import Server

/// Makes a server forget its keys.
struct Seal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the server forget its keys; it answers 503 until it is unsealed.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        _ = try vault.configuration().control.send(.seal)
        try Terminal.report(json: json) { $0.field("sealed", true) }
    }
}
