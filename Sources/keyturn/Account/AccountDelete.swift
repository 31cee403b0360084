internal import ArgumentParser
internal import Client

struct AccountDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an account with its secret and history.")

    @Argument(help: "ASSET/ACCOUNT or the account's id.")
    var account: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        guard let id = try await client.findAccount(account).identifier else {
            throw ClientError(.unexpectedAnswer, "the account has no id")
        }
        try Prompt.confirm("Delete account \(account) with its secret and history?", isGiven: yes)
        try await client.delete(Resource.accounts.item(id))
        options.sayDeleted(id)
    }
}
