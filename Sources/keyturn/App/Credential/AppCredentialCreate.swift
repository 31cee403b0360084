internal import ArgumentParser
internal import Client
internal import JSON

struct AppCredentialCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Give an application one more key; the others stay valid.",
        discussion: "The key's secret is shown this once only, or written to a private file with --credentials-file.")

    @Argument(help: "The application's name or id.")
    var application: String

    @Option(help: "What the key is for.")
    var name: String

    @Option(
        name: .customLong("ip"), parsing: .singleValue,
        help: ArgumentHelp(
            "An address, network or range for this key, besides the application's; may be repeated.", valueName: "address"))
    var addresses: [String] = []

    @Option(help: ArgumentHelp("When it ends, such as 2027-01-31T00:00:00Z.", valueName: "date"))
    var expires: String?

    @Flag(help: "Accept each signature once only, even from the same address.")
    var strict = false

    @OptionGroup var key: NewKeyOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let made = try await client.post(client.credentials(of: application).path) { body in
            body.field("name", name)
            if !addresses.isEmpty { body.field("ip_group", addresses) }
            if strict { body.field("is_strict", true) }
            if let expires { body.field("date_expires", expires) }
        }
        try key.hand(over: made, keyID: made.identifier, client, options)
    }
}
