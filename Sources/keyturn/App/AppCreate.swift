internal import ArgumentParser
internal import Client
internal import JSON

struct AppCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Register an application and give it its first key.",
        discussion: "The key's secret is shown this once only, or written to a private file with --credentials-file.")

    @Argument(help: "A name that no other application has.")
    var name: String

    @Option(
        name: .customLong("ip"), parsing: .singleValue,
        help: ArgumentHelp(
            "An address, network or range it may call from, or '*' for all; may be repeated.", valueName: "address"))
    var addresses: [String] = []

    @Option(
        name: .customLong("account"), parsing: .singleValue,
        help: ArgumentHelp("An account it may fetch, as ASSET/ACCOUNT or by id; may be repeated.", valueName: "account"))
    var accounts: [String] = []

    @Option(help: ArgumentHelp("The accounts it may fetch, as an account filter in JSON.", valueName: "json"))
    var filter: String?

    @Flag(help: "It may fetch every account of the organization.")
    var allAccounts = false

    @Option(help: "Anything worth knowing.")
    var comment: String?

    @OptionGroup var key: NewKeyOptions
    @OptionGroup var options: AdminOptions

    func validate() throws {
        guard !addresses.isEmpty else { throw ValidationError("Say with --ip where it may call from; '*' is everywhere.") }
        guard [!accounts.isEmpty, filter != nil, allAccounts].filter({ $0 }).count == 1 else {
            throw ValidationError("Say which accounts it may fetch: --account, --filter or --all-accounts.")
        }
    }

    func run() async throws {
        let client = try options.client()
        let rule = try await accountFilter(client)
        let made = try await client.post(Resource.applications.path) { body in
            body.field("name", name)
            body.key("accounts")
            body.value(rule)
            body.field("ip_group", addresses)
            if let comment { body.field("comment", comment) }
        }
        try key.hand(over: made, keyID: made.identifier, client, options)
    }

    private func accountFilter(_ client: AdminClient) async throws -> JSONValue {
        if let filter {
            guard let value = try? JSONDocument.parse(filter), value.kind == .object else {
                throw Failure("--filter is not a JSON object", status: .usage)
            }
            return value
        }
        var ids: [String] = []
        for account in accounts {
            guard let id = try await client.findAccount(account).identifier else { continue }
            ids.append(id)
        }
        var writer = JSONWriter()
        writer.object {
            $0.field("type", allAccounts ? "all" : "ids")
            if !allAccounts { $0.field("ids", ids) }
        }
        return try JSONDocument.parse(writer.bytes)
    }
}
