internal import ArgumentParser
internal import Client
internal import Cryptography
internal import JSON

struct AccountReveal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reveal", abstract: "Show the secret of an account.",
        discussion: """
            Asks for your password first, or reads it from standard input, if you did not give it lately. Each reveal stands in \
            the audit.
            """)

    @Argument(help: "ASSET/ACCOUNT or the account's id.")
    var account: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let found = try await client.findAccount(account)
        guard let id = found.identifier else { throw ClientError(.unexpectedAnswer, "the account has no id") }
        let revealed = try await client.getConfirmed(Resource.accountSecrets.item(id))
        if options.json { return Terminal.say(json: revealed) }
        guard let text = revealed["secret"], !text.isNull else {
            throw ClientError(.noSecret, "the account has no secret, or the server shows none")
        }
        try Secret(unescaping: text).withBytes { Terminal.say(secret: $0) }
    }
}
