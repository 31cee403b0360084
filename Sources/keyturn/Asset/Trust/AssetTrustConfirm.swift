internal import ArgumentParser
internal import Client
internal import JSON

struct AssetTrustConfirm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Confirm an asset's edited endpoint: secrets of its accounts may be sent there.",
        discussion: "Asks for your password first, or reads it from standard input, if you did not give it lately.")

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var trust: AssetTrustOptions

    func run() async throws {
        let client = try trust.options.client()
        let (asset, path) = try await trust.find(client)
        let address = PrintableText.of(asset["address"]?.string ?? "")
        try Prompt.confirm("May secrets of the accounts of \(trust.asset) be sent to \(address)?", isGiven: yes)
        trust.options.say(try await trust.options.confirmed(client) { try await client.post(path + "confirm/") { _ in } })
    }
}
