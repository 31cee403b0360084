internal import ArgumentParser
internal import Client

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch the secret of an account, as an application.",
        discussion: "Prints the secret and nothing else; into a pipe or file without a line break after it.")

    @Argument(help: "The asset's name.")
    var asset: String?

    @Argument(help: "The account's name.")
    var account: String?

    @Option(help: ArgumentHelp("The account's id, instead of names.", valueName: "id"))
    var accountId: String?

    @Flag(help: "Print what is known of the secret too, as JSON.")
    var json = false

    @OptionGroup var application: ApplicationOptions

    func validate() throws {
        guard (asset != nil && account != nil) != (accountId != nil), (asset == nil) == (account == nil) else {
            throw ValidationError("Name the asset and the account, or give --account-id.")
        }
    }

    func run() async throws {
        let client = try application.client()
        let reference = accountId.map { AccountReference.id($0) } ?? .names(asset: asset ?? "", account: account ?? "")
        let secret = try await reference.fetch(client)
        if json {
            Terminal.say { secret.write(into: &$0) }
        } else {
            secret.reveal { Terminal.say(secret: $0) }
        }
    }
}

/// Which account an application means.
enum AccountReference: Equatable {
    case id(String)
    case names(asset: String, account: String)

    /// From `ASSET/ACCOUNT`, which the last slash divides, or an account's id.
    init?(_ text: String) {
        guard let slash = text.lastIndex(of: "/") else {
            guard AdminClient.isID(text) else { return nil }
            self = .id(text)
            return
        }
        let (asset, account) = (String(text[..<slash]), String(text[text.index(after: slash)...]))
        guard !asset.isEmpty, !account.isEmpty else { return nil }
        self = .names(asset: asset, account: account)
    }

    func fetch(_ client: KeyturnClient) async throws(ClientError) -> AccountSecret {
        switch self {
        case .id(let id): try await client.fetch(accountID: id)
        case .names(let asset, let account): try await client.fetch(asset: asset, account: account)
        }
    }
}
