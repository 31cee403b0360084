internal import ArgumentParser
internal import Client
internal import JSON

struct AssetTrustClear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Forget the pinned host keys and systems: the next one that shows itself is pinned.",
        discussion: """
            Whoever answers next is believed, and is sent the secret of the account that does the work. Where the new key is known, \
            'trust pin' is the better command.
            """)

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var trust: AssetTrustOptions

    func run() async throws {
        let client = try trust.options.client()
        let path = try await trust.find(client).path
        try Prompt.confirm("Believe whatever host answers for \(trust.asset) next?", isGiven: yes)
        trust.options.say(try await client.put(path) { $0.field("systems", [String]()) })
    }
}
