internal import ArgumentParser
internal import Client

struct AssetTrustShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the pinned host keys and systems, and whether the asset is paused.")

    @OptionGroup var trust: AssetTrustOptions

    func run() async throws {
        let client = try trust.options.client()
        trust.options.say(try await client.get(trust.find(client).path))
    }
}
