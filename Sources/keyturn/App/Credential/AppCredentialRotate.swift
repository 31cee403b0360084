internal import ArgumentParser
internal import Client
internal import JSON

struct AppCredentialRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give an application a new key in the place of one, which ends after an overlap.",
        discussion: """
            The new key has the name and the limits of the old one. Its secret is shown this once only, or written to a private file with \
            --credentials-file.
            """)

    @Argument(help: "The application's name or id.")
    var application: String

    @Argument(help: "The id of the key to replace; for an application's first key, the application's id.")
    var credential: String

    @Option(
        help: ArgumentHelp("How long the old key goes on, up to 2592000 (30 days); an hour unless given.", valueName: "seconds"))
    var overlap: Int?

    @OptionGroup var key: NewKeyOptions
    @OptionGroup var options: AdminOptions

    func validate() throws {
        guard overlap.map({ (0...2_592_000).contains($0) }) ?? true else {
            throw ValidationError("--overlap is 0 to 2592000 seconds.")
        }
    }

    func run() async throws {
        let client = try options.client()
        let resource = try await client.credentials(of: application)
        let made = try await client.post(resource.item(credential) + "rotate/") { body in
            if let overlap { body.field("overlap", overlap) }
        }
        try key.hand(over: made, keyID: made.identifier, client, options)
        guard !options.json, let end = made["replaces"]?["date_expires"]?.string else { return }
        Terminal.complain("key \(credential) ends at \(PrintableText.of(end))", prefix: "")
    }
}
