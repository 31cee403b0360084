internal import ArgumentParser
internal import Client
internal import Cryptography
internal import JSON

struct AccountSetSecret: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-secret", abstract: "Store another secret for an account.",
        discussion: """
            Asks for the secret, or reads it from standard input. The old one stays in the account's history. Nothing is changed \
            on the asset itself.
            """)

    @Argument(help: "ASSET/ACCOUNT or the account's id.")
    var account: String

    @Option(help: PassphraseSource.help)
    var passphrase: PassphraseSource?

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let found = try await client.findAccount(account)
        guard let id = found.identifier else { throw ClientError(.unexpectedAnswer, "the account has no id") }
        let type = found["secret_type"]
        let kind = (type?["value"]?.string ?? type?.string).flatMap(SecretKind.init) ?? .password
        let secret = try kind.ask(passphrase)
        let changed = try await client.patch(Resource.accounts.item(id)) { secret.write(into: &$0) }
        options.say(changed)
    }
}
