internal import ArgumentParser
internal import Client
internal import Cryptography
internal import JSON

struct AccountCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Register an account of an asset.",
        discussion: "Asks for the secret, or reads it from standard input; never an argument, which others could see.")

    @Argument(help: "The asset's name or id.")
    var asset: String

    @Argument(help: "A name that no other account of the asset has.")
    var name: String

    @Option(help: "The name to log in with, if it is another.")
    var username: String?

    @Option(help: "password, ssh_key, access_key, token or api_key.")
    var secretType = SecretKind.password

    @Option(help: PassphraseSource.help)
    var passphrase: PassphraseSource?

    @Flag(help: "The account has wide powers on the asset.")
    var privileged = false

    @Flag(help: "Register it without a secret.")
    var noSecret = false

    @Option(help: "Anything worth knowing.")
    var comment: String?

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        guard let assetID = try await client.find(.assets, asset).identifier else {
            throw ClientError(.unexpectedAnswer, "the asset has no id")
        }
        let secret = noSecret ? nil : try secretType.ask(passphrase)
        let made = try await client.post(Resource.accounts.path) { body in
            body.field("name", name)
            body.field("username", username ?? name)
            body.field("asset", assetID)
            body.field("secret_type", secretType.rawValue)
            body.field("privileged", privileged)
            if let comment { body.field("comment", comment) }
            GivenSecret.write(secret, into: &body)
        }
        options.say(made)
    }
}
